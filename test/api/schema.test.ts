import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { customResourceDefinitions } from '../../src/api/schema/crds.ts';

type Node = Readonly<Record<string, unknown>>;

/** The reference's definitions are data beside the tests; nothing of ours is derived from them. */
function reference(name: string): Node {
  const file = new URL(`../crds/flagger/${name}.yaml`, import.meta.url);
  // Its quoted texts go on at the indentation of their key, which Go's parser takes.
  const folded = readFileSync(file, 'utf8').replace(/: '[^'\n]*\n[^']*'\n/g, (text) =>
    text.trimEnd().replace(/\s+/g, ' ').concat('\n'),
  );
  return parse(folded) as Node;
}

/** Where ours differs on purpose, as `PATH: KEYWORD`, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'alertproviders.flagger.app.spec.type: enum': 'receivers of our own: webhook, cloudevents',
  'alertproviders.flagger.app.spec: anyOf':
    'M-14: address and secretRef together are what the documentation of the reference shows',
  'alertproviders.flagger.app.spec: oneOf': 'M-14: the other half of it',
  'canaries.flagger.app.spec.analysis.rollbackWindow: added':
    'a revision that served until lately is promoted without analysis',
  'canaries.flagger.app.spec.analysis.webhooks[].url: format':
    'no format of the API server, which warns of it at each apply and checks nothing',
  'canaries.flagger.app.spec.analysis.webhooks[]: required':
    'a confirm or rollback hook without a URL is a gate of our own; admission refuses the others',
  'canaries.flagger.app.spec.dependsOn: added': 'canaries that come first',
  'canaries.flagger.app.spec.service.mirror: required':
    'stands on the array there, where it means nothing; its items may lack backendRef',
  'canaries.flagger.app.status.promoted: added': 'what may go straight to promotion again',
  'canaries.flagger.app.status.returning: added': 'tells a rollout of such a revision from others',
  'canaries.flagger.app.status.waitingSince: added': 'the place in line, whoever leads',
  'canaries.flagger.app.status.draining: added':
    'tells pods that wait for their connections to end from pods that somebody brought up',
  'canaries.flagger.app.status.gates: added':
    'names the gates that may be opened by annotation now',
  'canaries.flagger.app.status.journal: added':
    'tells what became of the last rollouts after their events have expired',
  'canaries.flagger.app.status.trackedTarget: added':
    'tells a change of the target from a new default of the API server',
};

/** Keywords that hold schemas, which the walk enters. */
const nested = new Set(['properties', 'items', 'additionalProperties', 'oneOf', 'anyOf', 'not']);
const asNode = (value: unknown): Node =>
  typeof value === 'object' && value !== null ? (value as Node) : {};

/** All differences between two schemas: a path, and the keyword that differs. */
function* differences(path: string, theirs: Node, ours: Node): Iterable<string> {
  for (const keyword of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    if (keyword === 'description' || nested.has(keyword)) continue;
    const same = JSON.stringify(rule(keyword, theirs)) === JSON.stringify(rule(keyword, ours));
    if (!same) yield `${path}: ${keyword}`;
  }
  for (const keyword of ['oneOf', 'anyOf', 'not']) {
    const same = JSON.stringify(choice(theirs[keyword])) === JSON.stringify(choice(ours[keyword]));
    if (!same) yield `${path}: ${keyword}`;
  }
  const [theirFields, ourFields] = [asNode(theirs['properties']), asNode(ours['properties'])];
  for (const name of new Set([...Object.keys(theirFields), ...Object.keys(ourFields)])) {
    const child = `${path}.${name}`;
    if (!(name in ourFields)) yield `${child}: missing`;
    else if (!(name in theirFields)) yield `${child}: added`;
    else yield* differences(child, asNode(theirFields[name]), asNode(ourFields[name]));
  }
  for (const [keyword, mark] of [
    ['items', '[]'],
    ['additionalProperties', '{}'],
  ] as const) {
    if (theirs[keyword] === undefined && ours[keyword] === undefined) continue;
    yield* differences(`${path}${mark}`, asNode(theirs[keyword]), asNode(ours[keyword]));
  }
}

/** A keyword's value where the order of a list or the blanks of an expression mean nothing. */
function rule(keyword: string, schema: Node): unknown {
  const value = schema[keyword];
  // No format of the API server: it changes nothing.
  if (keyword === 'format' && value === 'string') return undefined;
  if (keyword === 'enum' || keyword === 'required') return [...((value as string[]) ?? [])].sort();
  if (keyword !== 'x-kubernetes-validations') return value;
  return ((value as { rule: string; message: string }[]) ?? []).map(
    ({ rule, message }) => `${rule.replace(/\s+/g, ' ')} ${message}`,
  );
}

