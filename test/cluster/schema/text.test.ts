/**
 * Texts of schemas: patterns, formats, paths. Expectations: the syntax of RE2, the formats of
 * k8s.io/kube-openapi (`validation/strfmt`), and Kubernetes docs, "JSONPath Support".
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatCheck } from '../../../src/cluster/schema/formats.ts';
import { compileJsonPath } from '../../../src/cluster/schema/json-path.ts';
import { compilePattern } from '../../../src/cluster/schema/patterns.ts';

suite('patterns', () => {
  const cases: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'a-b', true],
    ['b', 'abc', true],
    ['(?i)^ABC$', 'abc', true],
    ['^(?i)ABC$', 'abc', true],
    ['(?s)^a.c$', 'a\nc', true],
    ['^[[:alpha:]]+$', 'abc', true],
    ['^[[:alpha:][:digit:]]+$', 'a1', true],
    ['^[[:space:]]$', 'x', false],
    ['\\Aabc\\z', 'abc', true],
    ['\\Aabc\\z', 'abcd', false],
    ['^\\pL+$', 'äß', true],
    ['^\\p{Lu}$', 'a', false],
    ['(?P<year>\\d{4})', 'in 2024', true],
    ['^[\\w\\-_.]+$', 'a-b_c.d', true],
    ['^\\d+(\\.\\d+)?(ms|s|m|h)$', '1.5s', true],
  ];
  for (const [pattern, text, matches] of cases) {
    test(`${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
      assert.equal(compilePattern(pattern)?.test(text), matches);
    });
  }
  test('what is none is told', () => {
    assert.equal(compilePattern('('), undefined);
  });
});

suite('formats', () => {
  const cases: Readonly<
    Record<string, readonly [good: readonly string[], bad: readonly string[]]>
  > = {
    date: [['2024-02-29'], ['2023-02-29', '2024-1-1', 'today', '']],
    'date-time': [
      ['2014-12-15T19:30:20.000Z', '2024-02-29T12:00:00+02:00', '2024-02-29t12:00:00z'],
      ['2024-02-29', '2024-02-29T25:00:00Z', '2024-02-29 12:00:00Z', ''],
    ],
    duration: [
      ['1s', '1h30m', '-1.5h', '3 days', '22 ns', '0', 'in 5 minutes', 'c6D'],
      ['', 'soon', '1', '5 parsecs'],
    ],
    ipv4: [['10.0.0.1'], ['10.0.0', '::1', '300.0.0.1']],
    ipv6: [
      ['::1', 'fe80::1'],
      ['10.0.0.1', ':'],
    ],
    cidr: [
      ['10.0.0.0/8', 'fe80::/10'],
      ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/x'],
    ],
    mac: [
      ['01:23:45:67:89:ab', '01-23-45-67-89-ab'],
      ['01:23:45:67:89', '01:23-45:67:89:ab'],
    ],
    uuid: [['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'], ['x']],
    uuid4: [['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
    uri: [
      ['https://example.com/a', '/a/b', 'mailto:a@b'],
      ['a/b', ''],
    ],
    email: [
      ['a@b.test', 'A <a@b.test>'],
      ['a', '@b'],
    ],
    hostname: [
      ['example.test', 'a'],
      ['-a', ''],
    ],
    byte: [
      ['aGVsbG8=', 'YWJj'],
      ['***', 'abc'],
    ],
    hexcolor: [
      ['#fff', 'FFFFFF'],
      ['#ff', 'red'],
    ],
    'k8s-short-name': [['a-b'], ['A', 'a.b', '-a', 'a'.repeat(64)]],
    'k8s-long-name': [['a-b.c'], ['a..b', 'A.b']],
    password: [['anything'], []],
  };
  for (const [format, [good, bad]] of Object.entries(cases)) {
    test(format, () => {
      const check = formatCheck(format);
      assert.ok(check);
      assert.deepEqual(
        good.filter((text) => !check(text)),
        [],
      );
      assert.deepEqual(bad.filter(check), []);
    });
  }
  test('hyphens do not count, and others are not known', () => {
    assert.equal(formatCheck('datetime'), formatCheck('date-time'));
    assert.equal(formatCheck('int-or-string'), undefined);
    assert.equal(formatCheck('toString'), undefined);
  });
});

suite('paths', () => {
  const object = {
    metadata: { labels: { 'a.b/c': 'x' } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True', n: 1 },
        { type: 'Old', status: 'False', n: 5 },
      ],
    },
    list: ['a', 'b', 'c'],
  };
  const cases: Readonly<Record<string, readonly unknown[] | undefined>> = {
    '.status.conditions[?(@.type=="Ready")].status': ['True'],
    ".status.conditions[?(@.type=='Ready')].status": ['True'],
    '.status.conditions[?(@.type == "Ready")].status': ['True'],
    '.status.conditions[?(@.type!="Ready")].type': ['Old'],
    '.status.conditions[?(@.n>1)].type': ['Old'],
    '.status.conditions[?(@.n>=1)].type': ['Ready', 'Old'],
    '.status.conditions[?(@.none)].type': [],
    '.status.conditions[*].type': ['Ready', 'Old'],
    '.status.conditions[?(@.type==")")].type': [],
    '.metadata.labels.a\\.b/c': ['x'],
    ".metadata.labels['a.b/c']": ['x'],
    '.list[0]': ['a'],
    '.list[-1]': ['c'],
    '.list[9]': [],
    '.none.below': [],
    $: [object],
    '.': [object],
    '.list[': undefined,
    list: undefined,
    '.list[0:2]': undefined,
  };
  for (const [path, expected] of Object.entries(cases)) {
    test(path, () => {
      assert.deepEqual(compileJsonPath(path)?.(object), expected);
    });
  }
});
