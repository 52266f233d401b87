/** Whether a rollout can begin, go on and end as its author expects. */
import type { CanaryWebhook } from '../../api/canary.ts';
import { analysisIntervalMs, progressDeadlineMs, skipsAnalysis } from '../../api/defaults.ts';
import { formatDuration, parseDuration } from '../../api/duration.ts';
import { maxWeight } from '../../canary/plan.ts';
import type { Scenario } from '../scenario.ts';
import type { AdviceFinding, AdviceRule, AdviceSubject } from './advice.ts';
import { plannedMs, plannedWeights } from './plan.ts';

export const rolloutRules: readonly AdviceRule[] = [
  {
    id: 'deadline-before-readiness',
    means: 'The rollout is given up while its pods are still starting as they always do.',
    todo: 'Set progressDeadlineSeconds to several times what pods take to become ready.',
    check: deadlineBeforeReadiness,
  },
  {
    id: 'no-readiness-probe',
    means: 'Pods count as ready as soon as they run: users meet them before they can answer.',
    todo: 'Give each container that serves requests a readinessProbe.',
    check: noReadinessProbe,
  },
  {
    id: 'gate-unanswered',
    means:
      'A gate has no deadline: the rollout waits, with the traffic it has, until somebody opens ' +
      'it or asks for a rollback.',
    todo: 'Make sure that somebody is told (an alert, an event webhook) and may open it.',
    check: gateUnanswered,
  },
  {
    id: 'hook-above-interval',
    means: 'A hook that answers late, or is tried again, holds up the verdict it belongs to.',
    todo: 'Lower timeout and retries, or raise analysis.interval.',
    check: hookAboveInterval,
  },
  {
    id: 'first-step-is-big',
    means: 'Half of the users or more meet the revision before a metric has been looked at.',
    todo: 'Begin with a small weight: stepWeights such as [5, 20, 50].',
    check: firstStepIsBig,
  },
  {
    id: 'promoted-in-one-jump',
    means:
      'After the analysis the rest of the traffic meets the new revision in one moment, on pods ' +
      'of the primary that have just started.',
    todo: 'Set analysis.stepWeightPromotion to move it step by step.',
    check: promotedInOneJump,
  },
  {
    id: 'rollout-outlasts-next-revision',
    means:
      'The next revision restarts the analysis before it can end: while they come so fast, none ' +
      'is promoted.',
    todo: 'Shorten the rollout (fewer steps, a shorter interval), or deploy less often.',
    check: outlastsNextRevision,
  },
  {
    id: 'rollout-takes-long',
    means: 'Most revisions will be replaced, or forgotten, before their rollout ends.',
    todo: 'Take fewer or bigger steps, fewer iterations, or a shorter interval.',
    check: takesLong,
  },
  {
    id: 'autoscaler-not-referenced',
    means:
      'The autoscaler scales the target, which is idle most of the time; the primary, which serves, is never scaled.',
    todo: 'Name the HorizontalPodAutoscaler in spec.autoscalerRef.',
    check: autoscalerNotReferenced,
  },
];

/** The longest start of pods among revisions that become ready. */
function readyAfterMs({ revisions }: Scenario): number {
  const times = [...revisions.values()].map(({ pods }) =>
    pods.kind === 'Never' ? 0 : pods.afterMs,
  );
  return Math.max(0, ...times);
}

function* deadlineBeforeReadiness(subject: AdviceSubject): Iterable<AdviceFinding> {
  const { canary, scenario, deployment } = subject;
  const { minReadySeconds = 0, progressDeadlineSeconds } = deployment?.spec ?? {};
  const takenMs = readyAfterMs(scenario) + minReadySeconds * 1000;
  const deadlines = [
    { path: 'spec.progressDeadlineSeconds', ms: progressDeadlineMs(canary), of: 'the Canary' },
    {
      path: 'spec.progressDeadlineSeconds',
      ms: (progressDeadlineSeconds ?? 600) * 1000,
      of: 'the Deployment',
    },
  ];
  for (const { path, ms, of } of deadlines) {
    if (ms > takenMs) continue;
    const found = `${of} gives up after ${formatDuration(ms)}, pods take ${formatDuration(takenMs)} to become available`;
    yield { path, found };
  }
}

function* noReadinessProbe({ deployment, canary }: AdviceSubject): Iterable<AdviceFinding> {
  for (const [index, container] of (deployment?.spec.template.spec.containers ?? []).entries()) {
    // The type names only the fields that the controller reads.
    if ('readinessProbe' in container) continue;
    if ((container.ports ?? []).length === 0) continue;
    const path = `spec.template.spec.containers[${index}]`;
    const { name } = canary.spec.targetRef;
    yield {
      path,
      found: `container ${container.name} of Deployment ${name} has ports and no probe`,
    };
  }
}

