/**
 * What goes wrong between a client and its API server, by dice: requests and answers that are lost
 * or late, refusals, watches that break, lag or are too old. It never does what a server could not.
 */
import { ApiError } from '../kube/api-error.ts';
import type { Clock } from '../kube/clock.ts';
import type { Transport, TransportRequest } from '../kube/transport.ts';

/** Shares of one, of requests (of watches: of what is sent). All are 0 where absent. */
export interface FaultRates {
  /** The request never arrives. */
  readonly lostRequest?: number;
  /** It is carried out, and the answer never arrives. */
  readonly lostAnswer?: number;
  /** The answer takes up to `lateMsMax`. */
  readonly lateAnswer?: number;
  /** 409, as if somebody else had written. Of writes. */
  readonly conflict?: number;
  /** 429, with a time to wait. */
  readonly throttled?: number;
  readonly serverError?: number;
  /** The connection of a watch breaks. */
  readonly droppedWatch?: number;
  /** Events of a watch take up to `lateMsMax`. */
  readonly lateWatch?: number;
  /** A watch is refused as too old. */
  readonly goneWatch?: number;
}

export interface FaultOptions {
  readonly rates: FaultRates;
  readonly lateMsMax: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Asked before each: nothing goes wrong where it says so. */
  readonly isCalm: () => boolean;
  /** Told of each. */
  readonly onFault?: (fault: keyof FaultRates, request: TransportRequest) => void;
}

/** Watches are listened to with no deadline, so nothing is lost in silence there. */
const isWrite = ({ method }: TransportRequest): boolean => method !== 'GET';

export function faulty(transport: Transport, options: FaultOptions): Transport {
  const { rates, random, clock, isCalm, lateMsMax, onFault = () => undefined } = options;
  const strikes = (fault: keyof FaultRates, request: TransportRequest): boolean => {
    const rate = rates[fault] ?? 0;
    // The dice are cast in calm times, too: what comes later depends on no fault before it.
    if (random() >= rate || isCalm()) return false;
    onFault(fault, request);
    return true;
  };
  const late = (): number => random() * lateMsMax;

  const before = (request: TransportRequest): void => {
    if (strikes('lostRequest', request)) throw lost(request);
    if (strikes('throttled', request)) {
      throw refused(request, 429, 'TooManyRequests', 1_000);
    }
    if (strikes('serverError', request)) throw refused(request, 500, 'InternalError');
    if (isWrite(request) && strikes('conflict', request)) throw refused(request, 409, 'Conflict');
  };
  return {
    call: async (request) => {
      before(request);
      const answer = await transport.call(request);
      if (strikes('lostAnswer', request)) throw lost(request);
      if (strikes('lateAnswer', request)) await clock.sleep(late(), request.signal);
      return answer;
    },
    stream: async (request) => {
      before(request);
      if (strikes('goneWatch', request)) throw refused(request, 410, 'Expired');
      const chunks = await transport.stream(request);
      return disturbed(chunks, request, { strikes, late, clock });
    },
    close: () => transport.close(),
  };
}

async function* disturbed(
  chunks: AsyncIterable<Uint8Array>,
  request: TransportRequest,
  {
    strikes,
    late,
    clock,
  }: {
    readonly strikes: (fault: keyof FaultRates, request: TransportRequest) => boolean;
    readonly late: () => number;
    readonly clock: Clock;
  },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (strikes('droppedWatch', request)) throw lost(request);
    if (strikes('lateWatch', request)) await clock.sleep(late(), request.signal);
    yield chunk;
  }
}

const lost = ({ verb, resource }: TransportRequest): ApiError =>
  new ApiError(`${verb} ${resource}: connection reset (ECONNRESET)`, {
    code: 0,
    reason: 'ConnectionFailed',
  });

const refused = (
  { verb, resource }: TransportRequest,
  code: number,
  reason: string,
  retryAfterMs?: number,
): ApiError =>
  new ApiError(`${verb} ${resource}: ${reason}, by the dice`, {
    code,
    reason,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
