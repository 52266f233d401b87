/** Kinds of coordination.k8s.io/v1. */
import type { Lease } from '../../api/kubernetes.ts';
import { age, column } from './columns.ts';
import type { Kind } from './kind.ts';
import { validateLease } from './other-validation.ts';

export const coordinationKinds = (): readonly Kind[] => [
  {
    definition: 'io.k8s.api.coordination.v1.Lease',
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    plural: 'leases',
    validate: validateLease,
    columns: [column<Lease>('Holder', ({ spec }) => spec?.holderIdentity ?? ''), age],
  },
];
