/**
 * The one label that tells the target's pods from the primary's, and the ports that pods offer
 * beside the main one (`spec/01`, 3.1 and 3.8).
 */
import type { Canary } from '../api/canary.ts';
import type {
  ContainerPort,
  DaemonSet,
  Deployment,
  PodTemplateSpec,
  ServicePort,
} from '../api/kubernetes.ts';

export interface Selector {
  readonly label: string;
  /** Of the target's pods; the primary's have `VALUE-primary`. */
  readonly value: string;
}

/** Of a target that has no pods of its own. */
export const noSelector: Selector = { label: '', value: '' };

export type SelectorFound =
  | { readonly ok: true; readonly selector: Selector }
  | { readonly ok: false; readonly error: string };

/** The first of `labels` that the target selects its pods by. */
export function selectorOf(
  target: Deployment | DaemonSet,
  labels: readonly string[],
): SelectorFound {
  const { matchLabels = {} } = target.spec.selector;
  for (const label of labels) {
    const value = matchLabels[label];
    if (value !== undefined) return { ok: true, selector: { label, value } };
  }
  const { name, namespace = '' } = target.metadata;
  const expected = `must contain one of [${labels.join(' ')}]`;
  const error = `getSelectorLabel failed: ${target.kind.toLowerCase()} ${name}.${namespace} spec.selector.matchLabels ${expected}`;
  return { ok: false, error };
}

const sidecars: ReadonlySet<string> = new Set(['istio-proxy', 'envoy']);

/** The port that `spec.service` names; the others are discovered. */
export function mainPort(canary: Canary): ServicePort {
  const { port = 0, portName, targetPort, appProtocol } = canary.spec.service ?? {};
  return {
    name: portName || 'http',
    protocol: 'TCP',
    port,
    targetPort: targetPort || port,
    ...(appProtocol ? { appProtocol } : {}),
  };
}

/**
 * Ports of the pods that the Services get beside the main one, where the canary asks for them.
 * Unlike the reference's they keep their protocol, and no two ports of the Service have the same
 * name, or the same number and protocol: the API server would refuse it.
 */
export function discoverPorts(canary: Canary, template: PodTemplateSpec): readonly ServicePort[] {
  if (canary.spec.service?.portDiscovery !== true) return [];
  const main = mainPort(canary);
  const taken = new Set([numberOf(main)]);
  const found = new Map<string, ServicePort>();
  for (const container of template.spec.containers) {
    if (sidecars.has(container.name)) continue;
    for (const [index, port] of (container.ports ?? []).entries()) {
      const offered = discovered(port, `tcp-${container.name}-${index}`, main);
      if (isTargetOf(main, port) || taken.has(numberOf(offered))) continue;
      taken.add(numberOf(offered));
      found.set(offered.name, offered);
    }
  }
  return [...found.values()];
}

const numberOf = ({ protocol, port }: ServicePort): string => `${protocol ?? 'TCP'}/${port}`;

function isTargetOf({ targetPort, protocol }: ServicePort, port: ContainerPort): boolean {
  if ((port.protocol ?? 'TCP') !== protocol) return false;
  return port.containerPort === targetPort || port.name === targetPort;
}

function discovered(
  { name, containerPort, protocol = 'TCP' }: ContainerPort,
  nameless: string,
  main: ServicePort,
) {
  const free = name !== undefined && name !== '' && name !== main.name;
  return { name: free ? name : nameless, protocol, port: containerPort, targetPort: containerPort };
}
