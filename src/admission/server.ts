/**
 * The webhook server. Every request that can be read is answered with its own UID, also where a
 * handler fails: a defect of ours must not stand between users and their cluster.
 */
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import express from 'express';
import type { Log } from '../kube/log.ts';
import type { AdmissionOutcome, Telemetry } from '../telemetry/telemetry.ts';
import { decideGates } from './gates.ts';
import type { Lookup, Notice } from './mutate.ts';
import { mutate } from './mutate.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';
import { answerReview, parseReview } from './review.ts';
import type { ValidationLookup } from './validate.ts';
import { validate } from './validate.ts';

export interface AdmissionOptions {
  readonly lookup: Lookup;
  readonly validation: ValidationLookup;
  /** Told of each change that was let through, before its answer is sent. */
  readonly noticed: (notice: Notice) => void;
  readonly telemetry: Pick<Telemetry, 'admission'>;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Milliseconds that never jump. */
  readonly steadyMs: () => number;
}

/** Two objects of up to 3 MiB, which is what etcd takes, as JSON, and the rest of the review. */
const bodyLimit = '7mb';
/** API servers keep idle connections for 90 s; who closes earlier resets what they send then. */
const keepAliveMs = 120_000;
const requestMs = 10_000;
/** What is under way takes milliseconds; a client that stalls must not keep the process alive. */
const closeMsMax = 3_000;
/** Values of labels: what callers send must not become a series each. */
const reviewedKinds: ReadonlySet<string> = new Set([
  'Deployment',
  'DaemonSet',
  'Service',
  'Canary',
]);

export function createAdmissionApp(options: AdmissionOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get(['/healthz', '/readyz'], (_, response) => void response.type('text').send('OK'));
  const parse = express.json({ limit: bodyLimit, type: 'application/json', strict: true });
  const answer = createAnswerer(options);
  for (const webhook of webhooks) {
    app.post(`/${webhook}`, requireJson, parse, (request, response) => {
      const { code, body } = answer(webhook, request.body);
      response.status(code).json(body);
    });
  }
  app.all(['/mutate', '/validate'], (_, response) => {
    response.status(405).set('Allow', 'POST').json({ error: 'only POST is answered here' });
  });
  app.use((_, response) => void response.status(404).json({ error: 'there is nothing here' }));
  app.use(malformed(options));
  return app;
}

const webhooks = ['mutate', 'validate'] as const;
export type Webhook = (typeof webhooks)[number];

type Decide = (request: AdmissionRequest) => AdmissionAnswer;

const decideMutation =
  ({ lookup, noticed, now }: AdmissionOptions): Decide =>
  (request) => {
    if (request.operation === 'DELETE') return { warnings: [] };
    if (request.kind === 'Canary') return decideCanary(request, noticed, now());
    const { answer, notice } = mutate(request, lookup);
    if (notice !== undefined) noticed(notice);
    return answer;
  };

function decideCanary(
  request: AdmissionRequest,
  noticed: AdmissionOptions['noticed'],
  nowMs: number,
): AdmissionAnswer {
  const wallTime = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const { answer, isDecided } = decideGates(request, wallTime);
  const { namespace, name, dryRun } = request;
  if (isDecided && !dryRun) noticed({ namespace, canary: name });
  return answer;
}

const decideValidation =
  ({ validation }: AdmissionOptions): Decide =>
  (request) =>
    validate(request, validation);

const requireJson: RequestHandler = (request, response, next) => {
  if (request.is('application/json') === false) {
    response.status(415).json({ error: 'the body must be application/json' });
    return;
  }
  next();
};

/** The answer to the body of one review: an HTTP status, and JSON. */
export type Answerer = (
  webhook: Webhook,
  body: unknown,
) => { readonly code: number; readonly body: unknown };

/** Answers reviews without a server around it. */
export function createAnswerer(options: AdmissionOptions): Answerer {
  const decisions: Readonly<Record<Webhook, Decide>> = {
    mutate: decideMutation(options),
    validate: decideValidation(options),
  };
  const { telemetry, log, steadyMs } = options;
  return (webhook, body) => {
    const startedMs = steadyMs();
    const record = (found: string, outcome: AdmissionOutcome): void => {
      const kind = reviewedKinds.has(found) ? found : 'unknown';
      telemetry.admission({ webhook, kind, outcome, seconds: (steadyMs() - startedMs) / 1000 });
    };
    const parsed = parseReview(body);
    if (!parsed.ok) {
      record('unknown', 'malformed');
      return parsed.uid === undefined
        ? { code: 400, body: { error: parsed.error } }
        : { code: 200, body: answerReview(parsed.uid, undefined, { warnings: [] }) };
    }
    const { uid, object, kind } = parsed.request;
    try {
      const answer = decisions[webhook](parsed.request);
      const review = answerReview(uid, object, answer);
      record(kind, outcomeOf(answer, 'patch' in review.response));
      return { code: 200, body: review };
    } catch (error) {
      const { namespace, name } = parsed.request;
      log.error(
        { webhook, kind, namespace, name, error: stackOf(error) },
        'admission failed, allowed',
      );
      record(kind, 'failed');
      return { code: 200, body: answerReview(uid, undefined, { warnings: [] }) };
    }
  };
}

const outcomeOf = ({ denied }: AdmissionAnswer, patched: boolean): AdmissionOutcome =>
  denied !== undefined ? 'denied' : patched ? 'patched' : 'allowed';

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** Bodies that are too long, no JSON, or broken off. */
function malformed({ telemetry, log }: AdmissionOptions): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { status = 400, type = 'malformed' } = (error ?? {}) as {
      status?: number;
      type?: string;
    };
    const code = status >= 400 && status < 500 ? status : 400;
    const webhook = webhooks.find((it) => request.path === `/${it}`) ?? 'unknown';
    log.warn({ webhook, type }, 'malformed admission request');
    telemetry.admission({ webhook, kind: 'unknown', outcome: 'malformed', seconds: 0 });
    response.status(code).json({ error: `the body cannot be read: ${type}` });
  };
}

export interface ServedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface AdmissionServer {
  readonly port: number;
  /** Serves another certificate to new connections; those that are open go on. */
  useCertificate(certificate: ServedCertificate): void;
  /** Stops listening, and resolves when what is under way has been answered, in 3 s at the most. */
  close(): Promise<void>;
}

/** Listens on all addresses where no host is given; rejects where the port is taken. */
export async function serveAdmission(
  app: Express,
  port: number,
  { certificate, key }: ServedCertificate,
  host?: string,
): Promise<AdmissionServer> {
  const server: Server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' }, app);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.keepAliveTimeout = keepAliveMs;
  server.requestTimeout = requestMs;
  const underWay = new Set<ServerResponse>();
  server.prependListener('request', (_, response: ServerResponse) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    useCertificate: (next) =>
      server.setSecureContext({ cert: next.certificate, key: next.key, minVersion: 'TLSv1.2' }),
    close: () => close(server, underWay, sockets),
  };
}

async function close(
  server: Server,
  underWay: ReadonlySet<ServerResponse>,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  // Else the client keeps the connection, and sends the next review on it.
  for (const response of underWay) {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  }
  // Not closeAllConnections: it knows no connection whose handshake is not done.
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, closeMsMax);
  await closed;
  clearTimeout(cut);
}
