/**
 * The one label that tells the target's pods from the primary's, and the ports that pods offer
 * beside the main one (`spec/01`, 3.1 and 3.8).
 */
import type { Canary } from '../api/canary.ts';
import type { Deployment, ServicePort } from '../api/kubernetes.ts';

export interface Selector {
  readonly label: string;
  /** Of the target's pods; the primary's have `VALUE-primary`. */
  readonly value: string;
}

export type SelectorFound =
  | { readonly ok: true; readonly selector: Selector }
  | { readonly ok: false; readonly error: string };

/** The first of `labels` that the target selects its pods by. */
export function selectorOf(target: Deployment, labels: readonly string[]): SelectorFound {
  const { matchLabels = {} } = target.spec.selector;
  for (const label of labels) {
    const value = matchLabels[label];
    if (value !== undefined) return { ok: true, selector: { label, value } };
  }
  const { name, namespace = '' } = target.metadata;
  const expected = `must contain one of [${labels.join(' ')}]`;
  const error = `getSelectorLabel failed: deployment ${name}.${namespace} spec.selector.matchLabels ${expected}`;
  return { ok: false, error };
}

const sidecars: ReadonlySet<string> = new Set(['istio-proxy', 'envoy']);

/**
 * Ports of the pods that the Services get beside the main one, where the canary asks for them.
 * Unlike the reference's they keep their protocol, and none takes the main port's number or name.
 */
export function discoverPorts(canary: Canary, target: Deployment): readonly ServicePort[] {
  const { service } = canary.spec;
  if (service?.portDiscovery !== true) return [];
  const { port, portName = 'http', targetPort } = service;
  const main =
    targetPort === undefined || targetPort === 0 || targetPort === '0' ? port : targetPort;
  const found = new Map<string, ServicePort>();
  for (const container of target.spec.template.spec.containers) {
    if (sidecars.has(container.name)) continue;
    for (const [index, { name, containerPort, protocol = 'TCP' }] of (
      container.ports ?? []
    ).entries()) {
      if (containerPort === main || (name !== undefined && name === main)) continue;
      if (containerPort === port || name === portName) continue;
      const portNamed = name ?? `tcp-${container.name}-${index}`;
      found.set(portNamed, {
        name: portNamed,
        protocol,
        port: containerPort,
        targetPort: containerPort,
      });
    }
  }
  return [...found.values()];
}
