/**
 * What controllers say of a route in conditions of its status, as most do that are not gateways of
 * the Gateway API. One that does not say which generation it speaks of is taken to speak of the
 * present.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import type { Confirmation } from './provider.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

interface WithConditions extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface Conditions {
  /** Kind and name, as people are told. */
  readonly route: string;
  /** Who reports. */
  readonly controller: string;
  /** Those that must be `True`; of several, any that are there. */
  readonly types: readonly string[];
}

export function confirmByConditions(
  found: WithConditions | undefined,
  { route, controller, types }: Conditions,
): Confirmation {
  if (found === undefined) return { state: 'pending', why: `${route} is not there yet` };
  const { conditions = [], observedGeneration } = found.status ?? {};
  const judged = conditions.filter(({ type }) => types.includes(type));
  if (judged.length === 0) return { state: 'unreported', route };
  const { generation = 0 } = found.metadata;
  const isOld = judged.some(
    (it) => (it.observedGeneration ?? observedGeneration ?? generation) < generation,
  );
  if (isOld || judged.some(({ status }) => status !== 'True' && status !== 'False')) {
    return { state: 'pending', why: `${route} waits for ${controller}: not taken in yet` };
  }
  const refusal = judged.find(({ status }) => status === 'False');
  if (refusal === undefined) return { state: 'confirmed' };
  const { type, reason = '', message = '' } = refusal;
  const words = [`${type} ${reason}`.trim(), message].filter((it) => it !== '').join(': ');
  return { state: 'refused', message: `${route} refused by ${controller}: ${words}` };
}
