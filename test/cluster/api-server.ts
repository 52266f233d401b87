/** The few calls that starting a control plane makes itself, as its administrator. */
import { request } from 'node:https';
import type { Certificate } from './identity.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects only if there is no answer within the deadline. */
export type ApiCall = (method: string, path: string, body?: object) => Promise<ApiAnswer>;

const deadlineMs = 10_000;

export function apiCallsTo(url: string, ca: string, admin: Certificate): ApiCall {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const options = {
        method,
        ca,
        cert: admin.certificatePem,
        key: admin.privateKeyPem,
        headers: { 'content-type': 'application/json' },
        timeout: deadlineMs,
      };
      const call = request(new URL(path, url), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: text });
        });
      });
      call.on('timeout', () => call.destroy(new Error(`${path}: no answer in ${deadlineMs} ms`)));
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
}
