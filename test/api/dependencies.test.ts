/** Cycles of `spec.dependsOn`, as far as the canaries are known. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Canary } from '../../src/api/canary.ts';
import { cycleThrough, dependenciesOf } from '../../src/api/dependencies.ts';

type Graph = Readonly<Record<string, readonly string[]>>;

/** `x/a` is canary a of namespace x; without a slash it is in namespace `n`. */
const keyOf = (text: string) => {
  const [first = '', second] = text.split('/');
  return second === undefined
    ? { namespace: 'n', name: first }
    : { namespace: first, name: second };
};

function canaryOf(text: string, dependsOn: readonly string[]): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: keyOf(text),
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      dependsOn: dependsOn.map((other) => (other.includes('/') ? keyOf(other) : { name: other })),
    },
  };
}

function cycleIn(graph: Graph, start: string): readonly string[] | undefined {
  const find = ({ namespace, name }: { namespace: string; name: string }): Canary | undefined => {
    const text = Object.keys(graph).find((it) => {
      const key = keyOf(it);
      return key.namespace === namespace && key.name === name;
    });
    return text === undefined ? undefined : canaryOf(text, graph[text] ?? []);
  };
  return cycleThrough(canaryOf(start, graph[start] ?? []), find);
}

suite('a cycle', () => {
  const cases: Record<string, [Graph, readonly string[] | undefined]> = {
    'is not where nothing is named': [{ a: [] }, undefined],
    'is not a chain': [{ a: ['b'], b: ['c'], c: [] }, undefined],
    'is not a diamond': [{ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, undefined],
    'is not what is not there': [{ a: ['b'] }, undefined],
    'is one that names itself': [{ a: ['a'] }, ['a.n', 'a.n']],
    'is the way back': [{ a: ['b'], b: ['c'], c: ['a'] }, ['a.n', 'b.n', 'c.n', 'a.n']],
    'is found behind a dead end': [{ a: ['b', 'c'], b: [], c: ['a'] }, ['a.n', 'c.n', 'a.n']],
    'crosses namespaces': [{ a: ['x/a'], 'x/a': ['n/a'] }, ['a.n', 'a.x', 'a.n']],
    'is not one among others, which is theirs': [{ a: ['b'], b: ['c'], c: ['b'] }, undefined],
  };
  for (const [name, [graph, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(cycleIn(graph, 'a'), expected));
  }
});

test('a dependency without a namespace is in that of the canary', () => {
  assert.deepEqual(dependenciesOf(canaryOf('x/a', ['b', 'y/c'])), [
    { namespace: 'x', name: 'b' },
    { namespace: 'y', name: 'c' },
  ]);
});

test('whatever depends on what, a cycle is found where there is one, and is a way', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e'];
  const edges = fc.array(fc.tuple(fc.constantFrom(...nodes), fc.constantFrom(...nodes)), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(edges, (list) => {
      const graph = Object.fromEntries(
        nodes.map((node) => [node, list.filter(([from]) => from === node).map(([, to]) => to)]),
      );
      // Floyd and Warshall: who can reach whom.
      const reach = new Set(list.map(([from, to]) => from + to));
      for (const k of nodes)
        for (const i of nodes)
          for (const j of nodes) if (reach.has(i + k) && reach.has(k + j)) reach.add(i + j);
      const found = cycleIn(graph, 'a');
      assert.equal(found !== undefined, reach.has('aa'));
      for (const [index, node] of (found ?? []).entries()) {
        const next = found?.[index + 1];
        if (next !== undefined) assert.ok(graph[node.slice(0, 1)]?.includes(next.slice(0, 1)));
      }
    }),
  );
});
