/** What tests of the controller put into the fake cluster, and how they read what came of it. */
import assert from 'node:assert/strict';
import type { Canary, CanarySpec } from '../../src/api/canary.ts';
import type {
  ConfigMap,
  Deployment,
  EnvFromSource,
  Json,
  KubeObject,
} from '../../src/api/kubernetes.ts';
import { canaries, configMaps, deployments, virtualServices } from '../../src/kube/resources.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import { createFakeCluster, namespace } from '../support/fake-cluster.ts';
import type { Call, FakeCluster, Write } from '../support/fake-cluster.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

export interface Site {
  readonly cluster: FakeCluster;
  readonly clock: VirtualClock;
}

export function createSite(): Site {
  const clock = createVirtualClock();
  return { clock, cluster: createFakeCluster(clock) };
}

export function deployment(name: string, image = 'podinfo:1'): Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 9898 }] }] },
      },
    },
  };
}

export function canary(name: string, spec: Partial<CanarySpec> = {}): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      service: { port: 80, targetPort: 9898 },
      analysis: {
        interval: '10s',
        threshold: 2,
        stepWeight: 10,
        maxWeight: 30,
        metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '1m' }],
      },
      ...spec,
    },
  };
}

export const configMap = (
  name: string,
  data: ConfigMap['data'] = { color: 'blue' },
): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** A target that takes its environment from somewhere. */
export function configured(target: Deployment, source: EnvFromSource): Deployment {
  const [container] = target.spec.template.spec.containers;
  const envFrom = [source];
  const containers = container === undefined ? [] : [{ ...container, envFrom }];
  const { template } = target.spec;
  const spec = { ...template.spec, containers };
  return { ...target, spec: { ...target.spec, template: { ...template, spec } } };
}

/** A canary and its target, as users apply them. */
export function apply(
  { cluster }: Site,
  name: string,
  spec: Partial<CanarySpec> = {},
  target = deployment(name),
): void {
  cluster.put(deployments, target);
  cluster.put(canaries, canary(name, spec));
}

export const setImage = ({ cluster }: Site, name: string, image: string): void =>
  cluster.edit(deployments, name, (live) => {
    const { template } = live.spec;
    const containers = template.spec.containers.map((it) => ({ ...it, image }));
    const spec = { ...template.spec, containers };
    return { ...live, spec: { ...live.spec, template: { ...template, spec } } };
  });

export const editConfig = ({ cluster }: Site, name: string, data: ConfigMap['data']): void =>
  cluster.edit(configMaps, name, (live) => ({ ...live, data: data ?? {} }));

export const phaseOf = ({ cluster }: Site, name: string): string =>
  cluster.read(canaries, name)?.status?.phase ?? '';

/** Advances in small steps until the condition holds; throws after so long. */
export async function advanceUntil(
  { clock, cluster }: Site,
  what: string,
  holds: () => boolean,
  timeoutMs = 600_000,
): Promise<void> {
  const endsAtMs = clock.monotonic() + timeoutMs;
  while (!holds()) {
    if (clock.monotonic() > endsAtMs) {
      throw new Error(`not so after ${timeoutMs} ms: ${what}\n${storyOf(cluster).join('\n')}`);
    }
    await clock.advance(100);
  }
}

export const reached = (site: Site, name: string, phase: string): Promise<void> =>
  advanceUntil(site, `${name} is ${phase}`, () => phaseOf(site, name) === phase);

interface EventObject extends KubeObject {
  readonly message?: string;
  readonly type?: string;
  readonly involvedObject?: { readonly name: string };
}

/** Texts of the events about a canary, in the order in which they were written. */
export const eventsOf = ({ cluster }: Site, name: string): readonly string[] =>
  cluster.writes
    .filter(({ plural }) => plural === 'events')
    .map(({ after }) => after as EventObject)
    .filter(({ involvedObject }) => involvedObject?.name === name)
    .map(({ message = '' }) => message);

interface Destination {
  readonly destination?: { readonly host?: string };
  readonly weight?: number;
}
interface RouteSpec {
  readonly http?: readonly { readonly route?: readonly Destination[] }[];
}

/** Weights of the primary and of the canary as a VirtualService says them. */
export function weightsOf(object: KubeObject | undefined): readonly [number, number] | undefined {
  const { http } = ((object as OpaqueObject | undefined)?.spec ?? {}) as RouteSpec;
  const routes = http?.at(-1)?.route;
  if (routes === undefined) return undefined;
  const weight = (suffix: string): number =>
    routes.find(({ destination }) => destination?.host?.endsWith(suffix) === true)?.weight ?? 0;
  return [weight('-primary'), weight('-canary')];
}

