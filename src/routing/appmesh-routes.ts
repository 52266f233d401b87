/**
 * What both versions of App Mesh have in common (`spec/02`, 6.3 and 6.4): one route by weight; in an
 * A/B test one for each item of `analysis.match`, and a last one for everybody else. Headers of one
 * item must all match.
 *
 *   podinfo                      priority    0   by weight
 *   podinfo-a, podinfo-a-2 ...   from 10 on      an item each
 *   podinfo-b                    the last        to the primary
 */
import type { Canary, HttpMatch, StringMatch } from '../api/canary.ts';
import { serviceNames, strategyOf } from '../api/defaults.ts';
import { parseDuration } from '../api/duration.ts';
import type { ObjectMeta, StringMap } from '../api/kubernetes.ts';
import { sorted, sourceProblem } from './http-matches.ts';
import { inexpressible } from './inexpressible.ts';
import type { Split } from './provider.ts';
import { splitFrom } from './rendered-route.ts';

/** A side and its share; the one of the canary comes first, as the reference has it. */
export interface Target {
  readonly node: string;
  readonly weight: number;
}

export interface MeshRoute {
  readonly name: string;
  /** The lowest wins; absent where there is one route only. */
  readonly priority?: number;
  readonly match: Readonly<Record<string, unknown>>;
  readonly targets: readonly Target[];
}

export type Protocol = 'http' | 'grpc';

/** As the reference tells them apart. */
export const protocolOf = ({ spec }: Canary): Protocol =>
  spec.service?.portName?.includes('grpc') === true ? 'grpc' : 'http';

export function meshProblem(canary: Canary, split: Split, provider: string): string | undefined {
  return (
    inexpressible(canary, split, { provider, abTesting: true }) ??
    sourceProblem(canary, 'a VirtualRouter') ??
    queryProblem(canary) ??
    grpcProblem(canary)
  );
}

function queryProblem({ spec }: Canary): string | undefined {
  const { match = [] } = spec.analysis ?? {};
  const at = match.findIndex(({ queryParams }) => queryParams !== undefined);
  if (at < 0) return undefined;
  return `spec.analysis.match[${at}].queryParams: provider ${spec.provider ?? 'appmesh'} looks at headers only, use headers`;
}

const grpcService = /^\/([\w.]+)\/?$/;

function grpcProblem(canary: Canary): string | undefined {
  const prefix = prefixOf(canary);
  if (protocolOf(canary) === 'http' || prefix === '/' || grpcService.test(prefix)) return undefined;
  return `spec.service.match[0].uri.prefix: a gRPC route knows services, write /package.Service/`;
}

const prefixOf = ({ spec }: Canary): string => spec.service?.match?.[0]?.uri?.prefix ?? '/';

/** Of the apex: what the split says. */
export function apexRoutes(canary: Canary, split: Split): readonly MeshRoute[] {
  const { apex, primary } = serviceNames(canary);
  const match = matchOf(canary);
  const targets = targetsOf(canary, split);
  if (strategyOf(canary) !== 'ab-testing') return [{ name: apex, match, targets }];
  const { match: items = [] } = canary.spec.analysis ?? {};
  const tested = items.map((item, index) => ({
    name: index === 0 ? `${apex}-a` : `${apex}-a-${index + 1}`,
    priority: 10 + index,
    match: matchOf(canary, item),
    targets,
  }));
  const priority = Math.max(20, 10 + items.length);
  return [
    ...tested,
    { name: `${apex}-b`, priority, match, targets: [{ node: primary, weight: 100 }] },
  ];
}

/** Of the canary's own VirtualService, which testers call by its name. */
export function canaryRoutes(canary: Canary): readonly MeshRoute[] {
  const targets = targetsOf(canary, { primary: 0, canary: 100 });
  return [{ name: serviceNames(canary).canary, match: matchOf(canary), targets }];
}

function targetsOf(canary: Canary, weights: Pick<Split, 'primary' | 'canary'>): readonly Target[] {
  const { primary, canary: other } = serviceNames(canary);
  return [
    { node: other, weight: weights.canary },
    { node: primary, weight: weights.primary },
  ];
}

