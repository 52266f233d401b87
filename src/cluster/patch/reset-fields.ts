/**
 * What a write through the object itself, or through a subresource, cannot change: nobody comes to
 * own it by such a write, and nobody loses it.
 * Rules: `GetResetFields` of the strategies in k8s.io/kubernetes, `pkg/registry`, and of
 * k8s.io/apiextensions-apiserver, `registry/customresource`.
 */
import type { ResourceType } from '../resource-type.ts';
import type { FieldSet } from './field-set.ts';
import { nothing } from './field-set.ts';

const status: FieldSet = { 'f:status': nothing };
const spec: FieldSet = { 'f:spec': nothing };
const specAndLabels: FieldSet = { 'f:metadata': { 'f:labels': nothing }, 'f:spec': nothing };
const allButStatus: FieldSet = { 'f:metadata': nothing, 'f:spec': nothing };

export function resetFieldsOf(
  { hasStatus, isCustom, group, kind }: ResourceType,
  subresource: string,
): FieldSet {
  if (subresource !== 'status') return hasStatus ? status : nothing;
  if (isCustom) return allButStatus;
  return group === 'apps' && kind === 'Deployment' ? specAndLabels : spec;
}
