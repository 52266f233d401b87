/**
 * Services as targets (`spec/01`, 3.5): what is released is where a Service leads. The target is the
 * apex, which routes are about, and stays as it is; each side has a copy of it.
 */
import { fluxAnnotations, lastAppliedAnnotation, revisionAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { ObjectMeta, Service, ServicePort, StringMap } from '../api/kubernetes.ts';
import { services } from '../kube/resources.ts';
import { hashNumber, hashValue } from '../revision/hash.ts';
import { referenceHashOf } from '../revision/reference-hash.ts';
import { ownerReferenceTo, withoutForeignMarks } from './metadata.ts';
import type { PrimaryOptions } from './primary.ts';
import { promotedMetadata } from './primary.ts';
import { noSelector } from './selector.ts';
import { targetKind } from './target-kind.ts';

type ServiceSpec = Service['spec'];

/** What belongs to one Service alone: two cannot have the same address or node port (D7). */
function withoutAddresses({
  clusterIP,
  clusterIPs: _addresses,
  healthCheckNodePort: _healthCheck,
  ports,
  ...spec
}: ServiceSpec): ServiceSpec {
  const isHeadless = clusterIP === 'None';
  return {
    ...spec,
    ...(isHeadless ? { clusterIP } : {}),
    ...(ports === undefined
      ? {}
      : { ports: ports.map(({ nodePort: _nodePort, ...port }) => port) }),
  };
}

/** The target's spec with the addresses of the live copy. */
function copiedSpec(target: Service, live: Service | undefined): ServiceSpec {
  const spec = withoutAddresses(target.spec);
  if (live === undefined || spec.type === 'ExternalName') return spec;
  const { clusterIP, clusterIPs, healthCheckNodePort, ports = [] } = live.spec;
  const balanced = spec.type === 'LoadBalancer' && healthCheckNodePort !== undefined;
  return {
    ...(clusterIP === undefined ? {} : { clusterIP }),
    ...(clusterIPs === undefined ? {} : { clusterIPs }),
    ...(balanced ? { healthCheckNodePort } : {}),
    ...spec,
    ports: (spec.ports ?? []).map((port) => withNodePort(port, spec, ports)),
  };
}

/** A node port belongs to the port's number and protocol, for as long as the type has node ports. */
function withNodePort(
  port: ServicePort,
  { type = 'ClusterIP' }: ServiceSpec,
  live: readonly ServicePort[],
): ServicePort {
  const nameOf = ({ port: number, protocol = 'TCP' }: ServicePort) => `${protocol}/${number}`;
  const nodePort = live.find((it) => nameOf(it) === nameOf(port))?.nodePort;
  return nodePort === undefined || type === 'ClusterIP' ? port : { ...port, nodePort };
}

/** Marks of the target that are about the target. */
function copiedAnnotations(annotations: StringMap | undefined): StringMap {
  const { [lastAppliedAnnotation]: _, ...others } = withoutForeignMarks(annotations);
  return others;
}

const copiedMetadata = (canary: Canary, { metadata }: Service, name: string): ObjectMeta => ({
  name,
  namespace: metadata.namespace ?? '',
  labels: withoutForeignMarks(metadata.labels),
  annotations: { ...copiedAnnotations(metadata.annotations), ...fluxAnnotations },
  ownerReferences: [ownerReferenceTo(canary)],
});

/** Leads where the target leads, at every look. */
export function renderCanaryService(
  canary: Canary,
  target: Service,
  live: Service | undefined,
): Service {
  const { trafficDistribution } = canary.spec.service ?? {};
  const metadata = copiedMetadata(canary, target, serviceNames(canary).canary);
  const { labels, annotations } = live?.metadata ?? {};
  return {
    ...live,
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...metadata,
      ...live?.metadata,
      labels: { ...labels, ...metadata.labels },
      annotations: { ...annotations, ...metadata.annotations },
    },
    spec: { ...copiedSpec(target, live), ...(trafficDistribution ? { trafficDistribution } : {}) },
  };
}

/** Leads where the target led when it was first seen, or last promoted. */
export function renderPrimaryService(options: PrimaryOptions<Service>): Service {
  const { canary, target, revision } = options;
  const metadata = copiedMetadata(canary, target, serviceNames(canary).primary);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [revisionAnnotation]: revision },
    },
    spec: copiedSpec(target, undefined),
  };
}

export const renderServicePromotion = (
  options: PrimaryOptions<Service>,
  primary: Service,
): Service => ({
  ...primary,
  metadata: promotedMetadata(options, primary, {}),
  spec: copiedSpec(options.target, primary),
});

const hashOf = ({ spec }: Service): string => hashValue(withoutAddresses(spec));

/** It has no pods of its own, so none are waited for, and none are scaled. */
export const serviceKind = targetKind<Service>({
  resource: services,
  hasServices: false,
  is: (object): object is Service => object.kind === 'Service' && object.apiVersion === 'v1',
  released: ({ spec }) => withoutAddresses(spec),
  hash: hashOf,
  referenceHash: ({ spec }) => referenceHashOf('v1.ServiceSpec', spec),
  generation: (target) => hashNumber(hashOf(target)),
  template: () => undefined,
  selector: () => ({ ok: true, selector: noSelector }),
  size: () => ({ replicas: 1, availablePods: 1 }),
  readiness: () => ({ kind: 'Ready' }),
  notReady: { target: (_name, text) => text, primary: (_name, text) => text },
  shortage: () => undefined,
  scaleUpReplicas: () => 1,
  scaling: () => undefined,
  renderPrimary: renderPrimaryService,
  renderPromotion: renderServicePromotion,
  primaryAgrees: ({ target }, primary) => hashOf(target) === hashOf(primary),
  renderCanaryService,
  restored: (lost) => ({ ...lost, spec: withoutAddresses(lost.spec) }),
});
