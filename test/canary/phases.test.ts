/**
 * One look in each phase: every transition of `spec/01`, 1.10, and every row of its section 7 where
 * ours differ on purpose. Expectations: effects, status, what is said, in that order.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { CanaryAnalysis, CanaryStatus } from '../../src/api/canary.ts';
import { decide } from '../../src/canary/decide.ts';
import type { Observation, Stage } from '../../src/canary/observation.ts';
import {
  analysing,
  answering,
  canaryOf,
  gist,
  hashOf,
  hooks,
  idle,
  idOf,
  intervalMs,
  now,
  observationOf,
  revisionView,
  rolling,
  running,
  settling,
  split,
  stuck,
} from './builders.ts';

type Row = readonly [seen: Observation, expected: readonly string[], refused?: readonly Stage[]];

/** Everything that is asked is granted, except what the row names. */
const check = (name: string, rows: Readonly<Record<string, Row>>): void => {
  suite(name, () => {
    for (const [sentence, [seen, expected, refused = ['RollbackRequested']]] of Object.entries(
      rows,
    )) {
      test(sentence, () => {
        const { decision } = answering(decide, seen, (stage) => !refused.includes(stage));
        assert.deepEqual(gist(decision), expected);
      });
    }
  });
};

const status = (phase: CanaryStatus['phase'], more: Partial<CanaryStatus> = {}) => ({
  phase,
  ...more,
});
const changed = { revision: revisionView('v2', 'Changed') };
const reverted = { revision: revisionView('v1', 'Reverted') };
const { conditions: _, ...blank } = observationOf().canary.status ?? {};
const fresh: Observation = {
  ...observationOf({ target: running }),
  canary: {
    ...canaryOf(),
    status: { ...blank, phase: '', failedChecks: 0, canaryWeight: 0, iterations: 0 },
  },
  revision: revisionView('v1', 'Changed'),
};
const bare = (seen: Observation, ...keys: readonly (keyof Observation)[]): Observation => {
  const entries = Object.entries(seen).filter(([key]) => !keys.some((it) => it === key));
  return Object.fromEntries(entries) as unknown as Observation;
};
const initializing = (more: Partial<Observation> = {}): Observation => ({
  ...observationOf({ status: status('Initializing'), target: running }),
  revision: revisionView('v1', 'Changed'),
  ...more,
});

check("'' and Initializing", {
  '1: an object without conditions is being initialized': [
    bare(fresh, 'primary', 'split'),
    ['→ Initializing 0 0'],
  ],
  '2: a primary that is ready takes over; the idle side drains for an interval': [
    initializing(),
    ['Route 100:0', '→ Initialized 0 0 draining', 'Initialization done! podinfo.default'],
  ],
  'a primary that is not ready takes nothing over': [
    initializing({ primary: { ...running, readiness: rolling, revision: idOf('v1') } }),
    ['! rolling out', 'again +10s'],
  ],
  'a primary that has just become ready takes over once gateways know its pods': [
    initializing({ primary: { ...settling, revision: idOf('v1') } }),
    ['again +1s'],
  ],
  '3, D31: a primary that never will be ready takes nothing over either': [
    initializing({ primary: { ...running, readiness: stuck, revision: idOf('v1') } }),
    ['! past deadline', 'again +10s'],
  ],
  'a change before the primary is ready makes the newest revision the first': [
    initializing({ revision: revisionView('v2', 'Changed') }),
    ['Promote'],
  ],
  'a change cures a first revision that never gets ready': [
    initializing({
      primary: { ...running, readiness: stuck, revision: idOf('v1') },
      revision: revisionView('v2', 'Changed'),
    }),
    ['Promote'],
  ],
  'D34: skipAnalysis waits for the primary as well': [
    {
      ...initializing({ primary: { ...running, readiness: rolling, revision: idOf('v1') } }),
      canary: {
        ...initializing().canary,
        spec: { ...canaryOf().spec, skipAnalysis: true },
      },
    },
    ['! rolling out', 'again +10s'],
  ],
});

