/**
 * Prometheus and whatever speaks its query API (`spec/03`, 2.4). One bounded request for each query;
 * no retry, because the next verdict asks again.
 */
import type { StringMap } from '../api/kubernetes.ts';
import type { Measurement, MetricProvider, ProviderMade } from './provider.ts';
import { failed, noValues } from './provider.ts';
import type { Answer, Transport } from './transport.ts';

/** Of a body that is quoted in an error, which becomes an event. */
const quotedCharactersMax = 300;

export interface PrometheusOptions {
  /** A base URL. Its path is kept, its query is not; user and password in it are sent. */
  readonly address: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** `token`, or `username` and `password`. */
  readonly credentials?: StringMap;
  readonly insecureSkipVerify?: boolean;
  readonly transport: Transport;
}

export function createPrometheus(options: PrometheusOptions): ProviderMade {
  const { address, credentials, transport, insecureSkipVerify = false } = options;
  const base = parseAddress(address);
  if (base === undefined) {
    return { ok: false, error: `prometheus address ${hideUser(address)} is not a valid URL` };
  }
  const lacking = lackingOf(credentials);
  if (lacking !== undefined) {
    return { ok: false, error: `prometheus credentials does not contain a ${lacking}` };
  }
  const headers = headersOf(options);
  const query: MetricProvider['query'] = async (text, { signal }) => {
    let answer: Answer;
    try {
      answer = await transport.get(queryUrl(base, text), { headers, insecureSkipVerify, signal });
    } catch (error) {
      return failed(`request failed: ${describe(error)}`);
    }
    return read(answer);
  };
  return {
    ok: true,
    provider: {
      query,
      probe: async (given) => {
        const answer = await query('vector(1)', given);
        if (answer.kind !== 'Value') return `running query failed: ${answer.error}`;
        return answer.value === 1 ? undefined : 'value is not 1 for query: vector(1)';
      },
    },
  };
}

function parseAddress(address: string): URL | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return /^https?:$/.test(url.protocol) ? url : undefined;
}

/** An address as errors may show it: without user and password. */
export const hideUser = (address: string): string => address.replace(/\/\/[^/?#]*@/, '//');

function lackingOf(credentials: StringMap | undefined): string | undefined {
  if (credentials === undefined || credentials['token'] !== undefined) return undefined;
  return ['username', 'password'].find((key) => credentials[key] === undefined);
}

function queryUrl(base: URL, query: string): URL {
  const url = new URL(base);
  const path = url.pathname.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
  url.pathname = `${path}/api/v1/query`;
  url.search = new URLSearchParams({ query: query.replaceAll(/\s+/g, ' ') }).toString();
  url.hash = '';
  return url;
}

/** The credentials' `Authorization` takes the place of one among the custom headers (M-06). */
function headersOf({ headers = {}, credentials }: PrometheusOptions) {
  const authorization = authorizationOf(credentials);
  const overridden = authorization === undefined ? ['host'] : ['host', 'authorization'];
  const kept = Object.entries(headers).filter(([name]) => !overridden.includes(name.toLowerCase()));
  return {
    ...Object.fromEntries(kept),
    ...(authorization === undefined ? {} : { Authorization: [authorization] }),
  };
}

function authorizationOf(credentials: StringMap | undefined): string | undefined {
  const { token, username = '', password = '' } = credentials ?? {};
  // Secrets made from files end in a newline, which no header may contain.
  if (token !== undefined) return `Bearer ${token.trim()}`;
  if (username === '' || password === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function read({ status, reason, body }: Answer): Measurement {
  const quoted = body.slice(0, quotedCharactersMax);
  if (status >= 400) return failed(`error response: Status ${status} ${reason}: ${quoted}`);
  const refuse = (what: string): Measurement =>
    failed(`error unmarshaling result: ${what}, '${quoted}'`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    return refuse(describe(error));
  }
  if (typeof parsed !== 'object' || Array.isArray(parsed)) return refuse('no object');
  const { result } = fieldsOf(fieldsOf(parsed)['data']);
  if (result === undefined || result === null) return noValues;
  if (!Array.isArray(result)) return refuse('the result is no list');
  return readVector(result) ?? refuse('a sample is no pair of time and value');
}

/**
 * An instant vector of one element is what a check wants; of several the last one counts, as in the
 * reference, with a warning. Undefined where an element is no sample.
 */
function readVector(elements: readonly unknown[]): Measurement | undefined {
  let value: number | undefined;
  for (const element of elements) {
    const { value: sample, values } = fieldsOf(element);
    if (values !== undefined) return failed('query returned multiple values');
    if (!Array.isArray(sample) || sample.length < 2) return undefined;
    const text: unknown = sample[1];
    if (typeof text !== 'string') continue;
    value = parseSample(text);
    if (value === undefined) return undefined;
  }
  if (value === undefined || Number.isNaN(value)) return noValues;
  if (elements.length === 1) return { kind: 'Value', value };
  const warning = `the query returned ${elements.length} series, of which the last one was judged`;
  return { kind: 'Value', value, warnings: [warning] };
}

/** A float as Prometheus writes it. */
function parseSample(text: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function describe(error: unknown): string {
  // Node leaves the message of an AggregateError empty.
  if (error instanceof AggregateError) return error.errors.map(describe).join(', ');
  return error instanceof Error ? error.message : 'unknown error';
}
