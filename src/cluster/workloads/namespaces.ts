/** Namespaces: furnished when they come, emptied when they go. */
import type { Condition, KubeObject } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import { configMaps, namespaces } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import { isEqual } from '../json.ts';
import { timestamp } from '../metadata.ts';
import type { StatusError } from '../status-error.ts';
import { isGoing, serviceAccounts } from './kinds.ts';
import type { Found, ObjectIndex } from './object-index.ts';
import type { Controller } from './work-queue.ts';

export interface NamespacesOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly index: ObjectIndex;
  /** What every namespace has: a ServiceAccount, and the CA of the API server. */
  readonly isFurnished: boolean;
}

type Namespace = KubeObject & {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
};

/** What holds contents back is looked at again after so long. */
const againMs = 1_000;

export function namespaceController(options: NamespacesOptions): Controller {
  const { api, index, isFurnished } = options;
  return {
    name: 'namespace',
    keysOf: ({ groupResource, before, after }) => {
      if (groupResource === 'namespaces') return after === undefined ? [] : [after.metadata.name];
      const { namespace = '' } = (after ?? before)?.metadata ?? {};
      const isWaited = after === undefined && namespace !== '';
      if (!isWaited) return [];
      const home = api.get(namespaces, { namespace: '', name: namespace });
      return home !== undefined && isGoing(home) ? [namespace] : [];
    },
    reconcile: async (name) => {
      const found = api.get<Namespace>(namespaces, { namespace: '', name });
      if (found === undefined) return undefined;
      if (!isGoing(found)) {
        if (isFurnished) await furnish(api, name);
        return undefined;
      }
      for (const { object, resource } of index.within(name)) {
        if (isGoing(object)) continue;
        await api.delete(
          resource,
          { namespace: name, name: object.metadata.name },
          { propagation: 'Background' },
        );
      }
      const left = index.within(name);
      if (left.length > 0) {
        await report(options, name, left);
        return againMs;
      }
      const live = api.get<Namespace>(namespaces, { namespace: '', name });
      if (live !== undefined) await api.update(namespaces, { ...live, spec: {} } as Namespace);
      return undefined;
    },
  };
}

/** A refusal because the namespace is about to go. */
export const isTerminating = ({ details }: StatusError): boolean =>
  details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;

async function furnish(api: ControllerApi, namespace: string): Promise<void> {
  if (api.get(serviceAccounts, { namespace, name: 'default' }) === undefined) {
    const metadata = { name: 'default', namespace };
    await api.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }
  if (api.get(configMaps, { namespace, name: 'kube-root-ca.crt' }) === undefined) {
    const metadata = { name: 'kube-root-ca.crt', namespace };
    await api.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'ca.crt': '' },
    });
  }
}

/** Says what is still there, and what holds it. */
async function report(
  { api, clock }: NamespacesOptions,
  name: string,
  left: readonly Found[],
): Promise<void> {
  const live = api.get<Namespace>(namespaces, { namespace: '', name });
  if (live === undefined) return;
  const kinds = counted(left.map(({ resource: { plural, group } }) => `${plural}.${group}`));
  const held = counted(left.flatMap(({ object }) => object.metadata.finalizers ?? []));
  const remaining = kinds.map(([it, count]) => `${it} has ${count} resource instances`);
  const finalizers = held.map(([it, count]) => `${it} in ${count} resource instances`);
  const time = timestamp(clock.now());
  const condition = (
    type: string,
    status: 'True' | 'False',
    reason: string,
    message: string,
  ): Condition => {
    const known = live.status?.conditions?.find((it) => it.type === type);
    const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? time) : time;
    return { type, status, lastTransitionTime, reason, message };
  };
  const conditions = [
    condition(
      'NamespaceContentRemaining',
      'True',
      'SomeResourcesRemain',
      `Some resources are remaining: ${remaining.join(', ')}`,
    ),
    finalizers.length > 0
      ? condition(
          'NamespaceFinalizersRemaining',
          'True',
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
        )
      : condition(
          'NamespaceFinalizersRemaining',
          'False',
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ),
  ];
  const status = { phase: 'Terminating', conditions };
  if (!isEqual(live.status, status)) {
    await api.update(namespaces, { ...live, status } as Namespace, 'status');
  }
}

function counted(texts: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
}
