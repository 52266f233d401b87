/**
 * The diagram of docs/phases.md and the core say the same: every transition that the core makes
 * over a whole space of observations is an arrow, and every arrow is a transition that it makes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { finalizer } from '../../src/api/annotations.ts';
import type { Canary, CanaryAnalysis, Phase } from '../../src/api/canary.ts';
import { decide } from '../../src/canary/decide.ts';
import type { Change, Observation, Stage } from '../../src/canary/observation.ts';
import {
  allHooks,
  answering,
  canaryOf,
  hashOf,
  idle,
  idOf,
  observationOf,
  revisionView,
  rolling,
  running,
  split,
  stepping,
  stuck,
} from './builders.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/phases.md'), 'utf8');

/**
 * The arrows of the diagram; `[*]` is an object without a phase. One that leaves the composite state
 * leaves each of its states.
 */
function drawn(): readonly string[] {
  const diagram = /```mermaid\nstateDiagram-v2\n(.*?)```/s.exec(document)?.[1];
  assert.ok(diagram !== undefined, 'docs/phases.md has no state diagram');
  const arrows = [...diagram.matchAll(/^ *(\S+) --> (\w+)/gm)].map(
    ([, from = '', to = '']) => [from, to] as const,
  );
  const inside = new Set(arrows.filter(([from]) => from !== composite).map(([from]) => from));
  return arrows
    .flatMap(([from, to]) => (from === composite ? [...inside] : [from]).map((it) => [it, to]))
    .map(([from, to]) => `${from} --> ${to}`);
}

const composite = 'Living';

/** Without Terminated: the reference writes it, ours are gone by then. */
const phases: readonly Phase[] = [
  '',
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
];
const strategies: readonly CanaryAnalysis[] = [
  stepping,
  { ...stepping, stepWeightPromotion: 50 },
  { interval: '10s', threshold: 2, iterations: 2 },
  { interval: '10s', threshold: 2, iterations: 2, match: [{ headers: { user: { exact: 'x' } } }] },
];
const changes: readonly Change[] = ['Unchanged', 'Changed', 'Reverted'];
const gates: readonly (readonly Stage[])[] = [
  [],
  ['RollbackRequested'],
  ['RollbackRequested', 'ConfirmRollout'],
  ['RollbackRequested', 'ConfirmPromotion'],
];

/** One value of each list at a time, in every combination. */
function* combinations<T extends Readonly<Record<string, readonly unknown[]>>>(
  lists: T,
): Generator<{ readonly [K in keyof T]: T[K][number] }> {
  const [first, ...others] = Object.entries(lists);
  if (first === undefined) return yield {} as { [K in keyof T]: T[K][number] };
  const [name, values] = first;
  for (const rest of combinations(Object.fromEntries(others))) {
    for (const value of values) yield { ...rest, [name]: value } as never;
  }
}

const space = (isDeleted: boolean) =>
  combinations({
    isDeleted: [isDeleted],
    phase: phases,
    analysis: strategies,
    change: changes,
    refused: gates,
    canaryWeight: [0, 50, 100],
    failedChecks: [0, 2],
    primary: [
      { ...running, revision: idOf('v1') },
      { ...running, revision: idOf('v2') },
      { ...running, revision: idOf('v1'), readiness: rolling },
      { ...running, revision: idOf('v2'), readiness: stuck },
    ],
    target: [running, idle, { ...running, readiness: stuck }],
  });

type Point = ReturnType<typeof space> extends Generator<infer T> ? T : never;

function observed(point: Point): Observation {
  const { phase, analysis, canaryWeight, failedChecks, primary, target, change } = point;
  const lastAppliedSpec = hashOf('v2');
  const seen = observationOf({
    canary: canaryFor(analysis, point.isDeleted),
    status: { phase, canaryWeight, failedChecks, iterations: canaryWeight > 0 ? 2 : 0 },
    target,
    primary,
    more: { revision: revisionView('v2', change), split: split(canaryWeight) },
  });
  return {
    ...seen,
    canary: { ...seen.canary, status: { ...statusIn(seen), lastAppliedSpec } },
  };
}

function statusIn({ canary }: Observation) {
  assert.ok(canary.status !== undefined);
  return canary.status;
}

function canaryFor(analysis: CanaryAnalysis, isDeleted: boolean): Canary {
  const canary = canaryOf({ ...analysis, webhooks: allHooks }, { revertOnDeletion: isDeleted });
  const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [finalizer] };
  return isDeleted ? { ...canary, metadata: { ...canary.metadata, ...deletion } } : canary;
}

function transitions(points: Iterable<Point>): readonly string[] {
  const found = new Set<string>();
  for (const point of points) {
    const { decision } = answering(decide, observed(point), (it) => !point.refused.includes(it));
    const next = decision.status?.phase ?? point.phase;
    if (next !== point.phase) found.add(`${point.phase || '[*]'} --> ${next}`);
  }
  return [...found].toSorted();
}

const ends = (arrow: string): boolean => arrow.endsWith('--> Terminating');

test('every transition of the core is drawn in docs/phases.md, and no other', () => {
  const expected = drawn().filter((arrow) => !ends(arrow));
  assert.deepEqual(transitions(space(false)), expected.toSorted());
});

test('a deletion that is to be undone leads from every phase to Terminating, as is drawn', () => {
  const points = [...space(true)].filter(({ change }) => change === 'Unchanged');
  assert.deepEqual(transitions(points), drawn().filter(ends).toSorted());
});