const autoscalerRef = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  name: 'podinfo',
};
const scaled = canaryOf({}, { autoscalerRef });
const gated = canaryOf({ webhooks: hooks('confirm-rollout') });
const killable = canaryOf({ webhooks: hooks('confirm-rollout', 'rollback') });
const startsUp = [
  'Route 100:0',
  '→ Progressing 0 0',
  'New revision detected! Scaling up podinfo.default',
];
const serving = { ...running, revision: idOf('v2') };
const alone = (more: Partial<Observation>, phase: CanaryStatus['phase'] = 'Failed') =>
  observationOf({
    status: status(phase, {
      canaryWeight: 100,
      lastAppliedSpec: hashOf('v2'),
      lastPromotedSpec: hashOf('v2'),
    }),
    target: running,
    primary: { ...serving, readiness: stuck },
    more: { split: split(100), revision: revisionView('v2', 'Unchanged'), ...more },
  });

check('Initialized, Succeeded and Failed', {
  'nothing is done while nothing changes, and no time is set': [observationOf(), ['Route 100:0']],
  'D25: nothing begins beside a primary that somebody scaled to zero': [
    observationOf({ more: { ...changed, primary: idle } }),
    [
      'Route 100:0',
      '! halt podinfo.default advancement: primary deployment is scaled to zero',
      'again +10s',
    ],
  ],
  'D25: an autoscaler may take the primary to zero': [
    observationOf({ canary: scaled, more: { ...changed, primary: idle } }),
    startsUp,
  ],
  '5: a change is acknowledged, and Progressing brings the target up': [
    observationOf({ more: changed }),
    startsUp,
  ],
  '5: from Initialized': [
    observationOf({ status: status('Initialized'), more: changed }),
    startsUp,
  ],
  '5: from Failed': [observationOf({ status: status('Failed'), more: changed }), startsUp],
  '5: a change ends the draining': [
    observationOf({ status: status('Failed', { draining: true }), more: changed }),
    startsUp,
  ],
  '4: a gate that is shut': [
    observationOf({ canary: gated, more: changed }),
    ['Route 100:0', '→ Waiting 0 0', 'again +10s'],
    ['ConfirmRollout'],
  ],
  '5: a gate that is open': [observationOf({ canary: gated, more: changed }), startsUp],
  'D2: a primary that is not ready delays the start, and loses nothing': [
    observationOf({ status: status('Failed'), primary: { readiness: rolling }, more: changed }),
    ['Route 100:0', '! rolling out', 'again +10s'],
  ],
  '12: a primary that never will be ready fails the change': [
    observationOf({ primary: { readiness: stuck }, more: changed }),
    [
      'Route 100:0',
      'ScaleTarget 0',
      '→ Failed 0 0',
      '! past deadline',
      '! Rolling back podinfo.default progress deadline exceeded past deadline',
      '! Canary failed! Scaling down podinfo.default',
    ],
  ],
  'invariant 2: not even where the primary has no pods does an unknown revision get traffic': [
    observationOf({
      status: status('Failed', { draining: true }),
      target: running,
      primary: { availablePods: 0, readiness: stuck },
      more: changed,
    }),
    [
      'Route 100:0',
      '→ Failed 0 0 draining',
      '! past deadline',
      '! Rolling back podinfo.default progress deadline exceeded past deadline',
      '! Canary failed! Scaling down podinfo.default',
    ],
  ],
  'a change that is taken back after a failure leaves it failed': [
    observationOf({ status: status('Failed', { lastAppliedSpec: hashOf('v2') }), more: reverted }),
    ['Route 100:0', '→ Failed 0 0'],
  ],
  'what drains stays for an interval': [
    observationOf({
      status: status('Failed', { draining: true }),
      more: { transitionAtMs: now.steadyMs - 4000 },
    }),
    ['Route 100:0', 'again +6s'],
  ],
  'what has drained is scaled down': [
    observationOf({ status: status('Failed', { draining: true }) }),
    ['Route 100:0', 'ScaleTarget 0', '→ Failed 0 0'],
  ],
  'D1: after a failed promotion traffic stays on the canary': [alone({}), ['Route 0:100']],
  'D1: a fix is rolled out though the primary is broken': [
    alone({ revision: revisionView('v3', 'Changed') }),
    ['Route 0:100', '→ Progressing 100 0', 'New revision detected! Scaling up podinfo.default'],
  ],
  'a primary that is ready again after all takes the traffic back': [
    alone({ primary: serving }),
    ['Route 100:0', '→ Failed 0 0 draining', 'Routing all traffic to primary'],
  ],
  'and before a newer revision is looked at': [
    alone({ primary: serving, revision: revisionView('v3', 'Changed') }),
    ['Route 100:0', '→ Failed 0 0 draining', 'Routing all traffic to primary'],
  ],
  'hashes that nobody changed are taken over, and nothing starts': [
    observationOf({ more: { revision: revisionView('v2', 'Adopt') } }),
    ['→ Succeeded 0 0', 'again +0s'],
  ],
});

