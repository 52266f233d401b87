/**
 * A custom resource without a definition: any fields, nothing filled in, nothing refused. For worlds
 * in which nobody looks at it but the program under test.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import type { Resource } from '../kube/resources.ts';
import type { ResourceType } from './resource-type.ts';

export const openType = ({
  group,
  version,
  kind,
  plural,
  namespaced,
}: Resource<KubeObject>): ResourceType => ({
  group,
  version,
  kind,
  listKind: `${kind}List`,
  plural,
  singular: kind.toLowerCase(),
  shortNames: [],
  categories: [],
  namespaced,
  hasStatus: true,
  hasGeneration: true,
  schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  isCustom: true,
  columns: [],
  withDefaults: (object) => object,
  validate: () => [],
});
