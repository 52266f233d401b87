/**
 * Knative (`spec/02`, 8): the target is the routing object, too. Its traffic goes to the latest revision,
 * which is the canary, and to the one that the annotation names, which is the primary. When the Canary
 * is deleted, traffic follows the latest revision again, as it did before.
 */
import type { Canary } from '../api/canary.ts';
import type { KnativeService, KnativeTraffic } from '../api/knative.ts';
import { isKnativeService, primaryRevisionAnnotation, primaryRevisionOf } from '../api/knative.ts';
import { totalWeight } from '../api/defaults.ts';
import { knativeServices } from '../kube/resources.ts';
import { confirmByConditions } from './condition-status.ts';
import { inexpressible } from './inexpressible.ts';
import type { LiveRoutes, RoutingProvider, Split } from './provider.ts';

const keyOf = ({ spec }: Canary) => ({ resource: knativeServices, name: spec.targetRef.name });

function found(canary: Canary, live: LiveRoutes): KnativeService | undefined {
  const object = live(keyOf(canary));
  return object !== undefined && isKnativeService(object) ? object : undefined;
}

export const knative: RoutingProvider = {
  name: 'knative',
  routeKeys: (canary) => [keyOf(canary)],
  render: (canary, split, _cookies, live) => {
    const error = inexpressible(canary, split, { provider: 'knative', abTesting: false });
    if (error !== undefined) return { ok: false, error };
    const service = found(canary, live);
    const primary = service && primaryRevisionOf(service);
    // Before there is a primary, all traffic goes where the user sends it.
    if (service === undefined || primary === undefined) return { ok: true, objects: [] };
    const annotations = {
      ...service.metadata.annotations,
      [primaryRevisionAnnotation]: primary,
    };
    const marked = { ...service, metadata: { ...service.metadata, annotations } };
    const wanted = withTraffic(marked, trafficOf(service, primary, split));
    return { ok: true, objects: [{ resource: knativeServices, live: service, wanted }] };
  },
  read: (canary, live) => readTraffic(found(canary, live)?.spec.traffic),
  confirm: (canary, live) =>
    confirmByConditions(found(canary, live), {
      route: `Service ${canary.spec.targetRef.name}`,
      controller: 'Knative',
      types: ['RoutesReady'],
    }),
  revert: (canary, live) => {
    const service = found(canary, live);
    if (service === undefined || primaryRevisionOf(service) === undefined) return [];
    const traffic = [...taggedIn(service), { latestRevision: true, percent: totalWeight }];
    const { [primaryRevisionAnnotation]: _, ...annotations } = service.metadata.annotations ?? {};
    const unmarked = { ...service, metadata: { ...service.metadata, annotations } };
    const wanted = withTraffic(unmarked, traffic);
    return [{ resource: knativeServices, live: service, wanted }];
  },
};

function trafficOf(
  service: KnativeService,
  primary: string,
  split: Split,
): readonly KnativeTraffic[] {
  return [
    { latestRevision: true, percent: split.canary },
    { revisionName: primary, percent: split.primary },
    ...taggedIn(service),
  ];
}

/** Addresses that a user gave to revisions; they have no share of traffic. */
const taggedIn = ({ spec }: KnativeService): readonly KnativeTraffic[] =>
  (spec.traffic ?? []).filter(({ tag, percent = 0 }) => tag !== undefined && percent === 0);

/** Knative writes out what a revision's name implies, which is no difference. */
function withTraffic(service: KnativeService, traffic: readonly KnativeTraffic[]): KnativeService {
  const known = service.spec.traffic ?? [];
  const isSo = JSON.stringify(known.map(inFull)) === JSON.stringify(traffic.map(inFull));
  return isSo ? service : { ...service, spec: { ...service.spec, traffic } };
}

const inFull = ({ revisionName = '', latestRevision, percent = 0, tag }: KnativeTraffic) => [
  revisionName,
  latestRevision ?? revisionName === '',
  percent,
  tag,
];

function readTraffic(traffic: readonly KnativeTraffic[] = []): Split | undefined {
  const latest = traffic.find(({ latestRevision }) => latestRevision === true);
  const pinned = traffic.some((it) => it.latestRevision !== true && it.tag === undefined);
  if (latest === undefined || !pinned) return undefined;
  const canary = latest.percent ?? 0;
  return { primary: totalWeight - canary, canary, mirrored: false };
}
