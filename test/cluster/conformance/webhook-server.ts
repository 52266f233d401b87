/** A webhook as the API server calls it: HTTPS, AdmissionReview in, AdmissionReview out. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../identity.ts';

/** The `request` of an AdmissionReview. */
export type Review = Readonly<Record<string, unknown>>;

/** What is answered beside the uid. `raw`: a status code, and no review at all. */
export type Verdict =
  | {
      readonly allowed: boolean;
      readonly patch?: readonly object[];
      readonly warnings?: readonly string[];
      readonly status?: object;
      readonly uid?: string;
    }
  | { readonly raw: number }
  /** Keeps the caller waiting until the server is closed. */
  | { readonly raw: 'never' };

export interface WebhookServer {
  /** Base64 PEM, as `clientConfig` wants it. */
  readonly caBundle: string;
  /** Where a webhook with that answer is. */
  urlOf(name: string, answer: (review: Review) => Verdict): string;
  /** What came for it so far. */
  reviewsOf(name: string): readonly Review[];
  close(): Promise<void>;
}

export async function startWebhookServer(): Promise<WebhookServer> {
  const authority = await createAuthority();
  const { privateKeyPem, certificatePem } = await authority.issueServing();
  const answers = new Map<string, (review: Review) => Verdict>();
  const reviews = new Map<string, Review[]>();

  const server = createServer({ key: privateKeyPem, cert: certificatePem }, (request, response) => {
    const name = (request.url ?? '/').slice(1).split('?')[0] ?? '';
    reply(request, response, (review) => {
      reviews.get(name)?.push(review);
      return answers.get(name)?.(review) ?? { raw: 404 };
    }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    caBundle: Buffer.from(authority.certificatePem).toString('base64'),
    urlOf: (name, answer) => {
      answers.set(name, answer);
      reviews.set(name, []);
      return `https://127.0.0.1:${port}/${name}`;
    },
    reviewsOf: (name) => reviews.get(name) ?? [],
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  decide: (review: Review) => Verdict,
): Promise<void> {
  let text = '';
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
  const { request: review } = JSON.parse(text) as { readonly request: Review };
  const verdict = decide(review);
  if ('raw' in verdict) {
    if (verdict.raw !== 'never') response.writeHead(verdict.raw).end('as asked for');
    return;
  }
  const { patch, ...rest } = verdict;
  const patched = patch && {
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: review['uid'], ...patched, ...rest },
    }),
  );
}
