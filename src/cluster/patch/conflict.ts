/**
 * Fields that somebody else owns with another value, in the words of the API server.
 * Rules: k8s.io/apimachinery, `util/managedfields/internal/conflict.go`.
 */
import type { StatusDetails } from '../../kube/api-error.ts';
import { StatusError } from '../status-error.ts';
import type { FieldSet } from './field-set.ts';
import { intersection, pathsOf, pathText } from './field-set.ts';
import type { ManagedFields, ManagedFieldsEntry } from './managed-fields.ts';

export interface Conflict {
  readonly owner: ManagedFieldsEntry;
  readonly path: readonly string[];
}

export function conflictsWith(owners: ManagedFields, changed: FieldSet): readonly Conflict[] {
  return owners.flatMap((owner) =>
    pathsOf(intersection(owner.fieldsV1, changed)).map((path) => ({ owner, path })),
  );
}

export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${nameOf(owner)}`,
    field: pathText(path),
  }));
  const details: StatusDetails = { causes };
  return new StatusError(messageOf(conflicts), { code: 409, reason: 'Conflict', details });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) {
    const { owner, path } = first;
    return `Apply failed with 1 conflict: conflict with ${nameOf(owner)}: ${pathText(path)}`;
  }
  const owners = [...new Set(conflicts.map(({ owner }) => owner))];
  const paragraphs = owners
    .toSorted((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1))
    .flatMap((owner) => [
      `conflicts with ${nameOf(owner)}:`,
      ...conflicts.filter((it) => it.owner === owner).map(({ path }) => `- ${pathText(path)}`),
    ]);
  return `Apply failed with ${conflicts.length} conflicts: ${paragraphs.join('\n')}`;
}

const sortKey = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string =>
  JSON.stringify({
    manager,
    operation,
    apiVersion: operation === 'Apply' ? undefined : apiVersion,
    subresource,
  });

/** `"kubectl-edit" with subresource "status" using apps/v1`. */
function nameOf({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const part = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const version = operation === 'Update' ? ` using ${apiVersion}` : '';
  return `${JSON.stringify(manager)}${part}${version}`;
}
