/**
 * One POST of JSON, with the redirects that it leads to: what was answered, or an error that says
 * whether another attempt may help.
 *
 * Each request has a connection of its own: one that was kept may be closed by the receiver at the
 * moment of the next call, and a POST cannot be repeated without asking.
 */
import * as http from 'node:http';
import * as https from 'node:https';

/** Of an answer's body that is kept: it ends up in an event. */
const bodyBytesMax = 1024;
/** As the reference follows. */
const redirectsMax = 10;

export interface PostOptions {
  readonly insecureSkipVerify: boolean;
  readonly signal: AbortSignal;
}

export interface Response {
  readonly status: number;
  readonly reason: string;
  /** The beginning of what was answered. */
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** One POST: over the network, or answered by a rehearsal. */
export type Post = (url: URL, json: string, options: PostOptions) => Promise<Response>;

/** A call that will fail again however often it is made. */
export class HopelessCall extends Error {}

/**
 * 301 to 303 are followed by a GET without a body, 307 and 308 by the same POST. Rejects with a
 * `HopelessCall`, or with what the network said.
 */
export async function post(url: URL, json: string, options: PostOptions): Promise<Response> {
  let target = url;
  let body: string | undefined = json;
  for (let hop = 0; hop <= redirectsMax; hop += 1) {
    const response = await send(target, body, options);
    const { status } = response;
    const { location } = response.headers;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return response;
    if (!URL.canParse(location, target.href)) throw new HopelessCall('redirected to no valid URL');
    if (status < 307) body = undefined;
    target = new URL(location, target);
  }
  throw new HopelessCall(`stopped after ${redirectsMax} redirects`);
}

function send(
  url: URL,
  body: string | undefined,
  { insecureSkipVerify, signal }: PostOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = open(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'User-Agent': 'aviary',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      agent: false,
      rejectUnauthorized: !insecureSkipVerify,
      signal,
    });
    request.on('response', (response) => {
      readBeginning(response).then(resolve, reject);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(isCertificateError(error) ? new HopelessCall(error.message) : error);
    });
    request.end(body);
  });
}

function open(url: URL, options: https.RequestOptions): http.ClientRequest {
  switch (url.protocol) {
    case 'http:':
      return http.request(url, options);
    case 'https:':
      return https.request(url, options);
    default:
      throw new HopelessCall(`unsupported protocol scheme "${url.protocol.replace(/:$/, '')}"`);
  }
}

/** Reads what is kept of the body, and hangs up on the rest. */
async function readBeginning(response: http.IncomingMessage): Promise<Response> {
  const { statusCode = 0, statusMessage = '', headers } = response;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bodyBytesMax) break;
  }
  const kept = Buffer.concat(chunks).subarray(0, bodyBytesMax);
  // A character that the cut divides is dropped.
  const body = new TextDecoder().decode(kept, { stream: true });
  return { status: statusCode, reason: statusMessage, body, headers };
}

function isCertificateError({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|UNABLE_TO_GET_CRL/.test(code);
}