const waiting = (more: Partial<Observation>, canary = gated) =>
  observationOf({ canary, status: status('Waiting'), more: { ...changed, ...more } });

check('Waiting', {
  'the gate is asked once an interval': [
    waiting({ beatAtMs: now.steadyMs - 3000 }),
    ['Route 100:0', 'again +7s'],
  ],
  'a refusal is not said again': [waiting({}), ['Route 100:0', 'again +10s'], ['ConfirmRollout']],
  '5: the gate opens': [waiting({}), startsUp],
  'D16: a change that is taken back ends the wait': [
    waiting({ revision: revisionView('v1', 'Unchanged') }),
    ['Route 100:0', '→ Succeeded 0 0'],
  ],
  'D16: and so it does when the status remembers another': [
    observationOf({
      canary: gated,
      status: status('Waiting', { lastAppliedSpec: hashOf('v2') }),
      more: reverted,
    }),
    ['Route 100:0', '→ Succeeded 0 0'],
  ],
  'what failed by its configuration does not succeed when it is applied again (seed 14380)': [
    waiting({ revision: { ...revisionView('v1', 'Unchanged'), id: 'v1 with another ConfigMap' } }),
    startsUp,
  ],
  'D16: after a failed promotion the phase before it was Failed': [
    {
      ...alone({}, 'Waiting'),
      canary: { ...alone({}, 'Waiting').canary, spec: gated.spec },
    },
    ['Route 0:100', '→ Failed 100 0'],
  ],
  'D15, M-12: a rollback hook ends the wait': [
    waiting({}, killable),
    [
      'Route 100:0',
      'ScaleTarget 0',
      '→ Failed 0 0',
      '! Rolling back podinfo.default manual webhook invoked',
      '! Canary failed! Scaling down podinfo.default',
    ],
    ['ConfirmRollout'],
  ],
  'D15: a rollback hook that does not consent leaves the gate to decide': [
    waiting({}, killable),
    startsUp,
  ],
});

const judged: CanaryAnalysis = {
  threshold: 2,
  stepWeight: 10,
  maxWeight: 30,
  webhooks: hooks('rollout'),
};
const at = (canaryWeight: number, more: Partial<CanaryStatus> = {}, analysis = judged) =>
  analysing({ canary: canaryOf(analysis), status: { canaryWeight, ...more } });
function withoutPrimary(seen: Observation): Observation {
  const { primary: _, ...others } = seen;
  return others;
}
const ends = (split: string, draining: boolean, ...said: readonly string[]) => [
  `Route ${split}`,
  ...(draining ? [] : ['ScaleTarget 0']),
  `→ Failed 0 0${draining ? ' draining' : ''}`,
  ...said,
  '! Canary failed! Scaling down podinfo.default',
];
const late = [
  '! past deadline',
  '! Rolling back podinfo.default progress deadline exceeded past deadline',
];
const copied = 'Copying podinfo.default template spec to podinfo-primary.default';

