/**
 * Gathers what the core looks at, from caches only, and notes what was read, so that a change of it
 * wakes the canary. Nothing is decided here.
 */
import { revisionAnnotation } from '../api/annotations.ts';
import type { Canary, CanaryStatus } from '../api/canary.ts';
import {
  canaryReadyThreshold,
  displayName,
  primaryDisplayName,
  primaryName,
  primaryReadyThreshold,
  progressDeadlineMs,
  serviceNames,
  targetDisplayName,
} from '../api/defaults.ts';
import type {
  Deployment,
  HorizontalPodAutoscaler,
  KubeObject,
  NamespacedName,
  Service,
} from '../api/kubernetes.ts';
import { effectiveProvider, supportedProviders } from '../api/providers.ts';
import { describeProblems, validateCanary } from '../api/validate.ts';
import type { Observation, Problem, RevisionView, WorkloadView } from '../canary/observation.ts';
import { statusOf } from '../canary/status.ts';
import { deployments, horizontalPodAutoscalers, services } from '../kube/resources.ts';
import type { RoutingProvider } from '../routing/provider.ts';
import { providerFor } from '../routing/registry.ts';
import type { Reader } from './caches.ts';
import { createReader } from './caches.ts';
import type { ConfigsSeen } from './observe-configs.ts';
import { observeConfigs } from './observe-configs.ts';
import { observeRevision } from './observe-revision.ts';
import type { ObjectPath } from './interests.ts';
import type { Memory } from './memory.ts';
import type { World } from './world.ts';

/** Objects as they were seen; effects are carried out on these and no others. */
export interface Snapshot {
  readonly kind: 'Seen';
  readonly canary: Canary;
  readonly paths: ReadonlySet<ObjectPath>;
  readonly observation: Observation;
  readonly target?: Deployment;
  readonly primary?: Deployment;
  readonly services: {
    readonly apex?: Service;
    readonly primary?: Service;
    readonly canary?: Service;
  };
  readonly autoscaler?: HorizontalPodAutoscaler;
  readonly autoscalerCopy?: HorizontalPodAutoscaler;
  readonly provider?: RoutingProvider;
  readonly routes: readonly KubeObject[];
  readonly configs: ConfigsSeen;
  /** The target as it is after effects, for the status; empty where its template has changed. */
  readonly trackedTarget: () => Pick<CanaryStatus, 'trackedTarget'>;
}

export type Seen =
  | Snapshot
  /** Something that the decision needs is being read; the canary is woken when it is there. */
  | { readonly kind: 'Reading'; readonly paths: ReadonlySet<ObjectPath> };

export function observe(canary: Canary, memory: Memory, world: World): Seen {
  const reader = createReader();
  const objects = read(canary, reader, world);
  const configs = observeConfigs(canary, objects.target, reader, world);
  const routes = readRoutes(canary, reader, world);
  if (configs.kind === 'Reading' || routes.kind === 'Reading') {
    return { kind: 'Reading', paths: reader.paths };
  }
  const revision = observeRevision(canary, objects, configs, world);
  const problem =
    specProblem(canary, memory, world) ??
    objectProblem(canary, objects) ??
    routes.problem ??
    configs.problem;
  const { autoscaler } = objects;
  const observation: Observation = {
    canary,
    abilities: abilitiesOf(canary, world),
    ...(problem === undefined ? {} : { problem }),
    ...viewsOf(canary, objects, world),
    ...(revision === undefined ? {} : { revision }),
    scaleUpReplicas: scaleUpReplicas({ ...objects, autoscaler }),
    ...(routes.split === undefined ? {} : { split: routes.split }),
    answers: memory.answers,
    transitionAtMs: memory.transitionAtMs,
    ...(memory.beatAtMs === undefined ? {} : { beatAtMs: memory.beatAtMs }),
    cookieValues: { canary: letters(world.random), primary: letters(world.random) },
  };
  return {
    kind: 'Seen',
    canary,
    paths: reader.paths,
    observation,
    ...objects,
    ...routes,
    configs,
    trackedTarget: () => trackedTarget(canary, revision, world),
  };
}
