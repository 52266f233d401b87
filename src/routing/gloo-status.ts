/**
 * What Gloo says of a RouteTable: `status.statuses`, one entry for each namespace that Gloo runs in.
 * It does not say of which generation, and nothing of tables that nobody delegates to: so only what it
 * rejects tells.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import type { Confirmation } from './provider.ts';

interface Table extends KubeObject {
  readonly status?: {
    readonly statuses?: Readonly<
      Record<string, { readonly state?: string | number; readonly reason?: string }>
    >;
  };
}

/** By name, and as older versions number it. */
const rejected: ReadonlySet<unknown> = new Set(['Rejected', 2]);

export function confirmTable(name: string, found: Table | undefined): Confirmation {
  const route = `RouteTable ${name}`;
  if (found === undefined) return { state: 'pending', why: `${route} is not there yet` };
  const statuses = Object.values(found.status?.statuses ?? {});
  const refusal = statuses.find(({ state }) => rejected.has(state));
  if (refusal === undefined) return { state: 'confirmed' };
  const { reason = 'no reason given' } = refusal;
  return { state: 'refused', message: `${route} refused by Gloo: ${reason}` };
}
