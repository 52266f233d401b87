/**
 * A way from a client in this process to the API server that takes no network and no real time: the
 * same requests and answers, each a little late by the clock.
 */
import { ApiError, apiErrorFrom } from '../kube/api-error.ts';
import type { Clock } from '../kube/clock.ts';
import type { Transport, TransportRequest } from '../kube/transport.ts';
import type { User } from './resource-type.ts';
import type { RestAnswer } from './rest-request.ts';
import type { Rest } from './rest.ts';

export interface InProcessOptions {
  readonly clock: Clock;
  readonly user: User;
  readonly userAgent: string;
  /** From the sending of a request to the end of its answer; of a watch, of each event. */
  readonly answerMs: number;
}

/** One attempt a call: `repeating` of `kube/transport.ts` goes around it. */
export function createInProcessTransport(rest: Rest, options: InProcessOptions): Transport {
  const { clock, answerMs } = options;
  const send = async (request: TransportRequest): Promise<RestAnswer> => {
    const { signal } = request;
    await clock.sleep(answerMs / 2, signal);
    const [path = '', query = ''] = request.path.split('?', 2);
    const answer = await rest({
      method: request.method,
      path,
      query: new URLSearchParams(query),
      accept: request.accept,
      contentType: request.contentType,
      userAgent: options.userAgent,
      body: request.body ?? '',
      user: options.user,
      signal,
    });
    await clock.sleep(answerMs / 2, signal);
    return answer;
  };
  return {
    call: async (request) => {
      const answer = await send(request);
      if (answer.kind === 'Stream') throw notThat(request);
      if (answer.code >= 400) throw refusalOf(request, answer);
      return JSON.parse(answer.body) as unknown;
    },
    stream: async (request) => {
      const answer = await send(request);
      if (answer.kind === 'Stream') return bytes(answer.lines, request.signal);
      throw answer.code >= 400 ? refusalOf(request, answer) : notThat(request);
    },
    close: () => undefined,
  };
}

const notThat = ({ verb, resource }: TransportRequest): ApiError =>
  new ApiError(`${verb} ${resource}: not the kind of answer that was asked for`, {
    code: 0,
    reason: 'BadAnswer',
  });

function refusalOf(
  { verb, resource }: TransportRequest,
  answer: Extract<RestAnswer, { kind: 'Whole' }>,
): ApiError {
  const { retryAfterSeconds } = answer;
  return apiErrorFrom(`${verb} ${resource}`, {
    code: answer.code,
    body: JSON.parse(answer.body) as unknown,
    ...(retryAfterSeconds !== undefined && { retryAfterMs: retryAfterSeconds * 1000 }),
  });
}

async function* bytes(
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const text of lines) {
    signal.throwIfAborted();
    yield Buffer.from(text);
  }
  signal.throwIfAborted();
}
