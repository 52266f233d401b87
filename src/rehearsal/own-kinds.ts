/** Aviary's own kinds as an API server with our definitions has them. */
import { customResourceDefinitions } from '../api/schema/crds.ts';
import type { CustomResourceDefinition } from '../cluster/crd.ts';
import { typesOf } from '../cluster/crd.ts';
import type { ResourceType } from '../cluster/resource-type.ts';

export const ownTypes = (): readonly ResourceType[] =>
  (customResourceDefinitions as unknown as readonly CustomResourceDefinition[]).flatMap(typesOf);
