/**
 * Prometheus and whatever speaks its query API (`spec/03`, 2.4). One bounded request for each query;
 * no retry, because the next verdict asks again.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { StringMap } from '../api/kubernetes.ts';
import type { Measurement, MetricProvider } from './provider.ts';
import { failed, noValues } from './provider.ts';

/** Time for a whole answer. */
const answerMsMax = 5_000;
/** An instant query that answers more than this is not one number. */
const bodyBytesMax = 4 * 1024 * 1024;
/** Of a body that is quoted in an error. */
const quotedCharactersMax = 300;
const redirectsMax = 5;

export interface PrometheusOptions {
  readonly address: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** `token`, or `username` and `password`. */
  readonly credentials?: StringMap;
  readonly insecureSkipVerify?: boolean;
}

export type ProviderMade =
  | { readonly ok: true; readonly provider: MetricProvider }
  | { readonly ok: false; readonly error: string };

export function createPrometheus(options: PrometheusOptions): ProviderMade {
  const { address, credentials } = options;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    return { ok: false, error: `prometheus address ${address} is not a valid URL` };
  }
  if (credentials !== undefined && credentials['token'] === undefined) {
    for (const key of ['username', 'password']) {
      if (credentials[key] !== undefined) continue;
      return { ok: false, error: `prometheus credentials does not contain a ${key}` };
    }
  }
  const headers = headersOf(options);
  const query: MetricProvider['query'] = async (text, { signal }) => {
    const url = queryUrl(address, text);
    try {
      return await ask(url, headers, options.insecureSkipVerify === true, signal);
    } catch (error) {
      return failed(`request failed: ${describe(error)}`);
    }
  };
  const probe: MetricProvider['probe'] = async (given) => {
    const answer = await query('vector(1)', given);
    if (answer.kind !== 'Value') return `running query failed: ${answer.error}`;
    return answer.value === 1 ? undefined : 'value is not 1 for query: vector(1)';
  };
  return {
    ok: true,
    provider: {
      probe,
      query: async (text, given) => {
        const answer = await query(text, given);
        return answer.kind === 'Value'
          ? answer
          : { ...answer, error: `running query failed: ${answer.error}` };
      },
    },
  };
}

function queryUrl(address: string, query: string): URL {
  const url = new URL(address);
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = `${base}/api/v1/query`;
  url.search = new URLSearchParams({ query: query.replace(/\s+/g, ' ') }).toString();
  return url;
}

function headersOf({ headers = {}, credentials }: PrometheusOptions) {
  const sent: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(headers)) sent[name] = [...values];
  if (credentials === undefined) return sent;
  const { token, username = '', password = '' } = credentials;
  if (token !== undefined) return { ...sent, Authorization: [`Bearer ${token}`] };
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return { ...sent, Authorization: [`Basic ${basic}`] };
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly location: string | undefined;
  readonly body: string;
}

async function ask(
  url: URL,
  headers: Record<string, string[]>,
  insecure: boolean,
  signal: AbortSignal,
): Promise<Measurement> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]);
  let target = url;
  for (let hop = 0; hop <= redirectsMax; hop += 1) {
    // Credentials go to the host that they were given for, and to no other.
    const sent = target.host === url.host ? headers : {};
    const answer = await fetchOnce(target, sent, insecure, limited);
    if (answer.status < 300 || answer.status >= 400 || answer.location === undefined) {
      return read(answer);
    }
    target = new URL(answer.location, target);
  }
  return failed(`more than ${redirectsMax} redirects`);
}

function fetchOnce(
  url: URL,
  headers: Record<string, string[]>,
  insecure: boolean,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { headers, signal, rejectUnauthorized: !insecure };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bodyBytesMax)
          request.destroy(new Error(`answer of more than ${bodyBytesMax} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? '',
          location: response.headers.location,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

function read({ status, reason, body }: Answer): Measurement {
  const quoted = body.slice(0, quotedCharactersMax);
  if (status >= 400) return failed(`error response: Status ${status} ${reason}: ${quoted}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    return failed(`error unmarshaling result: ${describe(error)}, '${quoted}'`);
  }
  const { result } = fieldsOf(fieldsOf(parsed)['data']);
  if (result === undefined || result === null) return noValues;
  if (!Array.isArray(result)) return failed(`error unmarshaling result: no vector, '${quoted}'`);
  return readVector(result);
}

/** An instant vector of one element is what a check wants; of several, the last one counts. */
function readVector(elements: readonly unknown[]): Measurement {
  let value: number | undefined;
  for (const element of elements) {
    const { value: sample, values } = fieldsOf(element);
    if (values !== undefined) return failed('query returned multiple values');
    if (!Array.isArray(sample) || sample.length < 2) {
      return failed('error unmarshaling result: a sample is no pair of time and value');
    }
    const text: unknown = sample[1];
    if (typeof text === 'string') value = parseSample(text);
  }
  if (value === undefined || Number.isNaN(value)) return noValues;
  return { kind: 'Value', value };
}

function parseSample(text: string): number {
  if (/^[+]?Inf$/.test(text)) return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text.trim() === '' ? Number.NaN : Number(text);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const cause = error.name === 'AbortError' ? error.cause : error;
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return `no answer within ${answerMsMax / 1000}s`;
  }
  // Node leaves the message of an AggregateError empty.
  if (error instanceof AggregateError) return error.errors.map(describe).join(', ');
  return error.message;
}
