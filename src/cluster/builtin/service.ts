/** v1 Service: its defaults, its addresses. */
import type { Json, KubeObject, StringMap } from '../../api/kubernetes.ts';
import type { StoredObject } from '../resource-type.ts';
import { age, column, shownLabels, wide } from './columns.ts';
import type { JsonObject, Rule } from './defaulting.ts';
import { each, fill, inside, isJsonObject, isList, withField } from './defaulting.ts';
import type { Kind } from './kind.ts';
import type { ServiceAddresses } from './service-addresses.ts';
import { validateService } from './service-validation.ts';

export type { ServiceAddresses };

interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIPs?: readonly string[];
    readonly externalIPs?: readonly string[];
    readonly externalName?: string;
    readonly selector?: StringMap;
    readonly ports?: readonly {
      readonly port: number;
      readonly nodePort?: number;
      readonly protocol?: string;
    }[];
  };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

/** Seconds for which a client stays with its pod. */
const affinitySeconds = 10_800;

const typeOf = (spec: JsonObject): Json | undefined => spec['type'];
const hasNodePorts = (spec: JsonObject): boolean =>
  typeOf(spec) === 'NodePort' || typeOf(spec) === 'LoadBalancer';
const hasClusterIp = (spec: JsonObject): boolean => typeOf(spec) !== 'ExternalName';

const isExternal = (spec: JsonObject): boolean =>
  hasNodePorts(spec) || (hasClusterIp(spec) && isList(spec['externalIPs']));

const sessionAffinityConfig: Rule = (value, spec) => {
  if (spec['sessionAffinity'] !== 'ClientIP') return undefined;
  const config = isJsonObject(value) ? value : {};
  const { clientIP } = config;
  const isSet = isJsonObject(clientIP) && clientIP['timeoutSeconds'] !== undefined;
  return isSet ? value : { clientIP: { timeoutSeconds: affinitySeconds } };
};

const ports = each(
  inside({
    protocol: fill('TCP'),
    targetPort: (value, port) =>
      value === undefined || value === 0 || value === '' ? port['port'] : value,
  }),
);

const spec = inside({
  ports,
  sessionAffinity: fill('None'),
  sessionAffinityConfig,
  type: fill('ClusterIP'),
  externalTrafficPolicy: (value, spec) => value ?? (isExternal(spec) ? 'Cluster' : undefined),
  internalTrafficPolicy: (value, spec) => value ?? (hasClusterIp(spec) ? 'Cluster' : undefined),
  allocateLoadBalancerNodePorts: (value, spec) =>
    value ?? (typeOf(spec) === 'LoadBalancer' ? true : undefined),
});

const ingressModes = inside({
  loadBalancer: inside({
    ingress: each(
      inside({
        ipMode: (value, ingress) => value ?? (ingress['ip'] === undefined ? undefined : 'VIP'),
      }),
    ),
  }),
});

/** What an address family or a port was before stays, unless somebody says otherwise. */
function allocated(
  wanted: JsonObject,
  before: JsonObject | undefined,
  addresses: ServiceAddresses,
): JsonObject {
  if (!hasClusterIp(wanted)) return withoutAddresses(wanted);
  const old = before !== undefined && hasClusterIp(before) ? before : undefined;
  let found = withClusterIp(wanted, old, addresses);
  const { allocateLoadBalancerNodePorts: isAllocating } = found;
  const isUnbalanced = before?.['type'] === 'LoadBalancer' && typeOf(found) !== 'LoadBalancer';
  if (isUnbalanced && isAllocating === before['allocateLoadBalancerNodePorts']) {
    found = withField(found, 'allocateLoadBalancerNodePorts', undefined);
  }
  if (hasNodePorts(found) && found['allocateLoadBalancerNodePorts'] !== false) {
    found = withNodePorts(found, old, addresses);
  } else if (!hasNodePorts(found) && old !== undefined && hasNodePorts(old)) {
    found = withoutNodePorts(found, old);
    const { externalTrafficPolicy } = found;
    // What only the old type could have, and nobody changed.
    if (externalTrafficPolicy === old['externalTrafficPolicy'] && !isExternal(found)) {
      found = withField(found, 'externalTrafficPolicy', undefined);
    }
  }
  return found;
}

const addressFields = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'];

function withoutAddresses(spec: JsonObject): JsonObject {
  return addressFields.reduce((found, name) => {
    return found[name] === undefined ? found : withField(found, name, undefined);
  }, spec);
}

const hasText = (value: Json | undefined): value is string =>
  typeof value === 'string' && value !== '';

