/**
 * The three Services (`spec/01`, 3.7; `spec/02`, 4): the apex, which users call, and one for each
 * side. Rendered on top of the live objects: what is not ours stays, also labels and annotations
 * of others on Services of ours, which the reference removes.
 */
import { fluxAnnotations, lastAppliedAnnotation } from '../api/annotations.ts';
import type { Canary, CustomMetadata } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { Service, ServicePort, StringMap } from '../api/kubernetes.ts';
import { canonicalJson } from '../revision/canonical-json.ts';
import { isOwnedBy, ownerReferenceTo } from './metadata.ts';
import type { Selector } from './selector.ts';
import { mainPort } from './selector.ts';

export type ServiceRole = 'apex' | 'primary' | 'canary';

export interface ServiceOptions {
  readonly canary: Canary;
  readonly selector: Selector;
  /** Beside the main port. */
  readonly discovered: readonly ServicePort[];
}

/** The Service of a role as it must be, given the live one. */
export function renderService(
  role: ServiceRole,
  options: ServiceOptions,
  live: Service | undefined,
): Service {
  const { canary, selector } = options;
  const name = serviceNames(canary)[role];
  const value = role === 'canary' ? selector.value : `${selector.value}-primary`;
  const wanted = { [selector.label]: value };
  const custom = canary.spec.service?.[role];
  if (live === undefined) return newService(name, wanted, custom, options);
  const ports = mergePorts(portsOf(options), live.spec.ports ?? []);
  const spec = { ...live.spec, selector: wanted, ports };
  if (isOwnedBy(live, canary)) {
    return { ...live, metadata: ownedMetadata(live, name, custom, options), spec };
  }
  const stands = ports === live.spec.ports && sameMap(live.spec.selector, wanted);
  if (stands) return live;
  const annotations = { ...live.metadata.annotations, ...fluxAnnotations };
  return { ...live, metadata: { ...live.metadata, annotations }, spec };
}

/**
 * The apex Service as it was before it was taken over; undefined where nothing is to be done: one
 * that the canary owns goes with it.
 */
export function renderRevertedApex(options: ServiceOptions, live: Service): Service | undefined {
  const { canary, selector } = options;
  if (isOwnedBy(live, canary)) return undefined;
  const original = originalSelector(live);
  const wanted = original ?? { [selector.label]: selector.value };
  return { ...live, spec: { ...live.spec, selector: wanted } };
}

function originalSelector(live: Service): StringMap | undefined {
  const stored = live.metadata.annotations?.[lastAppliedAnnotation];
  if (stored === undefined) return undefined;
  try {
    return (JSON.parse(stored) as Partial<Service>).spec?.selector;
  } catch {
    // What kubectl stored is not JSON; the target's own label is as good a selector.
    return undefined;
  }
}

function newService(
  name: string,
  selector: StringMap,
  custom: CustomMetadata | undefined,
  options: ServiceOptions,
): Service {
  const { canary } = options;
  const { headless, trafficDistribution } = canary.spec.service ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: canary.metadata.namespace ?? '',
      labels: { ...custom?.labels, [options.selector.label]: name },
      annotations: { ...custom?.annotations, ...fluxAnnotations },
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: {
      type: 'ClusterIP',
      ...(headless === true ? { clusterIP: 'None' } : {}),
      ...(trafficDistribution ? { trafficDistribution } : {}),
      selector,
      ports: portsOf(options),
    },
  };
}

function ownedMetadata(
  live: Service,
  name: string,
  custom: CustomMetadata | undefined,
  { canary, selector }: ServiceOptions,
) {
  const { metadata } = live;
  const { labels = [], annotations = [] } = canary.spec.service?.unmanagedMetadata ?? {};
  const managed = (map: StringMap | undefined, unmanaged: readonly string[]): StringMap =>
    Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !unmanaged.includes(key)));
  return {
    ...metadata,
    labels: {
      ...metadata.labels,
      ...managed({ ...custom?.labels, [selector.label]: name }, labels),
    },
    annotations: {
      ...metadata.annotations,
      ...managed({ ...custom?.annotations, ...fluxAnnotations }, annotations),
    },
  };
}

const portsOf = ({ canary, discovered }: ServiceOptions): readonly ServicePort[] => [
  mainPort(canary),
  ...discovered,
];

/** The live ports where they are the wanted ones in any order; else these, with known node ports. */
function mergePorts(
  wanted: readonly ServicePort[],
  live: readonly ServicePort[],
): readonly ServicePort[] {
  const merged = wanted.map((port) => {
    const nodePort = nodePortOf(port, wanted, live);
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  // Their order means nothing.
  const describe = (ports: readonly ServicePort[]): string =>
    ports.map(withDefaults).map(canonicalJson).toSorted().join();
  return describe(merged) === describe(live) ? live : merged;
}

/** A node port belongs to the port's name; one that had another name, or none, to its number. */
function nodePortOf(
  port: ServicePort,
  wanted: readonly ServicePort[],
  live: readonly ServicePort[],
): number | undefined {
  const named = live.find(({ name }) => name === port.name);
  if (named !== undefined) return named.nodePort;
  const names = new Set(wanted.map(({ name }) => name));
  const numbered = live
    .map(withDefaults)
    .find((it) => it.port === port.port && it.protocol === port.protocol && !names.has(it.name));
  return numbered?.nodePort;
}

const withDefaults = (port: ServicePort) => ({
  ...port,
  protocol: port.protocol ?? 'TCP',
  targetPort: port.targetPort ?? port.port,
});

function sameMap(left: StringMap | undefined, right: StringMap): boolean {
  const keys = Object.keys(right);
  return (
    Object.keys(left ?? {}).length === keys.length &&
    keys.every((key) => left?.[key] === right[key])
  );
}
