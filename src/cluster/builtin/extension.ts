/** Kinds that extend the API: webhook configurations and definitions of custom resources. */
import type { CustomResourceDefinition } from '../crd.ts';
import type { StoredObject } from '../resource-type.ts';
import { validateDefinition } from '../schema/definition.ts';
import type { Json, KubeObject } from '../../api/kubernetes.ts';
import { age, column, createdAt, integer } from './columns.ts';
import { each, fill, filled, inside, isJsonObject, isList } from './defaulting.ts';
import type { Rule } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { validateWebhooks } from './extension-validation.ts';

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly object[];
}

const service = inside({ port: fill(443) });

const webhook: Readonly<Record<string, Rule>> = {
  clientConfig: inside({ service }),
  rules: each(inside({ scope: fill('*') })),
  failurePolicy: fill('Fail'),
  matchPolicy: fill('Equivalent'),
  namespaceSelector: fill({}),
  objectSelector: fill({}),
  timeoutSeconds: fill(10),
};

const webhooks = (kind: string, rules: Readonly<Record<string, Rule>>): Kind => ({
  definition: `io.k8s.api.admissionregistration.v1.${kind}`,
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: false,
  hasGeneration: true,
  categories: ['api-extensions'],
  columns: [
    column<WebhookConfiguration>('Webhooks', ({ webhooks = [] }) => webhooks.length, integer),
    age,
  ],
  defaults: { webhooks: each(inside(rules)) },
  validate: validateWebhooks,
});

const lowerCase = (value: Json | undefined): Json | undefined =>
  typeof value === 'string' ? value.toLowerCase() : undefined;

const names = filled({
  singular: (value, { kind }) => value ?? lowerCase(kind),
  listKind: (value, { kind }) => value ?? (typeof kind === 'string' ? `${kind}List` : undefined),
});

/** Decoded, it lacks nothing but versions. */
function asDefinition(object: StoredObject): CustomResourceDefinition {
  const definition = object as unknown as CustomResourceDefinition;
  const { versions } = definition.spec as { readonly versions: unknown };
  return isList(versions)
    ? definition
    : { ...definition, spec: { ...definition.spec, versions: [] } };
}

const noNames = { plural: '', kind: '' };

const customResourceDefinition: Kind = {
  definition: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  hasStatus: true,
  columns: [createdAt],
  defaults: {
    spec: inside({
      names,
      conversion: filled({
        strategy: fill('None'),
        webhook: inside({ clientConfig: inside({ service }) }),
      }),
    }),
  },
  validate: (object, before) =>
    validateDefinition(asDefinition(object), before && asDefinition(before)),
  // The version in which objects are stored, from the beginning.
  prepare: (object, before) => {
    const versions = isJsonObject(object.spec) ? object.spec['versions'] : undefined;
    const stored = (isList(versions) ? versions : []).flatMap((it) =>
      isJsonObject(it) && it['storage'] === true ? [it['name'] ?? ''] : [],
    );
    return before === undefined
      ? { ...object, status: { conditions: null, acceptedNames: noNames, storedVersions: stored } }
      : object;
  },
};

export const extensionKinds = (): readonly Kind[] => [
  webhooks('MutatingWebhookConfiguration', { ...webhook, reinvocationPolicy: fill('Never') }),
  webhooks('ValidatingWebhookConfiguration', webhook),
  customResourceDefinition,
];