/** `oneOf` and its like, without regard to order. */
function choice(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(choice(item))).sort();
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([keyword]) => keyword !== 'description')
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([keyword, inner]) => [keyword, choice(inner)]);
}

function versionOf(crd: Node): Node {
  return asNode((asNode(crd['spec'])['versions'] as unknown[])[0]);
}

function schemaOf(crd: Node): Node {
  return asNode(asNode(versionOf(crd)['schema'])['openAPIV3Schema']);
}

suite('the definitions of the reference and ours', () => {
  const found: string[] = [];
  for (const crd of customResourceDefinitions) {
    const theirs = reference(crd.metadata.name);
    const ours = crd as unknown as Node;
    found.push(...differences(crd.metadata.name, schemaOf(theirs), schemaOf(ours)));

    test(`${crd.metadata.name} has the same names, columns and annotations`, () => {
      const outside = (node: Node): unknown => {
        const { schema: _, ...version } = versionOf(node);
        return { ...node, spec: { ...asNode(node['spec']), versions: [version] } };
      };
      assert.deepEqual(outside(JSON.parse(JSON.stringify(ours)) as Node), outside(theirs));
    });
  }

  test('differ where it is listed, with the reason, and nowhere else', () => {
    assert.deepEqual([...new Set(found)].sort(), Object.keys(exceptions).sort());
  });

  test('were compared in depth', () => {
    let paths = 0;
    const count = (schema: Node): void => {
      paths += 1;
      for (const child of Object.values(asNode(schema['properties']))) count(asNode(child));
      if (schema['items'] !== undefined) count(asNode(schema['items']));
    };
    for (const crd of customResourceDefinitions) count(schemaOf(reference(crd.metadata.name)));
    assert.ok(paths > 250, `${paths}`);
  });
});

test('the comparison sees what is missing, added, looser and stricter', () => {
  const theirs: Node = {
    type: 'object',
    required: ['a'],
    properties: { a: { type: 'string', enum: ['x'] }, b: { type: 'number' } },
    oneOf: [{ required: ['a'] }],
  };
  const cases: readonly (readonly [Node, string])[] = [
    [{ ...theirs, properties: { a: asNode(theirs['properties'])['a'] } }, 's.b: missing'],
    [{ ...theirs, required: [] }, 's: required'],
    [{ ...theirs, oneOf: [{ required: ['b'] }] }, 's: oneOf'],
    [{ ...theirs, properties: { ...asNode(theirs['properties']), c: {} } }, 's.c: added'],
    [
      { ...theirs, properties: { a: { type: 'string', enum: ['x'] }, b: { type: 'integer' } } },
      's.b: type',
    ],
    [{ ...theirs, properties: { a: { type: 'string' }, b: { type: 'number' } } }, 's.a: enum'],
  ];
  for (const [ours, expected] of cases) {
    assert.deepEqual([...differences('s', theirs, ours)], [expected]);
  }
});

test('every field says what it is, for kubectl explain', () => {
  const silent: string[] = [];
  const look = (path: string, schema: Node): void => {
    for (const [name, child] of Object.entries(asNode(schema['properties']))) {
      const isMeta = path === '' && name === 'metadata';
      if (!isMeta && typeof asNode(child)['description'] !== 'string')
        silent.push(`${path}.${name}`);
      look(`${path}.${name}`, asNode(child));
    }
    if (schema['items'] !== undefined) look(`${path}[]`, asNode(schema['items']));
  };
  for (const crd of customResourceDefinitions) look('', schemaOf(crd));
  assert.deepEqual(silent, []);
});

test('the schemas are structural: no type or text within a choice', () => {
  const wrong: string[] = [];
  const look = (path: string, schema: Node, inChoice: boolean): void => {
    for (const keyword of ['type', 'description', 'default']) {
      if (inChoice && keyword in schema) wrong.push(`${path}: ${keyword}`);
    }
    for (const keyword of ['oneOf', 'anyOf']) {
      const items = schema[keyword];
      if (Array.isArray(items))
        items.forEach((item) => look(`${path}/${keyword}`, asNode(item), true));
    }
    if (schema['not'] !== undefined) look(`${path}/not`, asNode(schema['not']), true);
    for (const [name, child] of Object.entries(asNode(schema['properties']))) {
      look(`${path}.${name}`, asNode(child), inChoice);
    }
    if (schema['items'] !== undefined) look(`${path}[]`, asNode(schema['items']), inChoice);
  };
  for (const crd of customResourceDefinitions) look('', schemaOf(crd), false);
  assert.deepEqual(wrong, []);
});