function withClusterIp(
  wanted: JsonObject,
  old: JsonObject | undefined,
  addresses: ServiceAddresses,
): JsonObject {
  const { clusterIP, clusterIPs } = wanted;
  const first = isList(clusterIPs) ? clusterIPs[0] : undefined;
  let address: Json | undefined = hasText(clusterIP) ? clusterIP : first;
  if (!hasText(address)) address = old?.['clusterIP'];
  if (!hasText(address)) address = addresses.clusterIp(undefined);
  else if (old === undefined && address !== 'None') addresses.clusterIp(address);
  const isIpv6 = hasText(address) && address.includes(':');
  const isWhole =
    clusterIP === address &&
    first === address &&
    wanted['ipFamilies'] !== undefined &&
    wanted['ipFamilyPolicy'] !== undefined;
  if (isWhole) return wanted;
  return {
    ...wanted,
    clusterIP: address ?? '',
    clusterIPs: isList(clusterIPs) && clusterIPs.length > 0 ? clusterIPs : [address ?? ''],
    ipFamilies: wanted['ipFamilies'] ?? old?.['ipFamilies'] ?? [isIpv6 ? 'IPv6' : 'IPv4'],
    ipFamilyPolicy: wanted['ipFamilyPolicy'] ?? old?.['ipFamilyPolicy'] ?? 'SingleStack',
  };
}

const portsOf = (spec: JsonObject | undefined): readonly Json[] => {
  const ports = spec?.['ports'];
  return isList(ports) ? ports : [];
};

function withNodePorts(
  wanted: JsonObject,
  old: JsonObject | undefined,
  addresses: ServiceAddresses,
): JsonObject {
  const oldPorts = portsOf(old).filter(isJsonObject);
  const ports = portsOf(wanted).map((port): Json => {
    if (!isJsonObject(port) || typeof port['nodePort'] === 'number') return port;
    const same = oldPorts.find(
      (it) => it['port'] === port['port'] && it['protocol'] === port['protocol'],
    );
    const nodePort = same?.['nodePort'] ?? addresses.nodePort(undefined);
    return { ...port, nodePort };
  });
  const isSame = ports.every((port, index) => port === portsOf(wanted)[index]);
  return isSame ? wanted : { ...wanted, ports };
}

/** Ports that the old type had, and the new one cannot have, go unless they were changed. */
function withoutNodePorts(wanted: JsonObject, old: JsonObject): JsonObject {
  const oldPorts = new Set(portsOf(old).map((port) => isJsonObject(port) && port['nodePort']));
  const ports = portsOf(wanted).map((port): Json =>
    isJsonObject(port) && port['nodePort'] !== undefined && oldPorts.has(port['nodePort'])
      ? withField(port, 'nodePort', undefined)
      : port,
  );
  return { ...wanted, ports };
}

function externalIpOf({ spec = {}, status }: Service): string {
  const { type = 'ClusterIP', externalIPs = [], externalName = '' } = spec;
  switch (type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.length === 0 ? '<none>' : externalIPs.join(',');
    case 'LoadBalancer': {
      const found = (status?.loadBalancer?.ingress ?? []).map(
        ({ ip, hostname }) => ip ?? hostname ?? '',
      );
      const all = [...[...new Set(found)].toSorted(), ...externalIPs];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return externalName;
    default:
      return '<unknown>';
  }
}

function portsText({ spec }: Service): string {
  const texts = (spec?.ports ?? []).map(({ port, nodePort = 0, protocol = 'TCP' }) =>
    nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return texts.length === 0 ? '<none>' : texts.join(',');
}

export const serviceKind = (addresses: ServiceAddresses): Kind => ({
  definition: 'io.k8s.api.core.v1.Service',
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  validate: validateService,
  shortNames: ['svc'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: false,
  selectableFields: ['spec.clusterIP', 'spec.type'],
  columns: [
    column<Service>('Type', ({ spec }) => spec?.type ?? ''),
    column<Service>('Cluster-IP', ({ spec }) => spec?.clusterIPs?.[0] ?? '<none>'),
    column<Service>('External-IP', externalIpOf),
    column<Service>('Port(s)', portsText),
    age,
    column<Service>('Selector', ({ spec }) => shownLabels(spec?.selector), wide),
  ],
  defaults: { spec },
  complete: (object) => {
    const status = ingressModes(object.status, {});
    return status === object.status || status === undefined ? object : { ...object, status };
  },
  prepare: (object: StoredObject, before: StoredObject | undefined) => {
    const { spec: wanted } = object;
    const old = before?.spec;
    if (!isJsonObject(wanted) || wanted === old) return object;
    const found = allocated(wanted, isJsonObject(old) ? old : undefined, addresses);
    return found === wanted ? object : { ...object, spec: found };
  },
});