/** Routes all traffic to the primary, as people do in need. */
export const lowerWeight = ({ cluster }: Site, name: string): void =>
  cluster.edit(virtualServices, name, (live) => {
    const { http = [] } = live.spec as RouteSpec;
    const onPrimary = (it: Destination): Destination => {
      const isPrimary = it.destination?.host?.endsWith('-primary') === true;
      return { ...it, weight: isPrimary ? 100 : 0 };
    };
    const rules = http.map((rule) => ({ ...rule, route: rule.route?.map(onPrimary) }));
    const spec: unknown = { ...(live.spec as RouteSpec), http: rules };
    return { ...live, spec: spec as Json };
  });

/** When each of the weights of the canary was written. */
export const weightTimes = ({ cluster }: Site, name: string): ReadonlyMap<number, number> =>
  new Map(
    cluster.writes
      .filter(
        ({ plural, after }) => plural === virtualServices.plural && after.metadata.name === name,
      )
      .map(({ after, atMs }) => [weightsOf(after)?.[1] ?? -1, atMs]),
  );

/** The weights of the canary that were written one after the other. */
export const weightStory = ({ cluster }: Site, name: string): readonly number[] =>
  cluster.writes
    .filter(
      ({ plural, after }) => plural === virtualServices.plural && after.metadata.name === name,
    )
    .map(({ after }) => weightsOf(after)?.[1] ?? -1)
    .filter((weight, at, all) => weight !== all[at - 1]);

export const imageOf = ({ cluster }: Site, name: string): string | undefined =>
  cluster.read(deployments, name)?.spec.template.spec.containers[0]?.image;

/** What was written, for people who read a failed test. */
const storyOf = (cluster: FakeCluster): readonly string[] =>
  cluster.writes.map(({ atMs, by, verb, plural, name, subresource = '', after }) => {
    const { message = '' } = after as EventObject;
    return `${atMs} ${by} ${verb} ${plural}/${name} ${subresource} ${message}`;
  });

export const isRead = ({ verb }: Call): boolean => verb === 'get' || verb === 'list';

/** Writes that are not events. */
export const isChange = ({ plural }: Call): boolean => plural !== 'events';

/**
 * Watches what must hold whatever happens (invariants 1 to 3 of the design), at every write. Throws
 * when it is asked, since who writes would take it for an answer of the API server.
 */
export function guard({ cluster }: Site): { readonly check: () => void } {
  const broken: string[] = [];
  cluster.onWrite = (write: Write) => {
    const fail = (law: string): void => {
      if (broken.length === 0) broken.push(law, ...storyOf(cluster));
    };
    const { plural, before, after } = write;
    const { name } = after.metadata;
    if (plural === virtualServices.plural) {
      const [primary, weight] = weightsOf(after) ?? [100, 0];
      const [, former] = weightsOf(before) ?? [100, 0];
      const live = cluster.read(canaries, name);
      const { phase } = live?.status ?? {};
      if (primary + weight !== 100) fail('weights sum to 100');
      const pods = cluster.read(deployments, name)?.status?.availableReplicas ?? 0;
      if (weight > 0 && pods === 0) fail('no traffic without a ready pod');
      const serving = cluster.read(deployments, `${name}-primary`)?.status?.availableReplicas ?? 0;
      if (primary > (weightsOf(before)?.[0] ?? 100) && serving === 0) fail('the primary serves');
      if (weight > former && phase !== 'Progressing') fail(`no more traffic in phase ${phase}`);
      if (weight > former + 10) fail('one step at a time');
    }
    if (plural === deployments.plural && (after as Deployment).spec.replicas === 0) {
      const [, weight] = weightsOf(cluster.read(virtualServices, name)) ?? [100, 0];
      if (weight > 0) fail('pods that have traffic stay');
    }
    if (plural === canaries.plural) {
      const { phase = '' } = (after as Canary).status ?? {};
      const [, weight] = weightsOf(cluster.read(virtualServices, name)) ?? [100, 0];
      const isAtRest = ['Initialized', 'Succeeded', 'Failed'].includes(phase);
      if (isAtRest && weight > 0) fail(`no traffic on the canary in phase ${phase}`);
    }
  };
  return { check: () => assert.deepEqual(broken, [], broken.join('\n')) };
}
