/**
 * Istio (`spec/02`, 6.1): a VirtualService that splits, and a DestinationRule for each side.
 *
 *   rules, first match wins   [sticky canary] [sticky primary]  the weighted rule
 *   after a run               [bearers of its cookie drop it]   the weighted rule
 *   in an A/B test            matching users                    everybody else
 *
 * Hosts, gateways, http and tcp rules are ours, and are put right where they drift; other fields
 * of the spec, labels and annotations stay as others wrote them.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { Json, KubeObject } from '../api/kubernetes.ts';
import { apiVersionOf, destinationRules, virtualServices } from '../kube/resources.ts';
import type { OpaqueObject } from '../kube/resources.ts';
import type { HttpRoute, TcpRoute } from './istio-rules.ts';
import { httpRules, readHttp, readTcp, tcpRules } from './istio-rules.ts';
import type { Cookies, LiveRoutes, RenderedRoute, RoutingProvider, Split } from './provider.ts';
import { keptOriginal, originalSpec, withOriginal } from './original-spec.ts';
import { apexMetadata, owned } from './route-metadata.ts';

const apiVersion = apiVersionOf(virtualServices);

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
        'spec.service.delegation: a delegate has no hosts and no gateways of its own, remove them';
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
    return [{ resource: virtualServices, live: found, wanted: withOriginal(found, original) }];
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
    const metadata = owned(canary, host);
    return { resource, wanted: { apiVersion, kind: resource.kind, metadata, spec } as KubeObject };
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
  if (found === undefined) {
    const metadata = { ...owned(canary, name), ...apexMetadata(canary, {}) };
    const spec = { ...reach(canary), ...rules };
    return { resource, wanted: { apiVersion, kind: resource.kind, metadata, spec } as KubeObject };
  }
  const { hosts: _, gateways: __, http: ___, tcp: ____, ...others } = specOf(found);
  const metadata = {
    ...found.metadata,
    ...apexMetadata(canary, found.metadata, keptOriginal(canary, found, isSplit(canary, found))),
  };
  const spec = { ...others, ...reach(canary), ...rules };
  return { resource, live: found, wanted: { ...found, metadata, spec } as KubeObject };
}

/** Hosts and gateways: whose requests the VirtualService is about. */
function reach(canary: Canary) {
  const { delegation, hosts = [], gateways = [] } = canary.spec.service ?? {};
  if (delegation === true) return { hosts: [] };
  const { apex } = serviceNames(canary);
  const reached = hosts.includes('*') || hosts.includes(apex) ? hosts : [...hosts, apex];
  return { hosts: reached, gateways: gateways.length > 0 ? gateways : ['mesh'] };
}

function isSplit(canary: Canary, found: KubeObject): boolean {
  const { http, tcp } = specOf(found);
  return readHttp(canary, http) !== undefined || readTcp(canary, tcp) !== undefined;
}