check('Progressing', {
  'the first step is taken as soon as the canary is ready': [
    { ...at(0), transitionAtMs: now.steadyMs },
    [
      'Route 90:10',
      '→ Progressing 10 0',
      'Starting canary analysis for podinfo.default',
      'Advance podinfo.default canary weight 10',
    ],
  ],
  'it is not taken before gateways know its pods': [
    { ...at(0), transitionAtMs: now.steadyMs, target: settling },
    ['Route 100:0', 'again +1s'],
  ],
  'between two verdicts nothing moves': [
    { ...at(10), beatAtMs: now.steadyMs - 4000 },
    ['Route 90:10', 'again +6s'],
  ],
  'a verdict is asked for when it is due': [
    at(10),
    ['Route 80:20', '→ Progressing 20 0', 'Advance podinfo.default canary weight 20'],
  ],
  'a failed check is counted, and looked at once more at once': [
    at(10),
    ['Route 90:10', '→ Progressing 10 0 failed=1', 'again +0s'],
    ['Analysis', 'RollbackRequested'],
  ],
  '11: the threshold is reached': [
    at(10, { failedChecks: 2 }),
    ends('100:0', true, '! Rolling back podinfo.default failed checks threshold reached 2'),
  ],
  '11: and stays reached where a process took the pods away and never heard that it did (seed 12426)':
    [
      analysing({ status: { failedChecks: 2 }, target: idle }),
      [
        'Route 100:0',
        'ScaleTarget 0',
        '→ Failed 0 0',
        '! Rolling back podinfo.default failed checks threshold reached 2',
        '! Canary failed! Scaling down podinfo.default',
      ],
    ],
  '11: at weight 0 there is nothing to drain': [
    at(0, { failedChecks: 2 }),
    ends('100:0', false, '! Rolling back podinfo.default failed checks threshold reached 2'),
  ],
  '11: a process that ended after it took the traffic away still drains': [
    { ...at(10, { failedChecks: 2 }), split: split(0) },
    ends('100:0', true, '! Rolling back podinfo.default failed checks threshold reached 2'),
  ],
  '11: a rollback hook consents': [
    at(10, {}, { ...judged, webhooks: hooks('rollback') }),
    ends('100:0', true, '! Rolling back podinfo.default manual webhook invoked'),
    [],
  ],
  '6: a newer revision restarts from weight 0': [
    { ...at(20, { failedChecks: 1 }), revision: revisionView('v3', 'Changed') },
    [
      'Route 100:0',
      '→ Progressing 0 0',
      'New revision detected! Restarting analysis for podinfo.default',
    ],
  ],
  '6: nor does it send traffic to a primary that somebody has deleted (seed 104009)': [
    { ...withoutPrimary(at(20)), revision: revisionView('v3', 'Changed') },
    ['Route 80:20', 'again +10s'],
  ],
  'no verdict is asked for while there is no primary': [
    withoutPrimary(at(20)),
    ['Route 80:20', 'again +10s'],
  ],
  'D25: it halts while the primary is scaled to zero': [
    { ...at(20), primary: idle },
    [
      'Route 80:20',
      '! halt podinfo.default advancement: primary deployment is scaled to zero',
      'again +10s',
    ],
  ],
  '6: nor does it send traffic to a primary that has just lost its pods': [
    {
      ...at(20),
      revision: revisionView('v3', 'Changed'),
      primary: { ...running, availablePods: 0, readiness: rolling },
    },
    ['Route 80:20', '! rolling out', 'again +10s'],
  ],
  'D3: the promoted revision is back: cancelled': [
    { ...at(20), ...reverted },
    [
      'Route 100:0',
      '→ Succeeded 0 0 draining',
      'Promoted revision restored! Canceling analysis for podinfo.default',
    ],
  ],
  '8: promoted at the maximum': [at(30), ['Promote', '→ Promoting 30 0', copied]],
  '13: a canary that never will be ready': [
    { ...at(10), target: { ...running, readiness: stuck } },
    ends('100:0', true, ...late),
  ],
  '12: a primary that never will be ready': [
    { ...at(10), primary: { ...running, readiness: stuck } },
    ends('100:0', true, ...late),
  ],
  'a canary that is not ready is waited for, and counts nothing': [
    { ...at(10), target: { ...running, readiness: rolling } },
    ['Route 90:10', '! rolling out', 'again +10s'],
  ],
  'pods of a canary that was just scaled down are on their way out (seed 5092)': [
    { ...at(10), target: { ...running, replicas: 0 } },
    ['ScaleTarget 2', 'Route 90:10', '! waiting for the canary to have pods', 'again +10s'],
  ],
  'a canary without pods is not ready, and is brought up': [
    { ...at(10), target: idle },
    ['ScaleTarget 2', 'Route 90:10', '! waiting for the canary to have pods', 'again +10s'],
  ],
  'invariant 2: a canary that failed gets no more traffic where the primary has no pods': [
    {
      ...at(10, { failedChecks: 2 }),
      primary: { ...running, availablePods: 0, readiness: stuck },
    },
    ['Route 90:10', '→ Failed 10 0', ...late],
  ],
  'a step that was routed when the process ended is written down, not judged again': [
    { ...at(10), split: split(20), beatAtMs: now.steadyMs },
    ['Route 80:20', '→ Progressing 20 0', 'Advance podinfo.default canary weight 20'],
  ],
  'a weight that no step leads to is taken back': [
    { ...at(10), split: split(95), beatAtMs: now.steadyMs },
    ['Route 90:10', 'again +10s'],
  ],
  'a weight that somebody lowered is where it goes on': [
    { ...at(20), split: split(5) },
    [
      'Route 95:5',
      '→ Progressing 5 0',
      '! Weight of podinfo.default was lowered to 5 by hand, going on from there',
    ],
  ],
  'a primary that was updated when the process ended is promoted, ready or not': [
    { ...at(30), primary: { ...running, readiness: rolling, revision: idOf('v2') } },
    ['Promote', '→ Promoting 30 0', copied],
  ],
  '14: nor does a crash make of a failed promotion a failed analysis': [
    { ...at(30), primary: { ...running, readiness: stuck, revision: idOf('v2') } },
    ['Promote', '→ Promoting 30 0', copied],
  ],
  '15: skipAnalysis copies at once': [
    analysing({ canary: canaryOf(judged, { skipAnalysis: true }) }),
    ['Promote', '→ Promoting 0 0', copied],
  ],
  'D12: a weight that is no longer in stepWeights goes on with the next larger one': [
    at(10, {}, { stepWeights: [5, 15, 60] }),
    ['Route 85:15', '→ Progressing 15 0', 'Advance podinfo.default canary weight 15'],
  ],
  'a mirror stage comes before the first weight': [
    analysing({ canary: canaryOf({ stepWeight: 10, mirror: true }) }),
    [
      'Route 100:0 mirrored',
      '→ Progressing 0 0',
      'Starting canary analysis for podinfo.default',
      'Advance podinfo.default canary weight 0',
    ],
  ],
  'and ends with the first weight': [
    analysing({
      canary: canaryOf({ stepWeight: 10, mirror: true }),
      more: { split: split(0, true) },
    }),
    ['Route 90:10', '→ Progressing 10 0', 'Advance podinfo.default canary weight 10'],
  ],
  'D35: where routes cannot show mirroring the stage is skipped, with a warning': [
    analysing({
      canary: canaryOf({ stepWeight: 10, mirror: true }),
      more: { abilities: { weights: true, mirroring: false } },
    }),
    [
      'Route 90:10',
      '→ Progressing 10 0',
      'Starting canary analysis for podinfo.default',
      '! Traffic mirroring is not supported when using the istio provider',
      'Advance podinfo.default canary weight 10',
    ],
  ],
  'no step is set: it says so, and looks again': [
    analysing({ canary: canaryOf({ stepWeight: 0 }) }),
    [
      'Route 100:0',
      'Starting canary analysis for podinfo.default',
      '! Halt podinfo.default advancement: set analysis.stepWeight, stepWeights or iterations',
      'again +10s',
    ],
  ],
});

