/** What a rehearsal has come to, from what was recorded of it. */
import { effectiveProvider, supportedProviders } from '../api/providers.ts';
import type { AdviceSubject } from './advice/advice.ts';
import { advise } from './advice/advice.ts';
import type { RehearsalInput } from './input.ts';
import { isForetold } from './oracle.ts';
import type { Recorder } from './recorder.ts';
import type { Scenario } from './scenario.ts';
import type { Rehearsal, Verdict } from './timeline.ts';

export interface ResultOptions {
  readonly input: RehearsalInput;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly meshProvider: string;
}

const verdicts = {
  Promoted: 'promoted',
  RolledBack: 'rolled-back',
  Replaced: 'unfinished',
  Unfinished: 'unfinished',
} as const;

export interface Recorded {
  readonly recorder: Recorder;
  /** Whether the Canary was set up at all. */
  readonly isReady: boolean;
  /** What admission said to the Canary. */
  readonly admissionWarnings: readonly string[];
}

export function resultOf(options: ResultOptions, recorded: Recorded): Rehearsal {
  const { input, scenario, seed } = options;
  const { recorder, isReady, admissionWarnings } = recorded;
  const { name, namespace = '' } = input.canary.metadata;
  const rollouts = recorder.rollouts.list(recorder.scenarioMs());
  const [first, last] = [rollouts[0], rollouts.at(-1)];
  const [fromMs, toMs] = [first?.startedAtMs ?? 0, last?.endedAtMs ?? 0];
  const verdict: Verdict = last === undefined ? 'unfinished' : verdicts[last.outcome];
  return {
    canary: { namespace, name },
    scenario: { name: scenario.name, description: scenario.description },
    seed,
    verdict,
    because: isReady ? becauseOf(recorder, verdict) : neverReady(recorder),
    durationMs: toMs - fromMs,
    rollouts,
    timeline: recorder.timeline,
    requests: recorder.traffic.count(fromMs, toMs),
    advice: advise(subjectOf(options)),
    admissionWarnings,
    assumptions: [...input.assumptions, ...unforetold(input, scenario)],
  };
}

const neverReady = ({ lastSaid }: Recorder): string =>
  `The Canary was never initialized: ${lastSaid() ?? 'nothing was said of it'}`;

/** The event that tells the end, or the last one that was told. */
function becauseOf(recorder: Recorder, verdict: Verdict): string {
  const said = recorder.timeline.flatMap((entry) =>
    entry.kind === 'Event' ? [entry.message] : [],
  );
  const beginnings = { promoted: 'Promotion completed', 'rolled-back': 'Rolling back' };
  if (verdict === 'unfinished') return recorder.lastSaid() ?? '';
  const decisive = said.findLast((message) => message.startsWith(beginnings[verdict]));
  return decisive ?? said.at(-1) ?? '';
}

function unforetold({ canary }: RehearsalInput, scenario: Scenario): readonly string[] {
  return (canary.spec.analysis?.metrics ?? []).flatMap((metric) => {
    const isOwn = metric.templateRef !== undefined || Boolean(metric.query);
    if (!isOwn || isForetold(scenario, metric)) return [];
    return [`The scenario has no values for metric ${metric.name}: it passes`];
  });
}

export function subjectOf({ input, scenario, meshProvider }: ResultOptions): AdviceSubject {
  const { canary, deployment, autoscaler, isDeploymentGiven } = input;
  const provider = effectiveProvider(canary.spec.provider, meshProvider);
  return {
    canary,
    scenario,
    abilities: supportedProviders[provider] ?? { weights: false, mirroring: false },
    deployment: isDeploymentGiven ? deployment : undefined,
    autoscaler,
  };
}