function matchOf(canary: Canary, { headers }: HttpMatch = {}) {
  const prefix = prefixOf(canary);
  const conditions = sorted(headers).map(([name, match]) => ({ name, match: operatorOf(match) }));
  if (protocolOf(canary) === 'http') {
    return { prefix, ...(conditions.length > 0 && { headers: conditions }) };
  }
  const serviceName = grpcService.exec(prefix)?.[1];
  return {
    ...(serviceName !== undefined && { serviceName }),
    ...(conditions.length > 0 && { metadata: conditions }),
  };
}

/** One operator is what a condition has. */
function operatorOf({
  exact,
  prefix,
  suffix,
  regex,
}: StringMatch & { readonly suffix?: string }): StringMatch | { readonly suffix: string } {
  if (exact !== undefined) return { exact };
  if (prefix !== undefined) return { prefix };
  if (suffix !== undefined) return { suffix };
  return { regex: regex ?? '' };
}

export interface Retries {
  readonly maxRetries: number;
  readonly perRetryMs: number;
  readonly httpRetryEvents: readonly string[];
}

/** Absent where the canary asks for none. */
export function retriesOf({ spec }: Canary): Retries | undefined {
  const { retries } = spec.service ?? {};
  if (retries === undefined) return undefined;
  const { attempts = 1, perTryTimeout = '', retryOn = '' } = retries;
  const events = retryOn
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '');
  return {
    maxRetries: attempts,
    perRetryMs: wholeMs(perTryTimeout) ?? 250,
    httpRetryEvents: events.length > 0 ? events : ['gateway-error'],
  };
}

/** Of requests; absent where the canary sets none. */
export const timeoutMsOf = ({ spec }: Canary): number | undefined =>
  wholeMs(spec.service?.timeout ?? '');

function wholeMs(duration: string): number | undefined {
  const parsed = parseDuration(duration);
  return parsed.ok ? Math.round(parsed.ms) : undefined;
}

const gateway = 'gateway.appmesh.k8s.aws/';

/** How a VirtualService is offered outside of the mesh; taken off what is ours with the hosts. */
export function gatewayMetadata(canary: Canary, live: Partial<ObjectMeta>): Partial<ObjectMeta> {
  const { hosts = [], timeout, retries } = canary.spec.service ?? {};
  const ours: StringMap =
    hosts.length === 0
      ? {}
      : {
          [`${gateway}expose`]: 'true',
          [`${gateway}domain`]: hosts.map((host) => `${host},`).join(''),
          ...(timeout !== undefined && { [`${gateway}timeout`]: timeout }),
          ...((retries?.attempts ?? 0) > 0 && { [`${gateway}retries`]: `${retries?.attempts}` }),
        };
  const isOurs = live.ownerReferences?.some(({ kind }) => kind === 'Canary') === true;
  const { annotations: found } = live;
  if (found === undefined) return hosts.length === 0 ? {} : { annotations: ours };
  const kept = Object.entries(found).filter(([key]) => !isOurs || !gatewayKeys.has(key));
  return { annotations: { ...Object.fromEntries(kept), ...ours } };
}

const gatewayKeys: ReadonlySet<string> = new Set(
  ['expose', 'domain', 'timeout', 'retries'].map((key) => `${gateway}${key}`),
);

const accessLog = { accessLog: { file: { path: '/dev/stdout' } } };

/** Access logs as the Canary's annotation asks; what others configured stays where it does not. */
export function loggingOf({ metadata }: Canary, live: unknown): unknown {
  if (metadata.annotations?.['appmesh.flagger.app/accesslog'] === 'enabled') return accessLog;
  return JSON.stringify(live) === JSON.stringify(accessLog) ? undefined : live;
}

/** The first listener of a VirtualNode: its port is ours, health checks and TLS are of users. */
export function firstListener(found: unknown): Readonly<Record<string, unknown>> {
  const [first = {}] = (found ?? []) as readonly Readonly<Record<string, unknown>>[];
  return first;
}

/** The split of the targets of a route, as found. */
export function splitOfTargets(canary: Canary, targets: readonly Target[]): Split | undefined {
  const names = serviceNames(canary);
  const weightOf = (name: string) => targets.find(({ node }) => node === name)?.weight;
  return splitFrom(weightOf(names.primary), weightOf(names.canary));
}