const blueGreen: CanaryAnalysis = { threshold: 2, iterations: 2, webhooks: hooks('rollout') };
const ab: CanaryAnalysis = { ...blueGreen, match: [{ headers: { x: { exact: 'y' } } }] };
const iterating = (iterations: number, canary: number, analysis = blueGreen) => ({
  ...at(0, { iterations }, analysis),
  split: split(canary),
});
const shipping: CanaryAnalysis = { ...judged, webhooks: hooks('confirm-promotion') };

check('strategies and gates', {
  'a traffic gate that is shut freezes the weight, and is asked an interval later': [
    at(10, {}, { ...judged, webhooks: hooks('confirm-traffic-increase') }),
    ['Route 90:10', 'again +10s'],
    ['ConfirmTrafficIncrease'],
  ],
  '7, D13: a promotion gate that is shut keeps weight and iterations': [
    at(30, {}, shipping),
    ['Route 70:30', '→ WaitingPromotion 30 0', 'again +10s'],
    ['ConfirmPromotion'],
  ],
  '7: and is asked again an interval later, without a word': [
    at(30, { phase: 'WaitingPromotion' }, shipping),
    ['Route 70:30', 'again +10s'],
    ['ConfirmPromotion'],
  ],
  '8: the promotion gate opens': [
    at(30, { phase: 'WaitingPromotion' }, shipping),
    ['Promote', '→ Promoting 30 0', copied],
  ],
  '11: checks count while promotion waits': [
    at(30, { phase: 'WaitingPromotion', failedChecks: 2 }, shipping),
    ends('100:0', true, '! Rolling back podinfo.default failed checks threshold reached 2'),
  ],
  '6: a newer revision ends the wait for promotion': [
    {
      ...at(30, { phase: 'WaitingPromotion' }, shipping),
      revision: revisionView('v3', 'Changed'),
    },
    [
      'Route 100:0',
      '→ Progressing 0 0',
      'New revision detected! Restarting analysis for podinfo.default',
    ],
  ],
  'D14: blue/green switches behind the gate': [
    iterating(2, 0, { ...blueGreen, webhooks: hooks('confirm-promotion') }),
    ['Route 0:100', '→ Progressing 0 3', 'Routing all traffic to canary'],
  ],
  'D14: and does not ask again behind the switch': [
    iterating(3, 100, { ...blueGreen, webhooks: hooks('confirm-promotion') }),
    ['Promote', '→ Promoting 0 3', copied],
    ['ConfirmPromotion'],
  ],
  'D36: blue/green with fewer iterations than were made still switches first': [
    iterating(5, 0),
    ['Route 0:100', '→ Progressing 0 6', 'Routing all traffic to canary'],
  ],
  'D36: A/B with fewer iterations than were made is promoted': [
    iterating(5, 100, ab),
    ['Promote', '→ Promoting 0 5', copied],
  ],
  'D1: blue/green iterates on the canary where it serves alone': [
    {
      ...at(100, { iterations: 1 }, blueGreen),
      primary: { ...running, readiness: stuck },
    },
    ['Route 0:100', '→ Progressing 100 2', 'Advance podinfo.default canary iteration 2/2'],
  ],
  'D1: and asks the promotion gate all the same': [
    {
      ...at(100, { iterations: 2 }, { ...blueGreen, webhooks: hooks('confirm-promotion') }),
      primary: { ...running, readiness: stuck },
    },
    ['Route 0:100', '→ WaitingPromotion 100 2', 'again +10s'],
    ['ConfirmPromotion'],
  ],
  'D1: a fix that fails as well leaves traffic where it is': [
    { ...at(100, { failedChecks: 2 }), primary: { ...running, readiness: stuck } },
    [
      'Route 0:100',
      '→ Failed 100 0',
      '! Rolling back podinfo.default failed checks threshold reached 2',
    ],
  ],
});

