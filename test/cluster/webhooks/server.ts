/** A webhook server on loopback that does what scripts say, and remembers what it was asked. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../identity.ts';
import type { Script } from './cases.ts';
import { answerTo } from './cases.ts';

export interface Question {
  readonly path: string;
  readonly review: {
    readonly request: Readonly<Record<string, unknown>> & { readonly uid: string };
  };
}

export interface WebhookServer {
  readonly port: number;
  readonly questions: Question[];
  /** TLS connections so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Scripts by path. */
export async function startWebhooks(
  { certificatePem, privateKeyPem }: Certificate,
  scripts: ReadonlyMap<string, Script>,
): Promise<WebhookServer> {
  const questions: Question[] = [];
  let connections = 0;
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = (request.url ?? '').replace(/\?.*$/, '');
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Question['review'];
      questions.push({ path, review });
      const script = scripts.get(path) ?? { kind: 'allow' };
      if (script.kind === 'never') return;
      if (script.kind === 'reply') {
        response.writeHead(script.code, { 'content-type': 'text/plain' }).end(script.text);
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answerTo(script, review)));
    });
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    questions,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      await new Promise<unknown>((resolve) => server.close(resolve));
    },
  };
}
