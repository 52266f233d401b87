/**
 * A rehearsal: the real controller runs a Canary on the embedded cluster in virtual time, while a
 * scenario plays users, traffic, metrics and hooks. The same arguments give the same rehearsal.
 */
import type { Canary } from '../api/canary.ts';
import { effectiveProvider, supportedProviders } from '../api/providers.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { openType } from '../cluster/open-type.ts';
import type { ResourceType } from '../cluster/resource-type.ts';
import { StatusError } from '../cluster/status-error.ts';
import type { Answerer } from '../admission/server.ts';
import { startWorkloads } from '../cluster/workloads/workloads.ts';
import type { Checks } from '../controller/checks.ts';
import type { Log } from '../kube/log.ts';
import type { MetricsContext } from '../metrics/run-metrics.ts';
import { checkAvailability, runMetrics } from '../metrics/run-metrics.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { Resource } from '../kube/resources.ts';
import {
  canaries,
  configMaps,
  deployments,
  horizontalPodAutoscalers,
  metricTemplates,
  namespaces,
  secrets,
} from '../kube/resources.ts';
import { perform } from './actions.ts';
import type { AdviceSubject } from './advice/advice.ts';
import { advise } from './advice/advice.ts';
import { plannedMs } from './advice/plan.ts';
import { createHookAnswers, withMarkedHooks } from './hook-answers.ts';
import type { RehearsalInput } from './input.ts';
import { createPodPlan } from './pods.ts';
import { createOracle, isForetold } from './oracle.ts';
import { ownTypes } from './own-kinds.ts';
import type { Recorder } from './recorder.ts';
import { createRecorder, liveCanary } from './recorder.ts';
import { RehearsalRefused } from './refused.ts';
import { routeResources } from './routes.ts';
import type { Scenario } from './scenario.ts';
import { createSyntheticPrometheus } from './synthetic-prometheus.ts';
import type { Rehearsal, Verdict } from './timeline.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

export interface RehearseOptions {
  readonly input: RehearsalInput;
  readonly scenario: Scenario;
  readonly seed: number;
  /**
   * Of virtual time, from the beginning of the scenario. Absent: six hours, or as long as all of its
   * revisions need twice over.
   */
  readonly timeoutMs: number | undefined;
  /** The controller's `-mesh-provider`. */
  readonly meshProvider: string;
}

const metricsServer = 'http://prometheus:9090';
/** From the creation of a Canary to its first look at a primary that serves. */
const initializationMsMax = 3_600_000;
/** In which a change is seen, at the latest. */
const noticeMs = 2_000;
/** In which events reach the API server. */
const reportMs = 1_000;

export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  const { input, scenario, seed, meshProvider } = options;
  const types = [...ownTypes(), ...routeTypes(input.canary, meshProvider)];
  const world = await createWorld({ seed, log: quiet, types });
  const { clock, cluster } = world;
  const { api } = cluster;
  const nowMs = (): number => clock.monotonic();
  const recorder = createRecorder({ input, scenario, seed, meshProvider, api, nowMs });
  const stop = startWorkloads({
    api,
    clock,
    log: quiet,
    plan: createPodPlan(input, scenario, recorder),
  });
  await supply(cluster, input);
  const process = world.start({
    name: 'aviary',
    isAlone: true,
    settings: { meshProvider, metricsServer },
    answers: {
      checks: checksOf(options, world, recorder),
      post: createHookAnswers({
        scenario,
        canary: () => liveCanary({ api, input }),
        scenarioMs: recorder.scenarioMs,
        called: recorder.called,
      }),
    },
  });
  await put(cluster, canaries, withMarkedHooks(input.canary));
  const isReady = await clock.advanceUntil(
    () => recorder.phase() === 'Initialized' && recorder.isAtRest(),
    initializationMsMax,
  );
  await clock.advance(reportMs);
  recorder.begin();
  if (isReady) {
    const stage = { world, recorder, review: process.review };
    await play({ ...options, timeoutMs: timeoutOf(options) }, stage);
  }
  process.kill();
  await process.ended;
  stop();
  return resultOf(options, recorder, isReady);
}

/** Kinds of meshes are not looked into; those that every cluster has are there already. */
const routeTypes = (canary: Canary, meshProvider: string): readonly ResourceType[] =>
  routeResources(canary, meshProvider)
    .filter(({ group }) => !builtInGroups.has(group))
    .map(openType);