const gates = new Set(['confirm-rollout', 'confirm-traffic-increase', 'confirm-promotion']);

function* gateUnanswered({ canary, scenario }: AdviceSubject): Iterable<AdviceFinding> {
  for (const [index, hook] of (canary.spec.analysis?.webhooks ?? []).entries()) {
    const { name, type = '' } = hook;
    if (!gates.has(type)) continue;
    const replies = scenario.hooks.get(name) ?? scenario.hooks.get(type);
    const path = `spec.analysis.webhooks[${index}]`;
    if (replies === undefined) {
      const found = `the scenario says nothing of gate ${name}: it is rehearsed as open`;
      yield { path, found };
    } else if (!replies.some(({ value }) => value.kind === 'Accepts')) {
      yield { path, found: `gate ${name} stays closed for the whole scenario` };
    }
  }
}

/** As `hooks/call-hook.ts` has them. */
const hookTimeoutDefault = '10s';
const backOffMsMin = 1_000;
const backOffMsMax = 30_000;

function longestCallMs({ timeout, retries = 0 }: CanaryWebhook): number {
  const given = parseDuration(timeout || hookTimeoutDefault);
  let totalMs = given.ok ? given.ms : 0;
  for (let retry = 0; retry < Math.min(retries, 100); retry += 1) {
    totalMs += Math.min(backOffMsMin * 2 ** retry, backOffMsMax) + (given.ok ? given.ms : 0);
  }
  return totalMs;
}

function* hookAboveInterval({ canary }: AdviceSubject): Iterable<AdviceFinding> {
  const intervalMs = analysisIntervalMs(canary);
  for (const [index, hook] of (canary.spec.analysis?.webhooks ?? []).entries()) {
    if ((hook.type || 'rollout') !== 'rollout') continue;
    const longestMs = longestCallMs(hook);
    if (longestMs <= intervalMs) continue;
    const found = `hook ${hook.name} may take ${formatDuration(longestMs)}, a verdict is due every ${formatDuration(intervalMs)}`;
    yield { path: `spec.analysis.webhooks[${index}]`, found };
  }
}

const bigWeight = 50;

function* firstStepIsBig(subject: AdviceSubject): Iterable<AdviceFinding> {
  const first = plannedWeights(subject)[0] ?? 0;
  if (first < bigWeight) return;
  const { stepWeights } = subject.canary.spec.analysis ?? {};
  const path = `spec.analysis.${stepWeights === undefined ? 'stepWeight' : 'stepWeights[0]'}`;
  yield { path, found: `the first step is weight ${first}` };
}

function* promotedInOneJump(subject: AdviceSubject): Iterable<AdviceFinding> {
  const { canary } = subject;
  if (plannedWeights(subject).length === 0) return;
  if ((canary.spec.analysis?.stepWeightPromotion ?? 0) > 0) return;
  const highest = maxWeight(canary);
  const found =
    highest < 100
      ? `the rollout ends at weight ${highest}, and promotion moves 100% back to the primary at once`
      : 'promotion moves all traffic from the canary back to the primary at once';
  yield { path: 'spec.analysis.stepWeightPromotion', found };
}

function* outlastsNextRevision(subject: AdviceSubject): Iterable<AdviceFinding> {
  const wholeMs = plannedMs(subject);
  const deployed = subject.scenario.actions.filter(({ kind }) => kind !== 'PatchCanary');
  for (const [index, { atMs }] of deployed.slice(1).entries()) {
    const gapMs = atMs - (deployed[index]?.atMs ?? 0);
    if (gapMs >= wholeMs) continue;
    const found = `an analysis takes ${formatDuration(wholeMs)}, the next revision comes after ${formatDuration(gapMs)}`;
    yield { path: 'spec.analysis', found };
    return;
  }
}

const longMs = 4 * 3_600_000;

function* takesLong(subject: AdviceSubject): Iterable<AdviceFinding> {
  const wholeMs = plannedMs(subject);
  if (skipsAnalysis(subject.canary) || wholeMs <= longMs) return;
  yield { path: 'spec.analysis', found: `a good rollout takes ${formatDuration(wholeMs)}` };
}

function* autoscalerNotReferenced({ canary, autoscaler }: AdviceSubject): Iterable<AdviceFinding> {
  if (autoscaler === undefined || canary.spec.autoscalerRef !== undefined) return;
  const found = `HorizontalPodAutoscaler ${autoscaler.metadata.name} scales the target`;
  yield { path: 'spec.autoscalerRef', found };
}
