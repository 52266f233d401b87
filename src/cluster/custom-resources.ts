/**
 * Custom resources come with their definitions and go with them. A definition that was written is
 * served at once, if nobody else has its names; one that is deleted takes its objects with it.
 */
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { customResourceDefinitions, resource } from '../kube/resources.ts';
import type { ControllerApi } from './controller-api.ts';
import type { CustomResourceDefinition } from './crd.ts';
import { acceptedStatus, isEstablished, typesOf } from './crd.ts';
import { timestamp } from './metadata.ts';
import type { ResourceRegistry } from './registry.ts';
import { groupResourceOf } from './resource-type.ts';
import { StatusError } from './status-error.ts';

export interface CustomResourcesOptions {
  readonly api: ControllerApi;
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly log: Log;
}

/** Holds a definition until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

const definitions = groupResourceOf(customResourceDefinitions);
const definitionResource: Resource<CustomResourceDefinition> = customResourceDefinitions as never;

const servedBy = ({ spec }: CustomResourceDefinition): string =>
  groupResourceOf({ group: spec.group, plural: spec.names.plural });

/** Answers how to stop. */
export function keepCustomResources({
  api,
  registry,
  clock,
  log,
}: CustomResourcesOptions): () => void {
  const settle = async (definition: CustomResourceDefinition): Promise<void> => {
    if (definition.metadata.deletionTimestamp !== undefined) {
      await cleanUp(api, definition);
      return;
    }
    const others = api.list(definitionResource);
    const status = acceptedStatus(definition, others, timestamp(clock.now()));
    const accepted = { ...definition, status };
    if (isEstablished(accepted)) registry.register(servedBy(definition), typesOf(definition));
    if (status !== definition.status) await api.update(definitionResource, accepted, 'status');
  };
  const reported = (definition: CustomResourceDefinition): void => {
    settle(definition).catch((error: unknown) => {
      // Somebody else wrote it meanwhile: that is a change of its own, and looked at.
      if (error instanceof StatusError && error.code === 409) return;
      log.error({ definition: definition.metadata.name, error: String(error) }, 'not served');
    });
  };
  return api.onChange(({ groupResource, before, after }) => {
    if (groupResource === definitions) {
      if (after !== undefined) reported(after as CustomResourceDefinition);
      else registry.register(servedBy(before as CustomResourceDefinition), []);
      return;
    }
    if (after !== undefined) return;
    const type = registry.of(groupResource);
    if (type?.isCustom !== true) return;
    const name = `${type.plural}.${type.group}`;
    const definition = api.get(definitionResource, { namespace: '', name });
    if (definition?.metadata.deletionTimestamp !== undefined) reported(definition);
  });
}

async function cleanUp(api: ControllerApi, definition: CustomResourceDefinition): Promise<void> {
  const { group, names, versions, scope } = definition.spec;
  const [version] = versions;
  const custom: Resource<OpaqueObject> = resource(
    `${group}/${version?.name ?? 'v1'}`,
    names.kind,
    names.plural,
    scope,
  );
  for (const { metadata } of api.list(custom)) {
    if (metadata.deletionTimestamp !== undefined) continue;
    await api.delete(custom, { namespace: metadata.namespace ?? '', name: metadata.name });
  }
  if (api.list(custom).length > 0) return;
  const { metadata } = definition;
  const live = api.get(definitionResource, { namespace: '', name: metadata.name });
  if (live === undefined) return;
  const finalizers = (live.metadata.finalizers ?? []).filter((it) => it !== cleanupFinalizer);
  await api.update(definitionResource, { ...live, metadata: { ...live.metadata, finalizers } });
}