const promoting = (canaryWeight: number, more: Partial<Observation> = {}, analysis = judged) => ({
  ...at(canaryWeight, { phase: 'Promoting', lastPromotedSpec: hashOf('v2') }, analysis),
  primary: serving,
  ...more,
});
const finalising = (more: Partial<Observation> = {}) => ({
  ...at(0, {
    phase: 'Finalising',
    lastPromotedSpec: hashOf('v2'),
    draining: true,
  }),
  primary: serving,
  ...more,
});
const stepped: CanaryAnalysis = { ...judged, stepWeightPromotion: 20 };
const failedPromotion = (weight: number) => [
  `Route ${100 - weight}:${weight}`,
  `→ Failed ${weight} 0`,
  '! Promotion of podinfo.default failed, primary not ready: past deadline',
];

check('Promoting', {
  'the primary is waited for': [
    promoting(30, { primary: { ...serving, readiness: rolling } }),
    ['Route 70:30', '! rolling out', 'again +10s'],
  ],
  '9: the traffic returns once gateways know its new pods': [
    promoting(30, { primary: { ...serving, ...settling } }),
    ['Route 70:30', 'again +1s'],
  ],
  '9: the traffic returns as soon as it is ready': [
    promoting(30),
    ['Route 100:0', '→ Finalising 0 0 draining', 'Routing all traffic to primary'],
  ],
  '9: though the canary is not': [
    promoting(30, { target: { ...running, readiness: stuck } }),
    ['Route 100:0', '→ Finalising 0 0 draining', 'Routing all traffic to primary'],
  ],
  'in steps, one an interval': [
    promoting(30, {}, stepped),
    ['Route 90:10', '→ Promoting 10 0', 'Advance podinfo.default primary weight 90'],
  ],
  'in steps, not before the interval is over': [
    promoting(30, { transitionAtMs: now.steadyMs - 1000 }, stepped),
    ['Route 70:30', 'again +9s'],
  ],
  'the last step': [
    promoting(10, {}, stepped),
    ['Route 100:0', '→ Finalising 0 0 draining', 'Advance podinfo.default primary weight 100'],
  ],
  'D4: routes that are back at the primary already are the end of the shift': [
    promoting(30, { split: split(0) }, stepped),
    ['Route 100:0', '→ Finalising 0 0 draining', 'Routing all traffic to primary'],
  ],
  'D4: nor are they given back to the canary while the primary rolls': [
    promoting(30, { split: split(0), primary: { ...serving, readiness: rolling } }),
    ['Route 100:0', '! rolling out', 'again +10s'],
  ],
  'a step that was routed when the process ended is not undone': [
    promoting(30, { split: split(10), transitionAtMs: now.steadyMs - 1000 }, stepped),
    ['Route 90:10', 'again +9s'],
  ],
  '14: the primary never will be ready': [
    promoting(30, { primary: { ...serving, readiness: stuck } }),
    failedPromotion(100),
  ],
  '14: and the canary has no pods either: routes say what the status says': [
    promoting(30, { primary: { ...serving, readiness: stuck }, target: idle }),
    failedPromotion(0),
  ],
  'D17: a newer revision gets no traffic': [
    promoting(30, {
      revision: revisionView('v3', 'Changed'),
      primary: { ...serving, readiness: rolling },
    }),
    ['Route 100:0', '→ Finalising 0 0 draining', 'Routing all traffic to primary'],
  ],
  '14, D17: a newer revision gets no more traffic than it has where the primary has no pods': [
    promoting(30, {
      revision: revisionView('v3', 'Changed'),
      primary: { ...serving, availablePods: 0, readiness: stuck },
    }),
    failedPromotion(30),
  ],
});

