/** The webhooks that are configured at the moment, as the write path asks them. */
import type { Log } from '../kube/log.ts';
import {
  mutatingWebhookConfigurations,
  namespaces,
  validatingWebhookConfigurations,
} from '../kube/resources.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceRegistry } from './registry.ts';
import { groupResourceOf } from './resource-type.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';
import type { CallWebhook } from './webhooks.ts';
import { createAdmissionChain } from './webhooks.ts';
import type { Admission } from './writing.ts';

export interface AdmissionOptions {
  readonly store: ObjectStore;
  readonly registry: ResourceRegistry;
  readonly call: CallWebhook;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

const mutating = groupResourceOf(mutatingWebhookConfigurations);
const validating = groupResourceOf(validatingWebhookConfigurations);

export function createAdmission({
  store,
  registry,
  call,
  random,
  log,
}: AdmissionOptions): Admission {
  const chain = createAdmissionChain({
    call,
    random,
    labelsOf: (name) => {
      const found = store.get(groupResourceOf(namespaces), { namespace: '', name });
      return found && (found.metadata.labels ?? {});
    },
    versionsOf: (type) =>
      registry.all().filter((it) => groupResourceOf(it) === groupResourceOf(type)),
    onFailedOpen: (webhook, error) =>
      log.warn({ webhook, error: error.message }, 'a webhook failed, and the request went on'),
  });
  const listed = (groupResource: string): readonly WebhookConfiguration[] =>
    store.list(groupResource);
  store.subscribe(({ groupResource }) => {
    if (groupResource !== mutating && groupResource !== validating) return;
    chain.configure(listed(mutating), listed(validating));
  });
  registry.onChange(() => chain.forget());
  return chain;
}
