/** Calls of a real API server as its administrator, JSON both ways, over kept connections. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { warningsOf } from '../../src/kube/transport.ts';
import type { ControlPlane } from './control-plane.ts';

export interface AdminCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Default: `application/json`. */
  readonly type?: string;
  readonly accept?: string;
}

export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

export interface AdminCalls {
  readonly send: (call: AdminCall) => Promise<Reply>;
  readonly close: () => void;
}

const socketsMax = 8;

export async function connectAsAdmin(plane: ControlPlane): Promise<AdminCalls> {
  const { certificateFile, keyFile } = plane.adminClientCertificate;
  const [ca, cert, key] = await Promise.all(
    [plane.caFile, certificateFile, keyFile].map((path) => readFile(path)),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  const json = 'application/json';
  return {
    send: ({ method, path, body, type = json, accept = json }) =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': type, accept, 'user-agent': 'recorder/1' };
        const url = new URL(path, plane.url);
        const call = request(url, { method, ca, cert, key, agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({
              status: response.statusCode ?? 0,
              body: text.startsWith('{') ? (JSON.parse(text) as Reply['body']) : { text },
              warnings: warningsOf(response.headers.warning),
            });
          });
        });
        call.on('error', reject);
        call.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}
