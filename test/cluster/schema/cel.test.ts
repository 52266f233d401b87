/**
 * CEL as Kubernetes has it. Expectations: the examples of its documentation ("Common Expression
 * Language in Kubernetes", and k8s.io/apiserver, `cel/library`).
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createCompiler, plainValue, reasonOf, syntaxProblem } from '../../../src/cluster/cel.ts';
import { inDialect } from '../../../src/cluster/schema/cel-dialect.ts';

const compile = createCompiler(['self', 'request']);
const self = { list: [{ a: 1 }, {}], map: { 'a.b/c': 'x' }, name: 'n', none: null };

function evaluate(text: string): unknown {
  const { value, error } = compile(text)({
    self: plainValue(self),
    request: { namespace: 'shop' },
  });
  return error === undefined ? value : `error: ${reasonOf(error)}`;
}

const values: Readonly<Record<string, unknown>> = {
  '[1, 2, 3].isSorted()': true,
  "['a', 'b', 'b', 'c'].isSorted()": true,
  '[2.0, 1.0].isSorted()': false,
  '[1].isSorted()': true,
  '[].isSorted()': true,
  '[1, 3].sum()': 4n,
  '[1.0, 3.0].sum()': 4,
  '[].sum()': 0n,
  '[1, 3].min()': 1n,
  '[1, 3].max()': 3n,
  '[].min()': 'error: min called on empty list',
  '[1, 2, 2, 3].indexOf(2)': 1n,
  "['a', 'b', 'b', 'c'].lastIndexOf('b')": 2n,
  '[1.0].indexOf(1.1)': -1n,
  "'abc 123'.find('[0-9]+')": '123',
  "'abc 123'.find('xyz')": '',
  "'123 abc 456'.findAll('[0-9]+')": ['123', '456'],
  "'123 abc 456'.findAll('[0-9]+', 1)": ['123'],
  "'123 abc 456'.findAll('xyz')": [],
  "isURL('https://user:pass@example.com:80/path?query=val#fragment')": true,
  "isURL('/absolute-path')": true,
  "isURL('https://a:b:c/')": false,
  "isURL('../relative-path')": false,
  "url('/absolute-path').getScheme()": '',
  "url('https://example.com/path').getScheme()": 'https',
  "url('https://example.com:80/').getHost()": 'example.com:80',
  "url('https://example.com/').getHost()": 'example.com',
  "url('https://[::1]:80/').getHostname()": '::1',
  "url('https://example.com:80/').getPort()": '80',
  "url('https://example.com/path with spaces/').getEscapedPath()": '/path%20with%20spaces/',
  "isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0')": true,
  "'hello hello'.replace('he', 'we')": 'wello wello',
  "'hello hello'.replace('he', 'we', -1)": 'wello wello',
  "'hello hello'.replace('he', 'we', 1)": 'wello hello',
  "'hello hello'.replace('he', 'we', 0)": 'hello hello',
  "'hello'.charAt(4)": 'o',
  "'gums'.reverse()": 'smug',
  "'ABC'.matches('^(?i)[[:alpha:]]+$')": true,
  "'abc'.matches('^[0-9]')": false,
  // What rules and conditions rely on.
  'has(self.list[0].a)': true,
  'has(self.list[1].a)': false,
  'has(self.name) && !has(self.other)': true,
  'has(self.none)': true,
  "'a.b/c' in self.map && self.map['a.b/c'] == 'x'": true,
  'self.list.exists_one(it, has(it.a) && it.a == 1)': true,
  "request.namespace == 'shop'": true,
  'self.list[0].a + 1': 2n,
  'self.other': 'error: no such key: other',
  'self.list[5].a': 'error: index out of bounds: 5',
  "self.list[0].a > 'x'": 'error: no such overload',
  '1 / (self.list[0].a - 1)': 'error: division by zero',
  "duration('soon')": "error: type conversion error from 'string' to 'google.protobuf.Duration'",
  "duration('s')": "error: type conversion error from 'string' to 'google.protobuf.Duration'",
  "duration('90s') == duration('1m30s')": true,
  "duration('1h').getSeconds()": 3600n,
  "timestamp('now')": "error: type conversion error from 'string' to 'google.protobuf.Timestamp'",
  'self.?other.orValue(7)': 7n,
};

suite('values', () => {
  for (const [text, expected] of Object.entries(values)) {
    test(text, () => {
      assert.deepEqual(evaluate(text), expected);
    });
  }
});

suite('what cel-js has in other words', () => {
  const rewritten: Readonly<Record<string, string>> = {
    'has(a.b)': 'has(a.b)',
    'has(a[0].b)': '(a[0].?b).hasValue()',
    '!has(a[0].b.c) || has(d.e)': '!(a[0].b.?c).hasValue() || has(d.e)',
    'has(f(a).b)': '(f(a).?b).hasValue()',
    "has(a['x.y)'].b)": "(a['x.y)'].?b).hasValue()",
    "'has(a[0].b)' == c": "'has(a[0].b)' == c",
    "a.matches('^x') && b == '.matches('": "a.matchesPattern('^x') && b == '.matches('",
    'a.has(b[0].c)': 'a.has(b[0].c)',
    'has(a.filter(i, has(i.x[0].y)).b)': '(a.filter(i, (i.x[0].?y).hasValue()).?b).hasValue()',
  };
  for (const [text, expected] of Object.entries(rewritten)) {
    test(text, () => {
      assert.equal(inDialect(text), expected);
    });
  }
});

test('what is no expression is told before anybody asks it', () => {
  assert.equal(syntaxProblem('self.a == 1'), undefined);
  assert.equal(typeof syntaxProblem('self.a =='), 'string');
});

test('an expression that is none fails when it is asked', () => {
  assert.notEqual(compile('self.a ==')({ self }).error, undefined);
});

test('values without numbers are seen as they are', () => {
  const object = { a: ['x', { b: true }], c: null };
  assert.equal(plainValue(object), object);
  assert.deepEqual(plainValue({ a: [1, 1.5], b: 'x' }), { a: [1n, 1.5], b: 'x' });
});
