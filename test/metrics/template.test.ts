/** Query templates: Go's own answers are the expectations (`go-vectors/main.go`). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { TemplateModel } from '../../src/metrics/template.ts';
import { renderQuery } from '../../src/metrics/template.ts';
import vectors from './go-vectors.json' with { type: 'json' };

const model: TemplateModel = {
  name: 'cname',
  namespace: 'ns-1',
  target: 'tgt',
  service: 'svc',
  ingress: 'ing',
  route: 'rt',
  interval: '1m',
  variables: { k1: 'v1', k2: 'v2', 'my-key': 'dashed', umlaut: 'ä€😀', empty: '' },
};

suite('Go renders the same', () => {
  for (const { template, text = '', error } of vectors.templates) {
    test(JSON.stringify(template), () => {
      const expected = error === undefined ? { ok: true, text } : { ok: false, error };
      assert.deepEqual(renderQuery(template, model), expected);
    });
  }
});

suite('a template cannot do harm', () => {
  const refused: Record<string, [source: string, error: RegExp]> = {
    'by iterating for ever': [
      '{{ range 1000000000 }}{{ end }}',
      /^template excution failed: .*: more than 10000 steps$/,
    ],
    'by iterating in iterations': [
      '{{ range 1000 }}{{ range 1000 }}x{{ end }}{{ end }}',
      /more than 10000 steps$/,
    ],
    'by doubling a text': [
      `{{ $x := "0123456789" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}`,
      /more than 100000 characters$/,
    ],
    'by formatting a doubled text': [
      `{{ $x := "0123456789" }}{{ range 40 }}{{ $x = printf "%q%s" $x $x }}{{ end }}`,
      /more than 100000 characters$/,
    ],
    'by a wide column': ['{{ printf "%999999999d" 1 }}', /a width or precision of more than/],
    'by many digits': ['{{ printf "%.999999999f" 1.5 }}', /a width or precision of more than/],
    'by nesting parentheses': [
      `{{ ${'('.repeat(50_000)}`,
      /^template parsing failed: .*: max expression depth exceeded$/,
    ],
    'by nesting blocks': ['{{ if name }}'.repeat(4_000), /max expression depth exceeded$/],
    'by chaining blocks': [
      `{{ if 0 }}${'{{ else if 0 }}'.repeat(4_000)}{{ end }}`,
      /max expression depth exceeded$/,
    ],
    'by its length': ['x'.repeat(65_537), /^the query is longer than 65536 characters$/],
    'by calling what is no function of templates': [
      '{{ constructor }}',
      /function "constructor" not defined$/,
    ],
    'by looking into the prototype of a map': [
      '{{ variables.constructor }}',
      /map has no entry for key "constructor"$/,
    ],
    'by taking the length of nothing': ['{{ len . }}', /error calling len: len of nil pointer$/],
    'by defining templates': [
      '{{ define "a" }}{{ end }}',
      /^template parsing failed: template: tmpl:1: {{define}} is not supported in a query$/,
    ],
  };
  for (const [name, [source, error]] of Object.entries(refused)) {
    test(name, () => {
      const rendered = renderQuery(source, model);
      assert.ok(!rendered.ok, 'it was rendered');
      assert.match(rendered.error, error);
    });
  }

  test('by the prototype of a map, which index finds empty', () => {
    const rendered = renderQuery('[{{ index variables "constructor" }}]', model);
    assert.deepEqual(rendered, { ok: true, text: '[]' });
  });

  const words =
    '{{ }} | ( ) . , := = $ $x - if else end range with break continue nil true and or not name ' +
    'variables variables.k1 .k1 index len printf print println eq lt slice html urlquery ' +
    '"a" "%v" "%5.1f" `b` \'c\' 0 1 1.5 /* */';
  const fragment = fc.oneof(
    fc.constantFrom(...words.split(' ')),
    fc.constantFrom(' ', '\n', '{{- ', ' -}}', '{{ if name }}', '{{ range 3 }}', '{{ $x := 1 }}'),
    fc.constantFrom('{{ else }}', '{{ end }}'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );

  test('whatever it is: a text or an error comes of it', () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 40 }), (fragments) => {
        const rendered = renderQuery(fragments.join(''), model);
        assert.equal(typeof (rendered.ok ? rendered.text : rendered.error), 'string');
      }),
      { numRuns: 3000 },
    );
  });

  test('a text without braces is rendered as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const source = text.replaceAll('{', '');
        assert.deepEqual(renderQuery(source, model), { ok: true, text: source });
      }),
    );
  });

  test('the names of a canary are rendered as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const rendered = renderQuery('{{ name }}{{ variables.n }}', {
          ...model,
          name,
          variables: { n: name },
        });
        assert.deepEqual(rendered, { ok: true, text: `${name}${name}` });
      }),
    );
  });
});
