/** Kinds of rbac.authorization.k8s.io/v1: kept, and never asked, since everybody may do all. */
import type { KubeObject } from '../../api/kubernetes.ts';
import { age, column, createdAt, wide } from './columns.ts';
import { each, inside } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { validateBinding, validateRole } from './rbac-validation.ts';

interface Binding extends KubeObject {
  readonly roleRef?: { readonly kind?: string; readonly name?: string };
  readonly subjects?: readonly {
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  }[];
}

const group = 'rbac.authorization.k8s.io';

const namesOf = ({ subjects = [] }: Binding, wanted: string): string =>
  subjects
    .filter(({ kind }) => kind === wanted)
    .map(({ name = '', namespace = '' }) =>
      wanted === 'ServiceAccount' ? `${namespace}/${name}` : name,
    )
    .join(', ');

const orGroup = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? value : group;

const role = (kind: string): Kind => ({
  definition: `io.k8s.api.rbac.v1.${kind}`,
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: kind === 'Role',
  columns: [createdAt],
  validate: validateRole(kind === 'Role'),
});

const binding = (kind: string): Kind => ({
  definition: `io.k8s.api.rbac.v1.${kind}`,
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: kind === 'RoleBinding',
  columns: [
    column<Binding>('Role', ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
    age,
    column<Binding>('Users', (object) => namesOf(object, 'User'), wide),
    column<Binding>('Groups', (object) => namesOf(object, 'Group'), wide),
    column<Binding>('ServiceAccounts', (object) => namesOf(object, 'ServiceAccount'), wide),
  ],
  validate: validateBinding(kind === 'RoleBinding'),
  defaults: {
    roleRef: inside({ apiGroup: orGroup }),
    subjects: each(
      inside({
        apiGroup: (value, { kind }) =>
          kind === 'User' || kind === 'Group' ? orGroup(value) : value,
      }),
    ),
  },
});

export const rbacKinds = (): readonly Kind[] => [
  role('Role'),
  role('ClusterRole'),
  binding('RoleBinding'),
  binding('ClusterRoleBinding'),
];