check('Finalising', {
  'connections drain for an interval': [
    finalising({ transitionAtMs: now.steadyMs - 3000 }),
    ['Route 100:0', 'again +7s'],
  ],
  '10: then the idle side goes': [
    finalising(),
    [
      'Route 100:0',
      'ScaleTarget 0',
      '→ Succeeded 0 0',
      'Promotion completed! Scaling down podinfo.default',
    ],
  ],
  'not before the primary is ready again': [
    finalising({ primary: { ...serving, readiness: rolling } }),
    ['Route 100:0', '! rolling out', 'again +10s'],
  ],
  '14: a primary that breaks now gives the traffic back to the canary': [
    finalising({ primary: { ...serving, readiness: stuck } }),
    failedPromotion(100),
  ],
  '14, D17: but not to a newer revision': [
    finalising({
      primary: { ...serving, readiness: stuck },
      revision: revisionView('v3', 'Changed'),
    }),
    failedPromotion(0),
  ],
});

const deleted = (seen: Observation, finalizers: readonly string[]): Observation => ({
  ...seen,
  canary: {
    ...seen.canary,
    metadata: { ...seen.canary.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers },
    spec: { ...seen.canary.spec, revertOnDeletion: true },
  },
});
const finalizer = ['finalizer.flagger.app'];
const terminating = (seen: Partial<Observation> = {}) =>
  deleted({ ...observationOf({ status: status('Terminating') }), ...seen }, finalizer);

