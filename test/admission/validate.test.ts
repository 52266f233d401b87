import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AdmissionAnswer, AdmissionRequest } from '../../src/admission/review.ts';
import type { ValidationLookup } from '../../src/admission/validate.ts';
import { validate } from '../../src/admission/validate.ts';
import type { Canary, CanaryAnalysis } from '../../src/api/canary.ts';
import {
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../../src/api/providers.ts';
import { validateCanary } from '../../src/api/validate.ts';
import { podinfoCanary, readRequest } from './podinfo.ts';

const created = readRequest('canary-create');
const updated = readRequest('canary-update');

const lookup: ValidationLookup = {
  validate: (canary) =>
    validateCanary(canary, {
      providers: supportedProviders,
      targetKinds: supportedTargetKinds,
      autoscalerKinds: supportedAutoscalerKinds,
      noCrossNamespaceRefs: false,
      meshProvider: 'istio',
    }),
  canariesOf: () => [],
  canary: () => undefined,
  hasTarget: () => true,
};

const metrics = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];
const analysis = { interval: '1m', threshold: 5, stepWeight: 10, metrics };
const good = podinfoCanary({ spec: { analysis } });
const named = (name: string, deletionTimestamp?: string): Canary => ({
  ...good,
  metadata: {
    ...good.metadata,
    name,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  },
});
const withAnalysis = (change: CanaryAnalysis): Canary => ({
  ...good,
  spec: { ...good.spec, analysis: { ...analysis, ...change } },
});
const withTarget = (canary: Canary, name: string): Canary => ({
  ...canary,
  spec: { ...canary.spec, targetRef: { ...canary.spec.targetRef, name } },
});
const leaving = {
  ...good,
  metadata: { ...good.metadata, deletionTimestamp: '2026-11-23T09:00:00Z' },
};
/** No duration: it can never work. */
const bad = withAnalysis({ interval: 'soon' });
const badInterval = /spec\.analysis\.interval: "soon" is no duration/;

interface Row {
  readonly now: Canary;
  readonly old?: Canary;
  readonly lookup?: Partial<ValidationLookup>;
  readonly denied?: RegExp;
  readonly warnings?: readonly RegExp[];
}

const cases: Record<string, Row> = {
  'a good one is stored without a word': { now: good },
  'one that can never work is refused': { now: bad, denied: badInterval },
  'a change that breaks it is refused': { now: bad, old: good, denied: badInterval },
  'what was stored before we looked is a warning when something else changes': {
    now: { ...bad, spec: { ...bad.spec, skipAnalysis: true } },
    old: bad,
    warnings: [badInterval],
  },
  'a change from one error to another is refused': {
    now: withAnalysis({ interval: 'later' }),
    old: bad,
    denied: /"later" is no duration/,
  },
  'a repair of one of two errors is taken, and the other is a warning': {
    now: bad,
    old: withAnalysis({ interval: 'soon', stepWeights: [20, 10] }),
    warnings: [badInterval],
  },
  'a change of the status or the metadata alone is not looked at': {
    now: { ...bad, status: { phase: 'Failed', failedChecks: 1, canaryWeight: 0, iterations: 0 } },
    old: bad,
    lookup: {
      validate: () => assert.fail('looked at'),
      canariesOf: () => [named('other')],
      hasTarget: () => false,
    },
  },
  'the finalizer of one that is being deleted goes whatever the spec says': {
    now: { ...leaving, spec: bad.spec },
    old: { ...leaving, metadata: { ...leaving.metadata, finalizers: ['finalizer.flagger.app'] } },
  },
  'a target that is not there yet is a warning: the order of apply must not matter': {
    now: good,
    lookup: { hasTarget: () => false },
    warnings: [/^spec\.targetRef: there is no Deployment podinfo in namespace test yet/],
  },
  'a target of a kind that is not watched is no warning': {
    now: good,
    lookup: { hasTarget: () => undefined },
  },
  'a second canary on one target is refused, and the first is named': {
    now: named('second'),
    lookup: { canariesOf: () => [named('first')] },
    denied: /Deployment podinfo is the target of canary first\.test already, delete that one first/,
  },
  'a canary is no rival to itself': { now: good, lookup: { canariesOf: () => [good] } },
  'a canary that moves to a target that is taken is refused': {
    now: withTarget(good, 'api'),
    old: good,
    lookup: {
      canariesOf: (_, { name }) => (name === 'api' ? [withTarget(named('api'), 'api')] : []),
    },
    denied: /Deployment api is the target of canary api\.test/,
  },
  'two canaries that were on one target before we looked can both be edited': {
    now: { ...good, spec: { ...good.spec, skipAnalysis: true } },
    old: good,
    lookup: { canariesOf: () => [named('first'), good] },
  },
  'a canary that takes over from one that is being deleted waits for it': {
    now: named('second'),
    lookup: { canariesOf: () => [named('first', '2026-11-23T09:00:00Z')] },
    warnings: [/is the target of canary first\.test until that one is gone$/],
  },
  'one that is being deleted does not hide one that is not': {
    now: named('third'),
    lookup: { canariesOf: () => [named('first', '2026-11-23T09:00:00Z'), named('second')] },
    denied: /canary second\.test already/,
  },
  'another kind is nobody’s business here': {
    now: { ...bad, kind: 'AlertProvider' },
  },
};

