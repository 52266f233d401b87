/** What is told to people: one sentence about a canary, how bad it is, and some facts. */
import type { NamespacedName } from '../api/kubernetes.ts';

export type Severity = 'info' | 'warn' | 'error';

export interface AlertField {
  readonly name: string;
  readonly value: string;
}

export interface Alert {
  readonly severity: Severity;
  readonly canary: NamespacedName;
  readonly message: string;
  readonly fields: readonly AlertField[];
}

const rank: Readonly<Record<Severity, number>> = { info: 0, warn: 1, error: 2 };

/**
 * Whether who asks for a severity is told of another: of it and of all that is worse. Who names none
 * is told everything, as documented (M-15).
 */
export function receives(asked: Severity | '' | undefined, severity: Severity): boolean {
  return asked === undefined || asked === '' || rank[severity] >= rank[asked];
}

export const titleOf = ({ canary: { namespace, name } }: Alert): string => `${name}.${namespace}`;
