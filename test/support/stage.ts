/**
 * A canary and its target on the embedded cluster in virtual time, with one process of the real
 * controller: what tests of whole rollouts say, without how it is done.
 */
import assert from 'node:assert/strict';
import type { Canary, CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import type { Deployment, KubeObject, PodTemplateSpec } from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import { quietLog } from '../../src/kube/quiet-log.ts';
import type { Resource } from '../../src/kube/resources.ts';
import { canaries, deployments, events } from '../../src/kube/resources.ts';
import type { ControllerProcess, ProcessOptions } from '../../src/rehearsal/controller-process.ts';
import type { StartOptions, World } from '../../src/rehearsal/world.ts';
import { createWorld } from '../../src/rehearsal/world.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { createTelemetry } from '../../src/telemetry/metrics.ts';

export const key = { namespace: 'default', name: 'web' };

export const target: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: key,
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image: 'web:1', ports: [{ containerPort: 80 }] }] },
    },
  },
};

/** Two steps of 50 %, every ten seconds. */
export const canaryOf = (
  analysis: CanaryAnalysis = {},
  spec: Partial<CanarySpec> = {},
): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: key,
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    service: { port: 80 },
    progressDeadlineSeconds: 60,
    analysis: {
      interval: '10s',
      threshold: 2,
      stepWeight: 50,
      maxWeight: 50,
      metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }],
      ...analysis,
    },
    ...spec,
  },
});

export interface StageOptions {
  /** Whether objects say who set their fields. */
  readonly keepsManagers?: boolean;
  readonly answers?: ProcessOptions['answers'];
  readonly settings?: ProcessOptions['settings'];
  readonly faults?: StartOptions['faults'];
  /** The verdict of every check of metrics; good where absent. */
  readonly passes?: () => boolean;
  /** Whether pods of this image get ready, half a second after they start; all do where absent. */
  readonly isReady?: (image: string, pod: string) => boolean;
  /** What was written before the controller came, and its admission: nobody refused it. */
  readonly before?: (api: ControllerApi) => Promise<unknown>;
  /** Called a second after that, and before the controller starts. */
  readonly settled?: (api: ControllerApi) => void;
}

export interface Stage {
  readonly world: World;
  readonly api: ControllerApi;
  readonly process: ControllerProcess;
  readonly telemetry: Telemetry;
  readonly live: <T extends KubeObject>(resource: Resource<T>, name?: string) => T;
  readonly find: <T extends KubeObject>(resource: Resource<T>, name?: string) => T | undefined;
  /** Writes, and goes on for a second. */
  readonly apply: <T extends KubeObject>(resource: Resource<T>, object: T) => Promise<void>;
  readonly edit: <T extends KubeObject>(
    resource: Resource<T>,
    change: (live: T) => T,
    name?: string,
  ) => Promise<void>;
  readonly remove: (resource: Resource<KubeObject>, name?: string) => Promise<void>;
  /** Rejects where none of the phases is reached in ten minutes. */
  readonly until: (...phases: readonly string[]) => Promise<void>;
  /** Texts of the events of the canary, in order. */
  readonly said: () => readonly string[];
  readonly end: () => void;
}

export async function createStage(options: StageOptions = {}): Promise<Stage> {
  const { passes = () => true, isReady = () => true } = options;
  const world = await createWorld({
    seed: 1,
    log: quietLog,
    ...(options.keepsManagers === true && { keepsManagers: true }),
    workloads: {
      isFurnished: false,
      plan: ({ metadata, spec }) =>
        isReady(spec.containers[0]?.image ?? '', metadata.name) ? { readyMs: 500 } : {},
    },
  });
  if (options.before !== undefined) {
    await Promise.all([options.before(world.cluster.api), world.clock.advance(1_000)]);
  }
  options.settled?.(world.cluster.api);
  const telemetry = createTelemetry({ version: 'test', meshProvider: 'istio' });
  const process = world.start({
    name: 'aviary',
    isAlone: true,
    telemetry,
    ...(options.settings !== undefined && { settings: options.settings }),
    ...(options.faults !== undefined && { faults: options.faults }),
    answers: {
      checks: {
        probe: async () => ({ passed: true, events: [] }),
        analyse: async () => ({ passed: passes(), events: [] }),
      },
      ...options.answers,
    },
  });
  return { world, process, telemetry, ...acts(world), end: () => end(world, process) };
}

function acts(world: World): Omit<Stage, 'world' | 'process' | 'telemetry' | 'end'> {
  const { api } = world.cluster;
  const written = async (write: Promise<unknown>): Promise<void> => {
    await Promise.all([write, world.clock.advance(1_000)]);
  };
  const find: Stage['find'] = (resource, name = key.name) => api.get(resource, { ...key, name });
  const live: Stage['live'] = (resource, name = key.name) =>
    find(resource, name) ?? assert.fail(`no ${resource.plural} ${name}`);
  return {
    api,
    find,
    live,
    apply: (resource, object) => written(api.create(resource, object)),
    edit: (resource, change, name) => written(api.update(resource, change(live(resource, name)))),
    remove: (resource, name = key.name) => written(api.delete(resource, { ...key, name })),
    until: (...phases) => until(world, phases),
    said: () =>
      api
        .list(events, key.namespace)
        .map((it): Told => it)
        .filter(({ involvedObject }) => involvedObject?.kind === 'Canary')
        .toSorted((a, b) => serialOf(a) - serialOf(b))
        .map(({ message = '' }) => message),
  };
}

interface Told extends KubeObject {
  readonly message?: string;
  readonly involvedObject?: { readonly kind: string };
}

const serialOf = ({ metadata }: KubeObject): number => Number(metadata.resourceVersion);

function end(world: World, process: ControllerProcess): void {
  process.kill();
  world.cluster.stop();
}

/** Plays on a stage of its own, which ends however that goes. */
export async function onStage(
  plays: (stage: Stage) => Promise<void>,
  options: StageOptions = {},
): Promise<void> {
  const stage = await createStage(options);
  try {
    await plays(stage);
  } finally {
    stage.end();
  }
}

async function until(world: World, phases: readonly string[]): Promise<void> {
  const phase = (): string => world.read(canaries, key)?.status?.phase ?? '';
  const reached = await world.clock.advanceUntil(() => phases.includes(phase()), 600_000);
  assert.ok(reached, `never ${phases.join(' or ')}, but ${phase()}`);
}

/** The target, its canary, and an interval after its initialization. */
export async function initialized(stage: Stage, canary = canaryOf()): Promise<void> {
  await stage.apply(deployments, target);
  await stage.apply(canaries, canary);
  await stage.until('Initialized');
  await stage.world.clock.advance(20_000);
}

export const setImage = (stage: Stage, image: string): Promise<void> =>
  stage.edit(deployments, (live) => ({
    ...live,
    spec: { ...live.spec, template: withImage(live.spec.template, image) },
  }));

export function withImage(template: PodTemplateSpec, image: string): PodTemplateSpec {
  const containers = template.spec.containers.map((it) => ({ ...it, image }));
  return { ...template, spec: { ...template.spec, containers } };
}
