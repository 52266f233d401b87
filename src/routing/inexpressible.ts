/** What a provider's objects cannot say, refused by the field and with what to do. */
import type { Canary } from '../api/canary.ts';
import { strategyOf } from '../api/defaults.ts';
import type { Split } from './provider.ts';

/** Undefined where it can be said. */
export function inexpressible(
  canary: Canary,
  split: Split,
  { provider, abTesting }: { readonly provider: string; readonly abTesting: boolean },
): string | undefined {
  if (split.mirrored) {
    return `spec.analysis.mirror: provider ${provider} does not copy requests, remove it`;
  }
  if (!abTesting && strategyOf(canary) === 'ab-testing') {
    return `spec.analysis.match: provider ${provider} cannot tell users apart, use weights or blue/green`;
  }
  return undefined;
}
