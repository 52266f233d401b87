/**
 * Users: requests at a steady rate, sent when they are due whether or not earlier ones were answered,
 * each with what became of it.
 */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';

export interface Answer {
  /** `performance.now()` at which it was sent. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly user: number;
  /** 0 where there was no answer at all. */
  readonly status: number;
  /** Which revision answered, by its own word; empty where the gateway did, or nobody. */
  readonly revision: string;
  readonly pod: string;
  /** Of a failure: the end of the body, or of the connection. */
  readonly said: string;
}

export interface LoadOptions {
  readonly address: string;
  readonly port: number;
  /** The Host header. */
  readonly host: string;
  readonly perSecond: number;
}

export interface Load {
  readonly answers: readonly Answer[];
  /** Sends no more, and resolves when all that was sent is answered. */
  stop(): Promise<void>;
}

/** A page view each, over and over. */
const users = 1000;
const answerTimeoutMs = 10_000;
const tickMs = 5;

export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true });
  const answers: Answer[] = [];
  const open = new Set<Promise<void>>();
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * options.perSecond);
    for (; sent < due; sent += 1) {
      const answered: Promise<void> = ask(agent, options, sent % users).then((answer) => {
        answers.push(answer);
        open.delete(answered);
      });
      open.add(answered);
    }
  }, tickMs);
  return {
    answers,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      agent.destroy();
    },
  };
}

/** Never rejects: what fails is an answer, too. */
function ask(agent: Agent, { address, port, host }: LoadOptions, user: number): Promise<Answer> {
  const atMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, said: string, { revision = '', pod = '' } = {}): void =>
      resolve({ atMs, tookMs: performance.now() - atMs, user, status, said, revision, pod });
    const sent = request({ agent, host: address, port, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => end(0, error.message));
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(chunks).toString('utf8').trim();
        const said = status === 200 ? '' : text;
        end(status, said, {
          revision: header(response, 'x-revision'),
          pod: header(response, 'x-pod'),
        });
      });
    });
    sent.setTimeout(answerTimeoutMs, () => sent.destroy(new Error('no answer in time')));
    sent.on('error', (error) => end(0, error.message));
    sent.end();
  });
}

const header = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '');
