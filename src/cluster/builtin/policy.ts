/** Kinds of policy/v1. */
import type { KubeObject } from '../../api/kubernetes.ts';
import { age, column, integer } from './columns.ts';
import type { Kind } from './kind.ts';
import { validateDisruptionBudget } from './other-validation.ts';

interface DisruptionBudget extends KubeObject {
  readonly spec?: {
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
  };
  readonly status?: { readonly disruptionsAllowed?: number };
}

export const policyKinds = (): readonly Kind[] => [
  {
    definition: 'io.k8s.api.policy.v1.PodDisruptionBudget',
    group: 'policy',
    version: 'v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    validate: validateDisruptionBudget,
    shortNames: ['pdb'],
    hasStatus: true,
    columns: [
      column<DisruptionBudget>('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
      column<DisruptionBudget>('Max Unavailable', ({ spec }) =>
        String(spec?.maxUnavailable ?? 'N/A'),
      ),
      column<DisruptionBudget>(
        'Allowed Disruptions',
        ({ status }) => status?.disruptionsAllowed ?? 0,
        integer,
      ),
      age,
    ],
  },
];
