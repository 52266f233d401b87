/**
 * A rehearsal: the real controller runs a Canary on the embedded cluster in virtual time, while a
 * scenario plays users, traffic, metrics and hooks. The same arguments give the same rehearsal.
 */
import type { Canary } from '../api/canary.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import { faulty } from '../cluster/faults.ts';
import { openType } from '../cluster/open-type.ts';
import { createRandom } from '../cluster/random.ts';
import type { ResourceType } from '../cluster/resource-type.ts';
import type { VirtualClock } from '../cluster/virtual-clock.ts';
import { startWorkloads } from '../cluster/workloads/workloads.ts';
import type { Checks } from '../controller/checks.ts';
import type { Log } from '../kube/log.ts';
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
import type { MetricsContext } from '../metrics/run-metrics.ts';
import { checkAvailability, runMetrics } from '../metrics/run-metrics.ts';
import type { Hands } from './actions.ts';
import { deedOf } from './actions.ts';
import { plannedMs } from './advice/plan.ts';
import type { ClusterUser } from './cluster-user.ts';
import { createClusterUser } from './cluster-user.ts';
import { startGateway } from './gateway.ts';
import { createHookAnswers, withMarkedHooks } from './hook-answers.ts';
import type { RehearsalInput } from './input.ts';
import { createOracle } from './oracle.ts';
import { ownTypes } from './own-kinds.ts';
import { createPodPlan } from './pods.ts';
import type { Recorder } from './recorder.ts';
import { createRecorder, liveCanary } from './recorder.ts';
import { resultOf, subjectOf } from './result.ts';
import { routeResources, sourceKeysOf } from './routes.ts';
import type { Scenario } from './scenario.ts';
import { createSyntheticPrometheus } from './synthetic-prometheus.ts';
import type { Rehearsal } from './timeline.ts';
import type { StartOptions, World } from './world.ts';
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
/** An answer of the API server that is late. */
const lateAnswerMsMax = 5_000;
/** In which a change is seen, at the latest. */
const noticeMs = 2_000;
/** In which events reach the API server. */
const reportMs = 1_000;
/** In which a gateway takes a route in. */
const gatewayMs = 100;

export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  const { input, scenario, seed, meshProvider } = options;
  const types = [...ownTypes(), ...routeTypes(input.canary, meshProvider)];
  const world = await createWorld({ seed, log: quiet, types });
  const { clock, cluster } = world;
  const { api } = cluster;
  const nowMs = (): number => clock.monotonic();
  const recorder = createRecorder({ input, scenario, seed, meshProvider, api, nowMs });
  const plan = createPodPlan(input, scenario, recorder);
  const stop = startWorkloads({ api, clock, log: quiet, plan });
  const resources = routeResources(input.canary, meshProvider).filter(isOfGatewayApi);
  const stopGateway = startGateway({ api, clock, resources, reportMs: gatewayMs });
  const process = world.start({
    name: 'aviary',
    isAlone: true,
    settings: { meshProvider, metricsServer },
    faults: (transport) =>
      faulty(transport, {
        rates: scenario.faults,
        lateMsMax: lateAnswerMsMax,
        clock,
        random: createRandom(seed, 'faults'),
        isCalm: () => recorder.scenarioMs() < 0,
      }),
    answers: answersOf(options, world, recorder),
  });
  const user = createClusterUser(cluster, clock);
  const admissionWarnings = await supply(input, user, clock);
  const isReady = await clock.advanceUntil(
    () => recorder.phase() === 'Initialized' && recorder.isAtRest(),
    initializationMsMax,
  );
  await clock.advance(reportMs);
  recorder.begin();
  if (isReady) await play(options, { clock, api, user, recorder });
  process.kill();
  await process.ended;
  stopGateway();
  stop();
  cluster.stop();
  return resultOf(options, { recorder, isReady, admissionWarnings });
}

const routesAndSources = (
  canary: Canary,
  meshProvider: string,
): readonly Resource<KubeObject>[] => [
  ...routeResources(canary, meshProvider),
  ...sourceKeysOf(canary, meshProvider).map(({ resource }) => resource),
];

/** Kinds of meshes are not looked into; those that every cluster has are there already. */
const routeTypes = (canary: Canary, meshProvider: string): readonly ResourceType[] =>
  [...new Set(routesAndSources(canary, meshProvider))]
    .filter(({ group }) => !builtInGroups.has(group))
    .map(openType);

const isOfGatewayApi = ({ group }: Resource<KubeObject>): boolean =>
  group === 'gateway.networking.k8s.io';

const builtInGroups: ReadonlySet<string> = new Set(['', 'apps', 'networking.k8s.io']);

const nothing = (): void => undefined;
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Everything is there when the Canary comes; answers what admission says to it. */
async function supply(
  { canary, deployment, autoscaler, configs, templates, sources }: RehearsalInput,
  user: ClusterUser,
  clock: VirtualClock,
): Promise<readonly string[]> {
  const objects = [deployment, ...configs, ...templates];
  for (const name of new Set(objects.map(({ metadata }) => metadata.namespace ?? ''))) {
    if (name === 'default') continue;
    await user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const config of configs) {
    await user.create<KubeObject>(config.kind === 'Secret' ? secrets : configMaps, config);
  }
  for (const { resource, object } of sources) await user.create(resource, object);
  for (const template of templates) await user.create(metricTemplates, template);
  if (autoscaler !== undefined) await user.create(horizontalPodAutoscalers, autoscaler);
  await user.create(deployments, deployment);
  // Admission answers from the controller's memory, which the target has to reach.
  await clock.advance(noticeMs);
  // The canaries that it comes after are no part of a rehearsal: they count as done.
  const { dependsOn: _, ...spec } = canary.spec;
  return user.create(canaries, withMarkedHooks({ ...canary, spec }));
}

/** What takes the place of the network. */
function answersOf(
  options: RehearseOptions,
  world: World,
  recorder: Recorder,
): NonNullable<StartOptions['answers']> {
  const { input, scenario } = options;
  const { api } = world.cluster;
  return {
    checks: checksOf(options, world, recorder),
    post: createHookAnswers({
      scenario,
      canary: () => liveCanary({ api, input }),
      scenarioMs: recorder.scenarioMs,
      called: recorder.called,
    }),
    alerts: {
      outbox: {
        add: ({ alert: { severity, message }, receiver: to }) =>
          recorder.tell({ kind: 'Alert', severity, to, message }),
      },
      fallback: undefined,
    },
  };
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

interface Stage extends Hands {
  readonly clock: VirtualClock;
  readonly recorder: Recorder;
}

/** The actions at their times, then the rest of what comes of them. */
async function play(options: RehearseOptions, stage: Stage): Promise<void> {
  const { input, scenario } = options;
  const { clock, recorder } = stage;
  const timeoutMs = timeoutOf(options);
  for (const action of scenario.actions) {
    const aheadMs = Math.min(action.atMs, timeoutMs) - recorder.scenarioMs();
    if (aheadMs > 0) await clock.advance(aheadMs);
    if (action.atMs > timeoutMs) return;
    const { text, run } = deedOf(action, input, stage);
    const warnings: string[] = [];
    recorder.acting(action);
    recorder.tell({ kind: 'Action', text, warnings });
    // What comes of it may be told before the answer is there.
    warnings.push(...(await run()));
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