function ask({ now, old, lookup: found = {} }: Row): AdmissionAnswer {
  const { oldObject: _, ...base } = old === undefined ? created : updated;
  const given: AdmissionRequest = {
    ...base,
    name: now.metadata.name,
    object: now,
    ...(old === undefined ? {} : { oldObject: old }),
  };
  return validate(given, { ...lookup, ...found });
}

suite('a Canary', () => {
  for (const [sentence, row] of Object.entries(cases)) {
    test(sentence, () => {
      const { denied, warnings } = ask(row);
      if (row.denied === undefined) assert.equal(denied, undefined);
      else assert.match(denied ?? 'was allowed', row.denied);
      if (row.denied !== undefined) return;
      const expected = row.warnings ?? [];
      assert.equal(warnings.length, expected.length, warnings.join('\n'));
      for (const [index, pattern] of expected.entries())
        assert.match(warnings[index] ?? '', pattern);
    });
  }

  test('is never changed, and the reason says which it is', () => {
    const answer = ask({ now: bad });
    assert.equal(answer.wanted, undefined);
    assert.match(answer.denied ?? '', /^Canary podinfo\.test cannot work: /);
  });
});

suite('whoever deletes a Canary is told what becomes of the application (R10)', () => {
  const made = 'the primary, Services and routes that were made for it';
  const targetOf = (kind: string, apiVersion: string): Partial<Canary['spec']> => ({
    targetRef: { apiVersion, kind, name: 'podinfo' },
  });
  const knative = targetOf('Service', 'serving.knative.dev/v1');
  const backFirst = 'with spec.revertOnDeletion it would take its traffic back first';
  const rows: Record<string, readonly [Partial<Canary['spec']>, string]> = {
    'its target stays without pods': [
      {},
      `${made} go, and Deployment podinfo stays without pods; ${backFirst}`,
    ],
    'so does a DaemonSet': [
      targetOf('DaemonSet', 'apps/v1'),
      `${made} go, and DaemonSet podinfo stays without pods; ${backFirst}`,
    ],
    'a Service has none': [
      targetOf('Service', 'v1'),
      `${made} go, and Service podinfo stays; ${backFirst}`,
    ],
    'Knative keeps its traffic': [
      knative,
      'traffic of Service podinfo stays where it is; with spec.revertOnDeletion it would follow the latest revision',
    ],
    'the target comes back first where it is to be undone': [
      { revertOnDeletion: true },
      `Deployment podinfo takes its traffic back, and then ${made} go`,
    ],
    'Knative’s traffic is set free': [
      { ...knative, revertOnDeletion: true },
      'traffic of Service podinfo will follow its latest revision',
    ],
  };
  const deleted = (canary: Canary) =>
    validate({ ...readRequest('canary-delete'), object: canary }, lookup);
  for (const [name, [spec, expected]] of Object.entries(rows)) {
    test(name, () => {
      const answer = deleted(podinfoCanary({ spec: { analysis, ...spec } }));
      assert.deepEqual(answer, { warnings: [`canary podinfo.test: ${expected}`] });
      assert.ok((answer.warnings[0] ?? '').length <= 256, 'clients cut what is longer');
    });
  }

  test('not while the target serves by itself, nor once more while it is undone', () => {
    const initializing = podinfoCanary({ status: { phase: 'Initializing' } });
    const { status: _, ...bare } = good;
    for (const canary of [initializing, bare, leaving]) {
      assert.deepEqual(deleted(canary), { warnings: [] });
    }
  });
});

suite('a cycle of dependencies', () => {
  const backend = withDependency(named('backend'), good.metadata.name);
  const knows: ValidationLookup = {
    ...lookup,
    canary: ({ name }) => (name === 'backend' ? backend : undefined),
  };
  const closing = withDependency(good, 'backend');

  test('is refused with the way around it', () => {
    const { denied } = validate({ ...updated, object: closing, oldObject: good }, knows);
    assert.match(
      denied ?? '',
      /spec\.dependsOn: .*podinfo\.test -> backend\.test -> podinfo\.test/,
    );
  });

  test('that was stored before is a warning: nobody is locked out', () => {
    const object = { ...closing, spec: { ...closing.spec, revertOnDeletion: true } };
    const { denied, warnings } = validate({ ...updated, object, oldObject: closing }, knows);
    assert.equal(denied, undefined);
    assert.match(warnings.join(), /each would wait for the next/);
  });

  test('is not what is not there yet, of which is warned', () => {
    const { denied, warnings } = validate({ ...created, object: closing }, lookup);
    assert.equal(denied, undefined);
    assert.match(warnings.join(), /spec\.dependsOn\[0\]: there is no canary backend/);
  });
});

function withDependency(canary: Canary, name: string): Canary {
  return { ...canary, spec: { ...canary.spec, dependsOn: [{ name }] } };
}
