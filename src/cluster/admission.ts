/**
 * The admission of a cluster: the webhooks that its own configurations name, as they are at the
 * moment.
 */
import type { ObjectStore } from './object-store.ts';
import type { ResourceRegistry } from './registry.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';
import type { AdmissionChain, AdmissionChainOptions } from './webhooks.ts';
import { createAdmissionChain } from './webhooks.ts';

export interface AdmissionOptions extends Pick<
  AdmissionChainOptions,
  'call' | 'random' | 'onFailedOpen'
> {
  readonly store: ObjectStore;
  readonly registry: Pick<ResourceRegistry, 'all'>;
}

export interface ClusterAdmission extends AdmissionChain {
  /** No longer follows the configurations. */
  stop(): void;
}

const mutating = 'mutatingwebhookconfigurations.admissionregistration.k8s.io';
const validating = 'validatingwebhookconfigurations.admissionregistration.k8s.io';

/** A change of a configuration holds for the next write. */
export function createAdmission({
  store,
  registry,
  ...options
}: AdmissionOptions): ClusterAdmission {
  const chain = createAdmissionChain({
    ...options,
    labelsOf: (name) => store.get('namespaces', { namespace: '', name })?.metadata.labels,
    versionsOf: ({ group, plural, version }) =>
      registry
        .all()
        .filter((it) => it.group === group && it.plural === plural && it.version !== version),
  });
  const listed = (groupResource: string): readonly WebhookConfiguration[] =>
    store.list(groupResource);
  const configure = (): void => chain.configure(listed(mutating), listed(validating));
  let types = registry.all();
  const stop = store.subscribe(({ groupResource }) => {
    if (groupResource === mutating || groupResource === validating) configure();
  });
  configure();
  return {
    ...chain,
    concerns: (type, operation, subresource) => {
      // Resources that came may be other versions of those that rules name.
      if (types !== registry.all()) {
        types = registry.all();
        chain.forget();
      }
      return chain.concerns(type, operation, subresource);
    },
    stop,
  };
}
