/**
 * Istio (`spec/02`, 6.1): a VirtualService that splits, and a DestinationRule for each side.
 *
 * Rules, first match wins:  [sticky canary] [sticky primary]  the weighted rule
 *                           [matching users] everybody else   in an A/B test
 */
import { fluxAnnotations, lastAppliedAnnotation } from '../api/annotations.ts';
import { canaryApiVersion } from '../api/canary.ts';
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { Json, KubeObject } from '../api/kubernetes.ts';
import { destinationRules, virtualServices } from '../kube/resources.ts';
import type { OpaqueObject } from '../kube/resources.ts';
import type { HttpRoute, TcpRoute } from './istio-rules.ts';
import { httpRules, readHttp, readTcp, tcpRules } from './istio-rules.ts';
import type { Cookies, LiveRoutes, RenderedRoute, RoutingProvider, Split } from './provider.ts';

/** Where the spec of a VirtualService that was taken over is kept for its return. */
const originalAnnotation = 'flagger.kubernetes.io/original-configuration';

interface VirtualServiceSpec {
  readonly hosts?: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly HttpRoute[];
  readonly tcp?: readonly TcpRoute[];
}

export const istio: RoutingProvider = {
  name: 'istio',
  routeKeys: (canary) => {
    const names = serviceNames(canary);
    return [
      { resource: destinationRules, name: names.canary },
      { resource: destinationRules, name: names.primary },
      { resource: virtualServices, name: names.apex },
    ];
  },
  render: (canary, split, cookies, live) => {
    const { delegation, hosts = [], gateways = [] } = canary.spec.service ?? {};
    if (delegation === true && (hosts.length > 0 || gateways.length > 0)) {
      const error =
        'service.delegation: a delegate VirtualService has no hosts and no gateways, remove them';
      return { ok: false, error };
    }
    const names = serviceNames(canary);
    const objects = [
      renderDestinationRule(canary, names.canary, live),
      renderDestinationRule(canary, names.primary, live),
      renderVirtualService(canary, split, cookies, live),
    ];
    return { ok: true, objects };
  },
  read: (canary, live) => {
    const found = live({ resource: virtualServices, name: serviceNames(canary).apex });
    if (found === undefined) return undefined;
    const { http, tcp } = specOf(found);
    return isTcp(canary) ? readTcp(canary, tcp) : readHttp(canary, http);
  },
  revert: (canary, live) => {
    const key = { resource: virtualServices, name: serviceNames(canary).apex };
    const found = live(key);
    const original = found && originalSpec(found);
    if (found === undefined || original === undefined) return [];
    const { [originalAnnotation]: _, ...annotations } = found.metadata.annotations ?? {};
    const metadata = { ...found.metadata, annotations };
    const wanted = { ...found, metadata, spec: original } as KubeObject;
    return [{ resource: virtualServices, live: found, wanted }];
  },
};

const isTcp = (canary: Canary): boolean =>
  canary.spec.service?.appProtocol?.toLowerCase() === 'tcp';

const specOf = (object: KubeObject): VirtualServiceSpec =>
  ((object as OpaqueObject).spec ?? {}) as VirtualServiceSpec;

function renderDestinationRule(canary: Canary, host: string, live: LiveRoutes): RenderedRoute {
  const resource = destinationRules;
  const { trafficPolicy } = canary.spec.service ?? {};
  const spec = { host, ...(trafficPolicy === undefined ? {} : { trafficPolicy }) };
  const found = live({ resource, name: host });
  if (found === undefined) {
    const wanted = { apiVersion: 'networking.istio.io/v1beta1', kind: 'DestinationRule' };
    return { resource, wanted: { ...wanted, metadata: owned(canary, host), spec } as KubeObject };
  }
  const { trafficPolicy: _, ...others } = specOf(found) as Record<string, Json>;
  return {
    resource,
    live: found,
    wanted: { ...found, spec: { ...others, ...spec } } as KubeObject,
  };
}

function renderVirtualService(
  canary: Canary,
  split: Split,
  cookies: Cookies,
  live: LiveRoutes,
): RenderedRoute {
  const resource = virtualServices;
  const { apex: name } = serviceNames(canary);
  const found = live({ resource, name });
  const rules = isTcp(canary)
    ? { tcp: tcpRules(canary, split) }
    : { http: httpRules(canary, split, cookies) };
  const custom = canary.spec.service?.apex;
  const annotations = { ...custom?.annotations, ...fluxAnnotations };
  if (found === undefined) {
    const metadata = { ...owned(canary, name), annotations };
    const labels = custom?.labels === undefined ? {} : { labels: custom.labels };
    const wanted = {
      apiVersion: 'networking.istio.io/v1beta1',
      kind: 'VirtualService',
      metadata: { ...metadata, ...labels },
      spec: { ...reach(canary), ...rules },
    };
    return { resource, wanted };
  }
  const { hosts: _, gateways: __, http: ___, tcp: ____, ...others } = specOf(found);
  const wanted = {
    ...found,
    metadata: {
      ...found.metadata,
      ...(custom?.labels === undefined
        ? {}
        : { labels: { ...found.metadata.labels, ...custom.labels } }),
      annotations: {
        ...found.metadata.annotations,
        ...annotations,
        ...keptOriginal(canary, found),
      },
    },
    spec: { ...others, ...reach(canary), ...rules },
  };
  return { resource, live: found, wanted };
}

/** Hosts and gateways: whose requests the VirtualService is about. */
function reach(canary: Canary) {
  const { delegation, hosts = [], gateways = [] } = canary.spec.service ?? {};
  // A delegate has neither; Istio's schema takes an absent list like an empty one.
  if (delegation === true) return {};
  const { apex } = serviceNames(canary);
  const reached = hosts.includes('*') || hosts.includes(apex) ? hosts : [...hosts, apex];
  return { hosts: reached, gateways: gateways.length > 0 ? gateways : ['mesh'] };
}

/** Written once, when the object of somebody else is taken over, and never again. */
function keptOriginal(canary: Canary, found: KubeObject) {
  const { annotations = {}, ownerReferences = [] } = found.metadata;
  const ours = ownerReferences.some(
    ({ kind, name }) => kind === 'Canary' && name === canary.metadata.name,
  );
  const taken = Object.keys(fluxAnnotations).every((key) => annotations[key] === 'disabled');
  if (ours || taken || originalAnnotation in annotations || lastAppliedAnnotation in annotations)
    return {};
  return { [originalAnnotation]: JSON.stringify((found as OpaqueObject).spec) };
}

function originalSpec(found: KubeObject): Json | undefined {
  const { annotations = {} } = found.metadata;
  const applied = annotations[lastAppliedAnnotation];
  const stored = applied ?? annotations[originalAnnotation];
  if (stored === undefined) return undefined;
  try {
    const parsed = JSON.parse(stored) as Json;
    if (applied === undefined) return parsed;
    return (parsed as { readonly spec?: Json }).spec;
  } catch {
    // Somebody edited what was kept; the object is left as it is rather than emptied.
    return undefined;
  }
}

function owned(canary: Canary, name: string) {
  const { metadata } = canary;
  return {
    name,
    namespace: metadata.namespace ?? '',
    ownerReferences: [
      {
        apiVersion: canaryApiVersion,
        kind: 'Canary',
        name: metadata.name,
        uid: metadata.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}
