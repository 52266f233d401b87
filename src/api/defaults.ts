/**
 * Values derived from a Canary's spec: the effective settings after defaults (`spec/01`, 1.6).
 */
import type { Canary, HookType, Strategy } from './canary.ts';
import { parseDuration } from './duration.ts';

export const totalWeight = 100;

/** Shortest analysis interval, in milliseconds: as the reference has it. */
const intervalMsMin = 10_000;
const intervalMsDefault = 60_000;

/** Milliseconds between two verdicts: 60 s where absent or unreadable, never under 10 s. */
export function analysisIntervalMs(canary: Canary): number {
  const text = canary.spec.analysis?.interval;
  if (text === undefined || text === '') return intervalMsDefault;
  const parsed = parseDuration(text);
  return parsed.ok ? Math.max(parsed.ms, intervalMsMin) : intervalMsDefault;
}

/** Failed checks that end a rollout. */
export function failureThreshold(canary: Canary): number {
  const threshold = canary.spec.analysis?.threshold ?? 1;
  return threshold > 0 ? threshold : 1;
}

export function progressDeadlineMs(canary: Canary): number {
  return (canary.spec.progressDeadlineSeconds ?? 600) * 1000;
}

/** Percent of the primary's pods that must be available. */
export function primaryReadyThreshold(canary: Canary): number {
  return canary.spec.analysis?.primaryReadyThreshold ?? 100;
}

/** Percent of the canary's pods that must be available. */
export function canaryReadyThreshold(canary: Canary): number {
  return canary.spec.analysis?.canaryReadyThreshold ?? 100;
}

export function skipsAnalysis(canary: Canary): boolean {
  return canary.spec.analysis === undefined || canary.spec.skipAnalysis === true;
}

export interface ServiceNames {
  readonly apex: string;
  readonly primary: string;
  readonly canary: string;
}

/** Names of the three Services, which routes refer to. */
export function serviceNames(canary: Canary): ServiceNames {
  const apex = canary.spec.service?.name || canary.spec.targetRef.name;
  return { apex, primary: `${apex}-primary`, canary: `${apex}-canary` };
}

export function primaryName(canary: Canary): string {
  return `${canary.spec.targetRef.name}-primary`;
}

/** The strategy that the spec asks for, as metrics label it. */
export function strategyOf(canary: Canary): Strategy {
  const { iterations = 0, match = [] } = canary.spec.analysis ?? {};
  if (iterations <= 0) return 'canary';
  return match.length > 0 ? 'ab-testing' : 'blue-green';
}

/** `NAME.NAMESPACE`, as every message names a canary. */
export function displayName(canary: Canary): string {
  return `${canary.metadata.name}.${canary.metadata.namespace ?? ''}`;
}

/** `TARGET.NAMESPACE`. */
export function targetDisplayName(canary: Canary): string {
  return `${canary.spec.targetRef.name}.${canary.metadata.namespace ?? ''}`;
}

export function primaryDisplayName(canary: Canary): string {
  return `${primaryName(canary)}.${canary.metadata.namespace ?? ''}`;
}

/** The canary's webhooks of one type, in list order. An empty type means `rollout`. */
export function hooksOf(canary: Canary, type: HookType) {
  return (canary.spec.analysis?.webhooks ?? []).filter((hook) => (hook.type || 'rollout') === type);
}
