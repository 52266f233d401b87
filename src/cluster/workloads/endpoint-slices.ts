/** EndpointSlices: the pods that a Service leads to. Rules: Kubernetes docs, "EndpointSlices". */
import type { Service, ServicePort } from '../../api/kubernetes.ts';
import { services } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import type { EndpointSlice, Pod } from './kinds.ts';
import {
  controlledBy,
  controllerOf,
  endpointSlices,
  isGoing,
  isOver,
  isReady,
  pods,
  selects,
} from './kinds.ts';
import type { Controller } from './work-queue.ts';
import { keyOf, namesOf } from './work-queue.ts';

const serviceLabel = 'kubernetes.io/service-name';

export function endpointSliceController(api: ControllerApi): Controller {
  return {
    name: 'endpointslice',
    keysOf: ({ groupResource, before, after }) => {
      const object = after ?? before;
      if (object === undefined) return [];
      const { namespace, name } = object.metadata;
      if (groupResource === 'services') return [keyOf(namespace, name)];
      if (groupResource !== 'pods') return [];
      if (before !== undefined && after !== undefined && isSameTo(before as Pod, after as Pod)) {
        return [];
      }
      return api
        .list(services, namespace)
        .filter((it) => leadsTo(it, object as Pod) || leadsTo(it, (before ?? object) as Pod))
        .map((it) => keyOf(namespace, it.metadata.name));
    },
    reconcile: async (key) => {
      const service = api.get(services, namesOf(key));
      if (service?.spec.selector === undefined || isGoing(service)) return undefined;
      const { namespace = '', uid } = service.metadata;
      const found = api.list(pods, namespace).filter((pod) => leadsTo(service, pod));
      const live = new Map(
        api
          .list(endpointSlices, namespace)
          .filter((it) => controllerOf(it)?.uid === uid)
          .map((slice) => [portKey(slice), slice]),
      );
      const wanted = slicesOf(service, found);
      for (const slice of wanted) await write(api, slice, reused(live, wanted, slice));
      for (const { metadata } of live.values()) {
        await api.delete(endpointSlices, { namespace, name: metadata.name });
      }
      return undefined;
    },
  };
}

const portKey = ({ ports }: EndpointSlice): string => JSON.stringify(ports ?? []);

/** Takes the slice of the same ports, or one that nobody wants as it is, from those that there are. */
function reused(
  live: Map<string, EndpointSlice>,
  all: readonly EndpointSlice[],
  wanted: EndpointSlice,
): EndpointSlice | undefined {
  const taken = new Set(all.map(portKey));
  const own = portKey(wanted);
  const key = live.has(own) ? own : [...live.keys()].find((it) => !taken.has(it));
  const found = key === undefined ? undefined : live.get(key);
  if (key !== undefined) live.delete(key);
  return found;
}

async function write(
  api: ControllerApi,
  wanted: EndpointSlice,
  live: EndpointSlice | undefined,
): Promise<void> {
  if (live === undefined) {
    await api.create(endpointSlices, wanted);
    return;
  }
  const { endpoints, ports } = wanted;
  const isSame =
    isEqual(live.endpoints ?? [], endpoints ?? []) && isEqual(live.ports ?? [], ports ?? []);
  if (!isSame) await api.update(endpointSlices, { ...live, endpoints, ports });
}

/** To who is led there. */
const isSameTo = (before: Pod, after: Pod): boolean =>
  isReady(before) === isReady(after) &&
  isGoing(before) === isGoing(after) &&
  before.status?.podIP === after.status?.podIP &&
  before.metadata.labels === after.metadata.labels;

const leadsTo = ({ spec: { selector } }: Service, { metadata }: Pod): boolean =>
  selector !== undefined && selects({ matchLabels: selector }, metadata.labels);

/** One for each set of ports, for pods may call different ones by one name; one, if for nobody. */
function slicesOf(service: Service, found: readonly Pod[]): readonly EndpointSlice[] {
  const groups = new Map<string, { ports: readonly object[]; endpoints: readonly object[] }>();
  for (const pod of found) {
    const endpoint = endpointOf(service, pod);
    if (endpoint === undefined) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const known = groups.get(key)?.endpoints ?? [];
    groups.set(key, { ports, endpoints: [...known, endpoint] });
  }
  if (groups.size === 0) groups.set('', { ports: [], endpoints: [] });
  const { name, namespace = '', labels } = service.metadata;
  const metadata = {
    name: '',
    generateName: `${name}-`,
    namespace,
    labels: {
      ...labels,
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      [serviceLabel]: name,
      ...(service.spec.clusterIP === 'None' && { 'service.kubernetes.io/headless': '' }),
    },
    ownerReferences: [controlledBy(service)],
  };
  return [...groups.values()].map((group) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    ...group,
  }));
}

function endpointOf({ spec }: Service, pod: Pod): object | undefined {
  const { podIP } = pod.status ?? {};
  if (podIP === undefined || isOver(pod)) return undefined;
  const serving = isReady(pod);
  const terminating = isGoing(pod);
  const { publishNotReadyAddresses = false } = spec as { publishNotReadyAddresses?: boolean };
  const { name, namespace = '', uid = '' } = pod.metadata;
  return {
    addresses: [podIP],
    conditions: {
      ready: publishNotReadyAddresses || (serving && !terminating),
      serving,
      terminating,
    },
    ...(pod.spec.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

/** A named port is what the pod calls so; one that it does not have is left out. */
function portsOf({ spec }: Service, pod: Pod): readonly object[] {
  const named = pod.spec.containers.flatMap(({ ports = [] }) => ports);
  return (spec.ports ?? []).flatMap(
    ({ name = '', protocol = 'TCP', port, targetPort = port, appProtocol }: ServicePort) => {
      const number =
        typeof targetPort === 'number'
          ? targetPort
          : named.find((it) => it.name === targetPort)?.containerPort;
      if (number === undefined) return [];
      return [{ name, protocol, port: number, ...(appProtocol !== undefined && { appProtocol }) }];
    },
  );
}
