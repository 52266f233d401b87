/**
 * Skipper (`spec/02`, 7.4): a second Ingress that shares requests out between the sides, ahead of the
 * user's own by a predicate. Where the canary has no share the predicate is never true, and requests
 * take the user's Ingress, which leads to the primary.
 */
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject, StringMap } from '../api/kubernetes.ts';
import { inexpressible } from './inexpressible.ts';
import {
  copiedMetadata,
  findSource,
  ingresses,
  ingressKey,
  sourceIngress,
  withPaths,
} from './ingress.ts';
import type { RoutingProvider, Split } from './provider.ts';
import { renderedRoute, splitFrom } from './rendered-route.ts';

const weightsAnnotation = 'zalando.org/backend-weights';
const predicateAnnotation = 'zalando.org/skipper-predicate';
const first = 'Weight(100)';
const never = 'False()';

export const skipper: RoutingProvider = {
  name: 'skipper',
  routeKeys: (canary) => [ingressKey(canary)],
  sourceKeys: sourceIngress,
  render: (canary, split, _cookies, live) => {
    const error = inexpressible(canary, split, { provider: 'skipper', abTesting: false });
    if (error !== undefined) return { ok: false, error };
    const source = findSource(canary, 'skipper', live);
    if (!source.ok) return source;
    const { primary, canary: other } = serviceNames(canary);
    const own = annotationsFor(canary, split, source.ingress);
    const route = renderedRoute(canary, live, {
      resource: ingresses,
      name: ingressKey(canary).name,
      spec: withPaths(canary, source.ingress, [primary, other]),
      metadata: (base) =>
        copiedMetadata(source.ingress, base, { own, isOurs: (name) => name in own }),
    });
    return { ok: true, objects: [route] };
  },
  read: (canary, live) => readWeights(canary, live(ingressKey(canary))),
  revert: () => [],
};

function annotationsFor(canary: Canary, split: Split, { metadata }: KubeObject): StringMap {
  const { primary, canary: other } = serviceNames(canary);
  const weights = { [other]: split.canary, [primary]: split.primary };
  const others = (metadata.annotations?.[predicateAnnotation] ?? '')
    .split('&&')
    .map((it) => it.trim())
    .filter((it) => it !== '' && it !== first && it !== never);
  const predicate = [split.canary > 0 ? first : never, ...others].join(' && ');
  return { [weightsAnnotation]: JSON.stringify(weights), [predicateAnnotation]: predicate };
}

function readWeights(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const stored = found?.metadata.annotations?.[weightsAnnotation];
  const weights = stored === undefined ? {} : parsed(stored);
  const names = serviceNames(canary);
  return splitFrom(weights[names.primary], weights[names.canary]);
}

/** Nothing where somebody wrote what are no weights. */
function parsed(text: string): Readonly<Record<string, number>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
    );
  } catch {
    return {};
  }
}
