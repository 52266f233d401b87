/**
 * Sees the sample app as the cluster has it, by watches: for the view, for the traffic, which goes
 * where the route says, and for the script, which waits for what it has set off.
 */
import type { Canary } from '../../api/canary.ts';
import { displayName, failureThreshold } from '../../api/defaults.ts';
import type { ConfigMap, Deployment, KubeObject } from '../../api/kubernetes.ts';
import type { KubeClient } from '../../kube/client.ts';
import { systemClock } from '../../kube/clock.ts';
import { createInformers } from '../../kube/informers.ts';
import type { Informer } from '../../kube/informers.ts';
import type { Log } from '../../kube/log.ts';
import {
  canaries,
  configMaps,
  deployments,
  events,
  virtualServices,
} from '../../kube/resources.ts';
import type { OpenObject } from '../../kube/resources.ts';
import type { Store } from '../../kube/store.ts';
import { istio } from '../../routing/istio.ts';
import type { Split } from '../../routing/provider.ts';
import { behaviourOf, sample, tagOf } from './sample-app.ts';
import type { Rollout } from './scene.ts';
import type { Standing } from './story.ts';
import type { Behaviour } from './traffic.ts';

export interface SideSeen {
  readonly name: 'primary' | 'canary';
  readonly workload: string;
  readonly tag: string;
  readonly ready: number;
  readonly wanted: number;
  readonly weight: number;
  readonly behaviour: Behaviour;
}

export interface EventSeen {
  readonly isWarning: boolean;
  readonly message: string;
}

export interface Onlooker {
  /** Watches until the signal aborts; rejects for a defect of ours only. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves once everything that is there has been seen. */
  synced(signal: AbortSignal): Promise<void>;
  /** Called after each change of what is seen. Answers how to stop. */
  onChange(listener: () => void): () => void;
  /** Called for each event of the Canary, in order. */
  onEvent(listener: (event: EventSeen) => void): () => void;
  rollout(): Rollout | undefined;
  standing(): Standing | undefined;
  sides(): readonly SideSeen[];
  canary(): Canary | undefined;
  greeting(): string | undefined;
}

const key = (name: string) => ({ namespace: sample.namespace, name });

export function createOnlooker(client: KubeClient, log: Log): Onlooker {
  const informers = createInformers({
    client,
    clock: systemClock,
    random: Math.random,
    log,
    namespace: sample.namespace,
  });
  const watched = {
    canaries: informers.informer(canaries),
    deployments: informers.informer(deployments),
    configs: informers.informer(configMaps),
    routes: informers.informer(virtualServices),
    events: informers.informer(events),
  };
  const seen: Seen = {
    canaries: watched.canaries.store,
    deployments: watched.deployments.store,
    configs: watched.configs.store,
    routes: watched.routes.store,
  };
  const all: readonly Informer<KubeObject>[] = Object.values(watched);
  return {
    run: async (signal) => void (await Promise.all(all.map((it) => it.start(signal)))),
    synced: async (signal) => void (await Promise.all(all.map((it) => it.synced(signal)))),
    onChange: (listener) => {
      const ends = Object.values(seen).map((store: Store<KubeObject>) => store.subscribe(listener));
      return () => ends.forEach((end) => end());
    },
    onEvent: (listener) =>
      watched.events.store.subscribe((change) => {
        const event =
          change.kind === 'Applied' && !change.before ? seenIn(change.after) : undefined;
        if (event !== undefined) listener(event);
      }),
    rollout: () => rolloutOf(seen),
    standing: () => standingOf(seen),
    sides: () => sidesOf(seen),
    canary: () => canaryOf(seen),
    greeting: () => seen.configs.get(key(sample.config))?.data?.['greeting'],
  };
}

interface Seen {
  readonly canaries: Store<Canary>;
  readonly deployments: Store<Deployment>;
  readonly configs: Store<ConfigMap>;
  readonly routes: Store<KubeObject>;
}

const canaryOf = ({ canaries }: Seen): Canary | undefined => canaries.get(key(sample.name));

/** Before there is a route, everything goes to what the primary's Service selects. */
function splitOf(seen: Seen): Split {
  const canary = canaryOf(seen);
  const split =
    canary &&
    istio.read(canary, ({ resource, name }) =>
      resource.plural === virtualServices.plural ? seen.routes.get(key(name)) : undefined,
    );
  return split ?? { primary: 100, canary: 0, mirrored: false };
}

function sidesOf(seen: Seen): readonly SideSeen[] {
  const split = splitOf(seen);
  const side = (
    name: SideSeen['name'],
    workload: string,
    config: string,
    weight: number,
  ): SideSeen => {
    const deployment = seen.deployments.get(key(workload));
    const behaviour = deployment && behaviourOf(deployment, seen.configs.get(key(config)));
    return {
      name,
      workload,
      tag: deployment ? tagOf(deployment) : '',
      ready: deployment?.status?.readyReplicas ?? 0,
      wanted: deployment?.spec.replicas ?? 0,
      weight,
      behaviour: behaviour ?? { failureRatio: 1, latencyMs: 1 },
    };
  };
  return [
    side('primary', sample.primary, sample.primaryConfig, split.primary),
    side('canary', sample.name, sample.config, split.canary),
  ];
}

function rolloutOf(seen: Seen): Rollout | undefined {
  const canary = canaryOf(seen);
  if (canary?.status === undefined) return undefined;
  const { stepWeight = 0, maxWeight = 100 } = canary.spec.analysis ?? {};
  const count = stepWeight > 0 ? Math.ceil(maxWeight / stepWeight) : 0;
  return {
    name: displayName(canary),
    phase: canary.status.phase,
    steps: Array.from({ length: count }, (_, at) => Math.min((at + 1) * stepWeight, maxWeight)),
    weight: canary.status.canaryWeight,
    failedChecks: canary.status.failedChecks,
    threshold: failureThreshold(canary),
  };
}

function standingOf(seen: Seen): Standing | undefined {
  const status = canaryOf(seen)?.status;
  const primary = seen.deployments.get(key(sample.primary));
  if (status === undefined || primary === undefined) return undefined;
  const { phase, lastAppliedSpec, lastPromotedSpec, trackedConfigs = {}, draining } = status;
  return {
    phase,
    revision: JSON.stringify([lastAppliedSpec, trackedConfigs]),
    isPromoted: lastAppliedSpec === lastPromotedSpec,
    canaryWeight: splitOf(seen).canary,
    isDraining: draining === true,
    primary: {
      tag: tagOf(primary),
      greeting: seen.configs.get(key(sample.primaryConfig))?.data?.['greeting'] ?? '',
    },
  };
}

function seenIn(event: OpenObject): EventSeen | undefined {
  const about = event['involvedObject'] as { readonly kind?: unknown } | undefined;
  const message = event['message'];
  if (about?.kind !== 'Canary' || typeof message !== 'string') return undefined;
  return { isWarning: event['type'] === 'Warning', message };
}
