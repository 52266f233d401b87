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
      const { namespace = '' } = service.metadata;
      const found = api.list(pods, namespace).filter((pod) => leadsTo(service, pod));
      const wanted = sliceOf(service, found);
      const live = api
        .list(endpointSlices, namespace)
        .find((it) => controllerOf(it)?.uid === service.metadata.uid);
      if (live === undefined) await api.create(endpointSlices, wanted);
      else if (
        !isEqual([live.endpoints ?? [], live.ports ?? []], [wanted.endpoints, wanted.ports])
      ) {
        const { endpoints, ports } = wanted;
        await api.update(endpointSlices, { ...live, endpoints, ports });
      }
      return undefined;
    },
  };
}

/** To who is led there. */
const isSameTo = (before: Pod, after: Pod): boolean =>
  isReady(before) === isReady(after) &&
  isGoing(before) === isGoing(after) &&
  before.status?.podIP === after.status?.podIP &&
  before.metadata.labels === after.metadata.labels;

const leadsTo = ({ spec: { selector } }: Service, { metadata }: Pod): boolean =>
  selector !== undefined && selects({ matchLabels: selector }, metadata.labels);

function sliceOf(service: Service, found: readonly Pod[]): EndpointSlice {
  const { name, namespace = '' } = service.metadata;
  const { ports = [] } = service.spec;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${name}-`,
      namespace,
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        [serviceLabel]: name,
      },
      ownerReferences: [controlledBy(service)],
    },
    addressType: 'IPv4',
    endpoints: found.flatMap((pod) => endpointOf(pod)),
    ports: ports.map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      port: targetOf(port, found),
      ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
    })),
  };
}

function endpointOf(pod: Pod): readonly object[] {
  const { podIP } = pod.status ?? {};
  if (podIP === undefined) return [];
  const ready = isReady(pod);
  const { name, namespace = '', uid = '' } = pod.metadata;
  return [
    {
      addresses: [podIP],
      conditions: { ready: ready && !isGoing(pod), serving: ready, terminating: isGoing(pod) },
      ...(pod.spec.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
      targetRef: { kind: 'Pod', namespace, name, uid },
    },
  ];
}

/** A named port is what the pods call so. */
function targetOf({ port, targetPort = port }: ServicePort, found: readonly Pod[]): number {
  if (typeof targetPort === 'number') return targetPort;
  const named = found
    .flatMap(({ spec }) => spec.containers)
    .flatMap(({ ports = [] }) => ports)
    .find(({ name }) => name === targetPort);
  return named?.containerPort ?? port;
}
