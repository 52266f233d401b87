/**
 * What the gateways say of a route: `status.parents` of the Gateway API (GEP-1364), one entry for
 * each parent and controller. A route is in effect where every parent that it names has accepted its
 * present generation and resolved what it refers to.
 *
 * `observedGeneration` is optional there: who does not say it is taken to speak of the present.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpaqueObject } from '../kube/resources.ts';
import type { Confirmation } from './provider.ts';

interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

interface RouteCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

interface ParentStatus {
  readonly parentRef: ParentRef;
  readonly controllerName?: string;
  readonly conditions?: readonly RouteCondition[];
}

interface Route {
  readonly spec?: { readonly parentRefs?: readonly ParentRef[] };
  readonly status?: { readonly parents?: readonly ParentStatus[] };
}

/** What each condition must say; others tell nothing about whether traffic follows the route. */
const wanted: Readonly<Record<string, 'True' | 'False'>> = {
  Accepted: 'True',
  ResolvedRefs: 'True',
  // Rules that the gateway left out: weights among them would not be what they seem.
  PartiallyInvalid: 'False',
};

/** Worst first: one parent that refuses is enough. */
const order: readonly Confirmation['state'][] = ['refused', 'pending', 'unreported', 'confirmed'];

export function confirmRoute(
  kind: string,
  name: string,
  found: KubeObject | undefined,
): Confirmation {
  const route = `${kind} ${name}`;
  if (found === undefined) return { state: 'pending', why: `${route} is not there yet` };
  const { spec, status } = found as OpaqueObject & Route;
  const answers = (spec?.parentRefs ?? []).flatMap((parent) => {
    const reports = (status?.parents ?? []).filter(({ parentRef }) =>
      isSame(parent, parentRef, found.metadata.namespace),
    );
    if (reports.length === 0) return [{ state: 'unreported', route } as const];
    return latest(reports).map((report) => answerOf(route, report, found.metadata.generation ?? 0));
  });
  const worst = order.map((state) => answers.find((answer) => answer.state === state));
  return worst.find((answer) => answer !== undefined) ?? { state: 'confirmed' };
}

/** Entries of a controller that is no longer there stay, of the generation that it saw last. */
function latest(reports: readonly ParentStatus[]): readonly ParentStatus[] {
  const generationOf = ({ conditions = [] }: ParentStatus): number =>
    Math.max(0, ...conditions.map(({ observedGeneration = 0 }) => observedGeneration));
  const newest = Math.max(...reports.map(generationOf));
  return reports.filter((report) => generationOf(report) === newest);
}

/** What the API fills in does not make another parent of it. */
function isSame(one: ParentRef, other: ParentRef, namespace = ''): boolean {
  const whole = ({ group = gatewayGroup, kind = 'Gateway', ...ref }: ParentRef) =>
    [
      group,
      kind,
      ref.namespace ?? namespace,
      ref.name,
      ref.sectionName ?? '',
      ref.port ?? 0,
    ].join();
  return whole(one) === whole(other);
}

const gatewayGroup = 'gateway.networking.k8s.io';

function answerOf(route: string, report: ParentStatus, generation: number): Confirmation {
  const { parentRef, controllerName = 'its controller', conditions = [] } = report;
  const parent = `${parentRef.kind ?? 'Gateway'} ${parentRef.name}`;
  const judged = conditions.filter(({ type }) => wanted[type] !== undefined);
  if (!judged.some(({ type }) => type === 'Accepted')) return { state: 'unreported', route };
  const isOld = judged.some(
    ({ observedGeneration = generation }) => observedGeneration < generation,
  );
  const open = judged.some(({ status }) => status !== 'True' && status !== 'False');
  if (isOld || open) {
    const why = `${route} waits for ${parent}: ${controllerName} has not taken it in yet`;
    return { state: 'pending', why };
  }
  const refusal = judged.find(({ type, status }) => status !== wanted[type]);
  if (refusal === undefined) return { state: 'confirmed' };
  const { type, reason = '', message = '' } = refusal;
  const words = message === '' ? reason : `${reason}: ${message}`;
  return { state: 'refused', message: `${route} refused by ${parent}: ${type} ${words}` };
}
