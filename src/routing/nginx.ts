/**
 * Ingress-NGINX (`spec/02`, 7.3): a canary Ingress beside the user's own, told by annotations how
 * much it takes. What it does not take stays with the user's Ingress, which leads to the primary.
 *
 *   by weight        `canary-weight`
 *   in an A/B test   `canary-by-header...` and `canary-by-cookie`: who matches either sees the canary
 *
 * On the way back from an A/B test weights say the steps: NGINX knows no share of those who match.
 */
import type { Canary, StringMatch } from '../api/canary.ts';
import { strategyOf } from '../api/defaults.ts';
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
import { renderedRoute } from './rendered-route.ts';
import { serviceNames } from '../api/defaults.ts';

export interface NginxOptions {
  /** Of the annotations that the ingress controller reads: `nginx.ingress.kubernetes.io`. */
  readonly ingressAnnotationsPrefix: string;
}

export const nginx = ({ ingressAnnotationsPrefix: prefix }: NginxOptions): RoutingProvider => ({
  name: 'nginx',
  routeKeys: (canary) => [ingressKey(canary)],
  sourceKeys: sourceIngress,
  render: (canary, split, _cookies, live) => {
    const error =
      inexpressible(canary, split, { provider: 'nginx', abTesting: true }) ?? testProblem(canary);
    if (error !== undefined) return { ok: false, error };
    const source = findSource(canary, 'nginx', live);
    if (!source.ok) return source;
    const own = prefixed(prefix, annotationsFor(canary, split));
    const isOurs = (name: string): boolean => name.includes(`${prefix}/canary`);
    const { name } = ingressKey(canary);
    const route = renderedRoute(canary, live, {
      resource: ingresses,
      name,
      spec: withPaths(canary, source.ingress, [serviceNames(canary).canary]),
      metadata: (base) => copiedMetadata(source.ingress, base, { own, isOurs }),
    });
    return { ok: true, objects: [route] };
  },
  read: (canary, live) => readAnnotations(prefix, live(ingressKey(canary))),
  revert: () => [],
});

const prefixed = (prefix: string, annotations: StringMap): StringMap =>
  Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`${prefix}/${name}`, value]),
  );

function annotationsFor(canary: Canary, split: Split): StringMap {
  const isTest = strategyOf(canary) === 'ab-testing' && split.canary === 100;
  const weight = isTest ? 0 : split.canary;
  return { canary: 'true', 'canary-weight': String(weight), ...(isTest && testOf(canary)) };
}

/** Names and conditions of all items, in their order. */
const conditionsOf = ({ spec }: Canary): readonly (readonly [string, StringMatch])[] =>
  (spec.analysis?.match ?? []).flatMap(({ headers = {} }) => Object.entries(headers));

const isCookie = (name: string): boolean => name.toLowerCase() === 'cookie';

function testOf(canary: Canary): StringMap {
  const conditions = conditionsOf(canary);
  const [, cookie] = conditions.find(([name]) => isCookie(name)) ?? [];
  const [header, value] = conditions.find(([name]) => !isCookie(name)) ?? [];
  return {
    ...(cookie?.exact !== undefined && { 'canary-by-cookie': cookie.exact }),
    ...(header !== undefined && { 'canary-by-header': header }),
    ...(value?.exact !== undefined && { 'canary-by-header-value': value.exact }),
    ...(value?.regex !== undefined && { 'canary-by-header-pattern': value.regex }),
  };
}

/** One header or one cookie, or either: more than that NGINX cannot tell. */
function testProblem(canary: Canary): string | undefined {
  if (strategyOf(canary) !== 'ab-testing') return undefined;
  const { match = [] } = canary.spec.analysis ?? {};
  const at = match.findIndex(
    ({ headers = {}, queryParams, sourceLabels }) =>
      Object.keys(headers).length !== 1 || queryParams !== undefined || sourceLabels !== undefined,
  );
  if (at >= 0) return `spec.analysis.match[${at}]: NGINX matches one header or one cookie, name it`;
  const names = conditionsOf(canary).map(([name]) => (isCookie(name) ? 'cookie' : 'header'));
  if (new Set(names).size < names.length) {
    return 'spec.analysis.match: NGINX matches one header and one cookie at most';
  }
  const odd = conditionsOf(canary).find(
    ([name, { exact, regex }]) => exact === undefined && (isCookie(name) || regex === undefined),
  );
  if (odd === undefined) return undefined;
  return `spec.analysis.match: NGINX matches ${odd[0]} by ${isCookie(odd[0]) ? 'exact' : 'exact or regex'} only`;
}

function readAnnotations(prefix: string, found: KubeObject | undefined): Split | undefined {
  const { annotations = {} } = found?.metadata ?? {};
  const has = (name: string): boolean => annotations[`${prefix}/${name}`] !== undefined;
  if (has('canary-by-header') || has('canary-by-cookie')) {
    return { primary: 0, canary: 100, mirrored: false };
  }
  const weight = Number(annotations[`${prefix}/canary-weight`] ?? NaN);
  if (!Number.isInteger(weight) || weight < 0 || weight > 100) return undefined;
  return { primary: 100 - weight, canary: weight, mirrored: false };
}
