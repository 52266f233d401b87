/** What keeps a canary from going on until somebody acts, and what they can do about it. */
import type { Canary } from '../api/canary.ts';
import { displayName, targetDisplayName } from '../api/defaults.ts';
import {
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../api/providers.ts';
import { describeProblems, validateCanary } from '../api/validate.ts';
import type { Problem } from '../canary/observation.ts';
import type { Memory } from './memory.ts';
import type { ObjectsSeen } from './observe-objects.ts';
import type { World } from './world.ts';

/** A spec that can never work, or a target that another canary has. */
export function specProblem(canary: Canary, memory: Memory, world: World): Problem | undefined {
  const { settings, targets } = world;
  const { generation = 0, namespace = '' } = canary.metadata;
  if (memory.validated?.generation !== generation) {
    const { errors } = validateCanary(canary, {
      providers: supportedProviders,
      targetKinds: supportedTargetKinds,
      autoscalerKinds: supportedAutoscalerKinds,
      noCrossNamespaceRefs: settings.noCrossNamespaceRefs,
      meshProvider: settings.meshProvider,
    });
    const message = `invalid canary spec: ${describeProblems(errors)}`;
    const problem = errors.length > 0 ? { reason: 'InvalidSpec', message } : undefined;
    memory.validated = { generation, problem };
  }
  return (
    memory.validated?.problem ?? duplicate(canary, targets.of(namespace, canary.spec.targetRef))
  );
}

function duplicate(canary: Canary, canaries: readonly Canary[]): Problem | undefined {
  const [first] = canaries;
  if (first === undefined || first.metadata.name === canary.metadata.name) return undefined;
  const kind = canary.spec.targetRef.kind.toLowerCase();
  const message =
    `${kind} ${targetDisplayName(canary)} is the target of canary ${displayName(first)} already: ` +
    `delete one of the two, or change its spec.targetRef`;
  return { reason: 'DuplicateTarget', message };
}

/** Objects that the canary refers to and that are not there. */
export function objectProblem(canary: Canary, seen: ObjectsSeen): Problem | undefined {
  const { namespace = '' } = canary.metadata;
  const { targetRef, autoscalerRef } = canary.spec;
  if (seen.target === undefined) {
    const { kind = targetRef.kind, plural = '', group = '' } = seen.kind?.resource ?? {};
    const path = group === '' ? plural : `${plural}.${group}`;
    const text = `${kind.toLowerCase()} ${targetRef.name}.${namespace} get query error: ${path} "${targetRef.name}" not found`;
    const message = `${text}; create it, or change spec.targetRef of canary ${displayName(canary)}`;
    return { reason: 'TargetNotFound', message };
  }
  const { problem } = seen.target;
  if (problem !== undefined) return { reason: 'UnsupportedTarget', message: problem };
  if (seen.selector?.ok === false)
    return { reason: 'NoSelectorLabel', message: seen.selector.error };
  if (autoscalerRef !== undefined && (seen.autoscaler ?? seen.scaler?.source) === undefined) {
    const kind = seen.scaler === undefined ? 'HorizontalPodAutoscaler' : 'Keda ScaledObject';
    const text = `${kind} ${autoscalerRef.name}.${namespace} get query error: not found`;
    const message = `${text}; create it, or remove spec.autoscalerRef of canary ${displayName(canary)}`;
    return { reason: 'AutoscalerNotFound', message };
  }
  return undefined;
}
