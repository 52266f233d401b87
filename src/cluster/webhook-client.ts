/**
 * Asks admission webhooks over HTTPS, as an API server does: connections that are kept, TLS 1.2 or
 * newer, an answer of bounded size, in bounded time. Services are resolved by whoever knows them.
 * Wording of failures: Go's net/http and k8s.io/client-go, as people know them from `kubectl`.
 */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Clock } from '../kube/clock.ts';
import { isRecord } from './json.ts';
import type { ServiceReference, WebhookClientConfig } from './webhook-configuration.ts';
import type { CallWebhook } from './webhooks.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface WebhookClientOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** Undefined where nobody listens behind the Service, or there is none. */
  readonly resolveService: (namespace: string, name: string, port: number) => Address | undefined;
}

export interface WebhookClient {
  readonly call: CallWebhook;
  /** Closes idle connections; calls in flight go on. */
  close(): void;
}

/** A patch in base64 of two objects of 3 MiB each, and the rest. */
const answerBytesMax = 8 * 1024 * 1024;
/** Connections to one webhook. */
const socketsMax = 25;
/** Below the 75 s after which common servers close an idle connection under our hands. */
const idleSocketMsMax = 60_000;
/** Webhooks that were asked lately; beyond, the one that was new longest ago is forgotten. */
const agentsMax = 50;
const portDefault = 443;

/** Where a call goes. */
interface Destination {
  readonly url: URL;
  readonly address: Address;
}

/** A kept connection broke before it answered a byte: the server had closed it. */
class StaleConnection extends Error {}

export function createWebhookClient({
  clock,
  resolveService,
}: WebhookClientOptions): WebhookClient {
  const agents = createAgents();
  return {
    call: async (config, review, timeoutMs) => {
      const text = `${textOf(config)}?timeout=${Math.ceil(timeoutMs / 1000)}s`;
      const failed = (why: string): Error => new Error(`Post ${JSON.stringify(text)}: ${why}`);
      const url = new URL(text);
      const address = addressOf(config, url, resolveService);
      if (address === undefined) {
        throw failed(`service ${JSON.stringify(config.service?.name ?? '')} not found`);
      }
      const body = JSON.stringify(review);
      const agent = agents.for(url, config.caBundle);
      const late = new AbortController();
      const cancel = clock.after(timeoutMs, () => late.abort());
      const attempt = (): Promise<unknown> =>
        post({ url, address }, { body, agent, signal: late.signal });
      try {
        return await attempt().catch((error: unknown) => {
          if (error instanceof StaleConnection) return attempt();
          throw error;
        });
      } catch (error) {
        if (error instanceof Refusal) throw error;
        throw failed(late.signal.aborted ? 'context deadline exceeded' : reasonOf(error, address));
      } finally {
        cancel();
      }
    },
    close: () => agents.close(),
  };
}

interface Agents {
  for(url: URL, caBundle: string | undefined): Agent;
  close(): void;
}

/** One for each webhook and the authority that it is trusted by. */
function createAgents(): Agents {
  const agents = new Map<string, Agent>();
  return {
    for: (url, caBundle) => {
      const key = `${url.host} ${caBundle ?? ''}`;
      const known = agents.get(key);
      if (known !== undefined) return known;
      for (const [oldest, agent] of agents) {
        if (agents.size < agentsMax) break;
        agent.destroy();
        agents.delete(oldest);
      }
      const made = createAgent(url, caBundle);
      agents.set(key, made);
      return made;
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

/** As the API server shows it: of a Service, with its port, whatever that is. */
function textOf({ url, service }: WebhookClientConfig): string {
  return url ?? (service === undefined ? '' : serviceUrl(service));
}

function serviceUrl({ namespace, name, path = '', port = portDefault }: ServiceReference): string {
  const below = path === '' || path.startsWith('/') ? path : `/${path}`;
  return `https://${name}.${namespace}.svc:${port}${below}`;
}

function addressOf(
  { service }: WebhookClientConfig,
  url: URL,
  resolve: WebhookClientOptions['resolveService'],
): Address | undefined {
  if (service === undefined) {
    const port = url.port === '' ? portDefault : Number(url.port);
    return { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port };
  }
  const { namespace, name, port = portDefault } = service;
  return resolve(namespace, name, port);
}

function createAgent({ hostname }: URL, caBundle: string | undefined): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: socketsMax,
    timeout: idleSocketMsMax,
    minVersion: 'TLSv1.2',
    // An address has no server name (RFC 6066, 3).
    ...(/^[\d.]+$|:/.test(hostname) ? {} : { servername: hostname }),
    ...(caBundle !== undefined && caBundle !== '' && { ca: Buffer.from(caBundle, 'base64') }),
  });
}

/** The webhook answered, and not with a review. */
class Refusal extends Error {}

function post(
  { url, address }: Destination,
  { body, agent, signal }: Readonly<{ body: string; agent: Agent; signal: AbortSignal }>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent,
      signal,
      method: 'POST',
      host: address.host,
      port: address.port,
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        accept: 'application/json, */*',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'kube-apiserver-admission',
      },
    });
    outgoing.once('response', (incoming) => {
      answerOf(incoming).then(resolve, reject);
    });
    outgoing.on('error', (error) => {
      const isStale = outgoing.reusedSocket && codeOf(error) === 'ECONNRESET';
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    outgoing.end(body);
  });
}

async function answerOf(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) {
      incoming.destroy();
      throw new Refusal(`the webhook response is longer than ${answerBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const code = incoming.statusCode ?? 0;
  if (code < 200 || code > 299) throw new Refusal(refusalOf(code, text));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const message = `couldn't get version/kind; json parse error: ${cause instanceof Error ? cause.message : ''}`;
    throw new Refusal(message, { cause });
  }
}

/** A `Status` speaks for itself; other answers are told by their code. */
function refusalOf(code: number, text: string): string {
  if (text.startsWith('{')) {
    try {
      const status: unknown = JSON.parse(text);
      if (isRecord(status) && typeof status['message'] === 'string') return status['message'];
    } catch {
      return `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`;
    }
  }
  if (code === 404) return 'the server could not find the requested resource';
  if (code >= 500) {
    const said = JSON.stringify(text === '' ? 'unknown' : text.trim());
    return `an error on the server (${said}) has prevented the request from succeeding`;
  }
  return `the server responded with the status code ${code} but did not return more information`;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const unverified: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  CERT_SIGNATURE_FAILURE: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is not valid for any names',
};

function reasonOf(error: unknown, { host, port }: Address): string {
  const code = codeOf(error);
  const why = unverified[code];
  if (why !== undefined) return `tls: failed to verify certificate: x509: ${why}`;
  if (code === 'ECONNREFUSED') return `dial tcp ${host}:${port}: connect: connection refused`;
  if (code === 'ECONNRESET') return 'read: connection reset by peer';
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  return error instanceof Error ? error.message : String(error);
}
