/** Kinds that are asked and not kept: who am I, and may I. Whoever gets in may do everything. */
import type { Json } from '../../api/kubernetes.ts';
import { age } from './columns.ts';
import type { Kind } from './kind.ts';

export const reviewKinds = (): readonly Kind[] => [
  {
    definition: 'io.k8s.api.authentication.v1.SelfSubjectReview',
    group: 'authentication.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    namespaced: false,
    columns: [age],
    answer: (object, { username, groups }) => ({
      ...object,
      status: { userInfo: { username, groups } as Json },
    }),
  },
  {
    definition: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    namespaced: false,
    columns: [age],
    answer: (object) => ({ ...object, status: { allowed: true } }),
  },
];