const optedOut = (seen: Observation): Observation => ({
  ...seen,
  canary: { ...seen.canary, spec: { ...seen.canary.spec, revertOnDeletion: false } },
});
const givingUp =
  'Deleting podinfo.default waits until podinfo.default is ready; ' +
  'set spec.revertOnDeletion to false to delete it without giving traffic back';

check('what comes before the phase', {
  'revertOnDeletion has a finalizer': [
    observationOf({ canary: canaryOf({}, { revertOnDeletion: true }) }),
    ['EnsureFinalizer true'],
  ],
  'without revertOnDeletion a deletion undoes nothing': [deleted(observationOf(), []), []],
  '16: a deletion that is to be undone': [
    deleted(observationOf(), finalizer),
    ['→ Terminating 0 0', 'Terminating canary podinfo.default'],
  ],
  '16: whatever the phase': [
    deleted(at(20), finalizer),
    ['→ Terminating 20 0', 'Terminating canary podinfo.default'],
  ],
  'the target is brought up first': [terminating(), ['ScaleTarget 2']],
  'then it is waited for': [
    terminating({ target: { ...running, readiness: rolling } }),
    ['! rolling out', `! ${givingUp}`, 'again +10s'],
  ],
  'and gateways learn of its pods first': [terminating({ target: settling }), ['again +1s']],
  'who does not want to wait takes revertOnDeletion back': [
    optedOut(terminating({ target: { ...running, readiness: stuck } })),
    ['EnsureFinalizer false', 'Terminated canary podinfo.default'],
  ],
  'then traffic returns to it, and the canary may go': [
    terminating({ target: running }),
    [
      'RevertService',
      'RevertRoute',
      'ReleaseTarget',
      'EnsureFinalizer false',
      'Terminated canary podinfo.default',
    ],
  ],
  'a suspended canary is left alone, mid-analysis too': [
    { ...at(10), canary: { ...at(10).canary, spec: { ...at(10).canary.spec, suspend: true } } },
    ['skipping canary run as object is suspended'],
  ],
  'D22: what somebody must put right is a condition and an event, and nothing else': [
    { ...at(10), problem: { reason: 'TargetMissing', message: 'no such deployment' } },
    ['→ Progressing 10 0', '! no such deployment'],
  ],
});

test('the interval that idle pods stay is the canary’s own', () => {
  const seen = observationOf({
    canary: canaryOf({ interval: '1m' }),
    status: { phase: 'Failed', draining: true },
  });
  assert.deepEqual(gist(decide(seen, now)), ['Route 100:0', `again +${60 - intervalMs / 1000}s`]);
});

test('an approval is not used twice: another run of the same revision is asked about again', () => {
  const canary = canaryOf({ webhooks: hooks('pre-rollout') });
  const first = analysing({ canary });
  const { question } = decide(first, now);
  assert.equal(question?.stage, 'PreRollout');
  const answers = { PreRollout: { id: question.id, passed: true, sayings: [] } };
  assert.equal(decide({ ...first, answers }, now).question, undefined);
  const again = { ...first, answers, transitionAtMs: first.transitionAtMs + 5000 };
  assert.equal(decide(again, now).question?.stage, 'PreRollout');
});

test('the first verdict starts the cadence; a late one starts it anew, a little late one keeps it', () => {
  const beat = (seen: Observation) => answering(decide, seen, () => true).decision.beatAtMs;
  const canary = canaryOf({ stepWeight: 10 });
  const first = analysing({ canary, more: { transitionAtMs: now.steadyMs - 4000 } });
  const late = (ms: number) =>
    analysing({
      canary,
      status: { canaryWeight: 10 },
      more: { beatAtMs: now.steadyMs - intervalMs - ms },
    });
  assert.equal(beat(first), now.steadyMs);
  assert.equal(beat(late(4000)), now.steadyMs - 4000);
  assert.equal(beat(late(6000)), now.steadyMs);
});

test('a mirror stage lasts an interval, whoever leads by then', () => {
  const canary = canaryOf({ stepWeight: 10, mirror: true });
  const seen = analysing({
    canary,
    more: { split: split(0, true), transitionAtMs: now.steadyMs - 2000 },
  });
  assert.deepEqual(gist(decide(seen, now)), ['Route 100:0 mirrored', 'again +8s']);
});