const builtInGroups: ReadonlySet<string> = new Set(['', 'apps', 'networking.k8s.io']);

const nothing = (): void => undefined;
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

async function supply(cluster: Cluster, input: RehearsalInput): Promise<void> {
  const { deployment, autoscaler, configs, templates } = input;
  const objects = [deployment, ...configs, ...templates, ...(autoscaler ? [autoscaler] : [])];
  const homes = new Set(objects.map(({ metadata }) => metadata.namespace ?? ''));
  for (const name of homes) {
    if (cluster.api.get(namespaces, { namespace: '', name }) !== undefined) continue;
    await put(cluster, namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const config of configs) {
    await put<KubeObject>(cluster, config.kind === 'Secret' ? secrets : configMaps, config);
  }
  for (const template of templates) await put(cluster, metricTemplates, template);
  if (autoscaler !== undefined) await put(cluster, horizontalPodAutoscalers, autoscaler);
  await put(cluster, deployments, deployment);
}

async function put<T extends KubeObject>(
  { api }: Cluster,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  try {
    await api.create(resource, object);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new RehearsalRefused(error.message, { cause: error });
  }
}

/** Metrics as the controller asks for them, answered by the scenario, and written down. */
function checksOf(options: RehearseOptions, { clock, cluster }: World, recorder: Recorder): Checks {
  const { input, scenario, meshProvider } = options;
  const template: MetricsContext['template'] = (namespace, name) =>
    cluster.api.get(metricTemplates, { namespace, name });
  const { traffic, scenarioMs } = recorder;
  const prometheus = createSyntheticPrometheus({
    canaries: () => {
      const live = liveCanary({ api: cluster.api, input });
      return live === undefined ? [] : [live];
    },
    template,
    meshProvider,
    oracle: createOracle({ scenario, traffic: () => traffic, scenarioMs }),
    nowMs: () => clock.now(),
  });
  const context = (signal: AbortSignal): MetricsContext => ({
    meshProvider,
    metricsServer,
    template,
    // Nobody checks credentials here, so any will do.
    secret: async () => ({ username: 'rehearsal', password: 'rehearsal' }),
    transport: prometheus.transport,
    signal,
  });
  return {
    probe: (canary, signal) => checkAvailability(canary, context(signal)),
    analyse: async (canary, signal) => {
      const outcome = await runMetrics(canary, context(signal));
      recorder.checked(outcome.reports);
      return outcome;
    },
  };
}

interface Stage {
  readonly world: World;
  readonly recorder: Recorder;
  /** The controller's webhook. */
  readonly review: Answerer;
}

/** The actions at their times, then the rest of what comes of them. */
async function play(
  { input, scenario, timeoutMs }: RehearseOptions & { readonly timeoutMs: number },
  { world: { clock, cluster }, recorder, review }: Stage,
): Promise<void> {
  for (const action of scenario.actions) {
    const aheadMs = Math.min(action.atMs, timeoutMs) - recorder.scenarioMs();
    if (aheadMs > 0) await clock.advance(aheadMs);
    if (action.atMs > timeoutMs) return;
    recorder.acting(action);
    try {
      const done = await perform(action, input, { api: cluster.api, review });
      recorder.tell({ kind: 'Action', ...done });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new RehearsalRefused(error.message, { cause: error });
    }
  }
  await clock.advance(noticeMs);
  const leftMs = Math.max(0, timeoutMs - recorder.scenarioMs());
  await clock.advanceUntil(() => recorder.isAtRest(), leftMs);
  await clock.advance(reportMs);
}

const timeoutMsDefault = 6 * 3_600_000;

function timeoutOf(options: RehearseOptions): number {
  const { actions } = options.scenario;
  const needMs = (actions.at(-1)?.atMs ?? 0) + actions.length * plannedMs(subjectOf(options));
  return options.timeoutMs ?? Math.max(timeoutMsDefault, 2 * needMs);
}

function subjectOf({ input, scenario, meshProvider }: RehearseOptions): AdviceSubject {
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

const verdicts = {
  Promoted: 'promoted',
  RolledBack: 'rolled-back',
  Replaced: 'unfinished',
  Unfinished: 'unfinished',
} as const;

function resultOf(options: RehearseOptions, recorder: Recorder, isReady: boolean): Rehearsal {
  const { input, scenario, seed } = options;
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
    admissionWarnings: input.admissionWarnings,
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
