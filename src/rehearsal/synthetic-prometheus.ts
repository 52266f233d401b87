/**
 * A Prometheus that has no series: it knows the questions that the controller asks about a canary,
 * because it renders the same queries, and answers each from what is said of the canary's workload.
 * What it does not recognise has an empty answer, as from a server without such a series.
 */
import type { Canary, CanaryMetric } from '../api/canary.ts';
import { parseDuration } from '../api/duration.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import {
  intervalDefault,
  renderBuiltInQuery,
  renderOwnQuery,
  routeName,
} from '../metrics/canary-queries.ts';
import type { BuiltInMetric } from '../metrics/queries.ts';
import { isBuiltIn, metricsProviderOf } from '../metrics/queries.ts';
import type { Answer, Transport } from '../metrics/transport.ts';
import type { MetricReply } from './scenario.ts';

/** What one query asks. */
export interface MetricQuestion {
  readonly canary: Canary;
  readonly metric: CanaryMetric;
  readonly asks:
    | { readonly kind: 'BuiltIn'; readonly metric: BuiltInMetric; readonly factor: number }
    /** A query of the user's own. */
    | { readonly kind: 'Own'; readonly template?: string };
  /** How far the query looks back. */
  readonly windowMs: number;
}

/** The answer to a question, in percent, in milliseconds, or as the user's own query has it. */
export type MetricOracle = (question: MetricQuestion) => MetricReply;

export interface SyntheticPrometheusOptions {
  /** The canaries that may be asked about, as they are now. */
  readonly canaries: () => readonly Canary[];
  readonly template: (namespace: string, name: string) => MetricTemplate | undefined;
  /** The controller's own. */
  readonly meshProvider: string;
  readonly oracle: MetricOracle;
  readonly nowMs: () => number;
}

export interface SyntheticPrometheus {
  /** The question that a query is; undefined where it is none of a canary's. */
  recognise(query: string): MetricQuestion | undefined;
  /** An instant query over HTTP, as `/api/v1/query` of Prometheus answers it. */
  respond(url: URL): Answer;
  /** In the place of the network. */
  readonly transport: Transport;
}

export function createSyntheticPrometheus(
  options: SyntheticPrometheusOptions,
): SyntheticPrometheus {
  const recognise = (query: string): MetricQuestion | undefined => {
    const wanted = spaced(query);
    for (const canary of options.canaries()) {
      for (const { text, question } of questionsOf(canary, options)) {
        if (spaced(text) === wanted) return question;
      }
    }
    return undefined;
  };
  const reply = (query: string): MetricReply => {
    if (/^\s*vector\(\s*1\s*\)\s*$/.test(query)) return 1;
    const question = recognise(query);
    return question === undefined ? 'none' : inUnitOf(question, options.oracle(question));
  };
  const respond = (url: URL): Answer => {
    if (!url.pathname.endsWith('/api/v1/query')) return answer(404, 'Not Found', 'no such path');
    const query = url.searchParams.get('query') ?? '';
    if (query === '') return answer(400, 'Bad Request', 'no query given');
    const value = reply(query);
    if (value === 'unavailable') return answer(503, 'Service Unavailable', 'out of order');
    const sample = [options.nowMs() / 1000, String(value)];
    const result = value === 'none' ? [] : [{ metric: {}, value: sample }];
    return answer(200, 'OK', { status: 'success', data: { resultType: 'vector', result } });
  };
  return {
    recognise,
    respond,
    transport: {
      get: async (url, { signal }) => {
        signal.throwIfAborted();
        return respond(url);
      },
      close: () => Promise.resolve(),
    },
  };
}

const answer = (status: number, reason: string, body: unknown): Answer => ({
  status,
  reason,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** White space means nothing in a query, and is sent otherwise than it is written. */
const spaced = (query: string): string => query.replaceAll(/\s+/g, ' ').trim();

interface AskedText {
  readonly text: string;
  readonly question: MetricQuestion;
}

function* questionsOf(
  canary: Canary,
  { meshProvider, template }: SyntheticPrometheusOptions,
): Iterable<AskedText> {
  const provider = metricsProviderOf(canary, meshProvider);
  const route = routeName(canary);
  for (const metric of canary.spec.analysis?.metrics ?? []) {
    const about = { canary, metric, windowMs: windowOf(metric) };
    const { name, query, templateRef } = metric;
    if (isBuiltIn(name)) {
      const { rendered, factor } = renderBuiltInQuery(provider, canary, { ...metric, name }, route);
      const asks = { kind: 'BuiltIn', metric: name, factor } as const;
      if (rendered.ok) yield { text: rendered.text, question: { ...about, asks } };
    }
    if (query !== undefined && query !== '') {
      const rendered = renderOwnQuery(query, canary, metric, route);
      const asks = { kind: 'Own' } as const;
      if (rendered.ok) yield { text: rendered.text, question: { ...about, asks } };
    }
    if (templateRef === undefined) continue;
    const home = templateRef.namespace || (canary.metadata.namespace ?? '');
    const source = template(home, templateRef.name)?.spec.query;
    const rendered =
      source === undefined ? undefined : renderOwnQuery(source, canary, metric, route);
    if (rendered?.ok !== true) continue;
    const asks = { kind: 'Own', template: templateRef.name } as const;
    yield { text: rendered.text, question: { ...about, asks } };
  }
}

/** What cannot be read is not judged here; the query itself has it as it is. */
export function windowOf({ interval }: CanaryMetric): number {
  const given = parseDuration(interval || intervalDefault);
  return given.ok ? given.ms : 60_000;
}

/** As the query would give it: seconds, where its series is in seconds. */
function inUnitOf({ asks }: MetricQuestion, reply: MetricReply): MetricReply {
  if (typeof reply !== 'number' || asks.kind === 'Own') return reply;
  return reply / asks.factor;
}
