/**
 * The one error that calls of the Kubernetes API end in. It never holds a request's headers or
 * body, so that no credential and no Secret can reach a log by it.
 */

/** The `details` of a `Status`, as the API server sends them. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
  }[];
}

export interface ApiErrorOptions {
  readonly code: number;
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
  readonly details?: StatusDetails | undefined;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 where no whole answer came. */
  readonly code: number;
  /**
   * The API server's own word (`NotFound`, `Conflict`), or one of ours where it said none:
   * `Timeout`, `ConnectionFailed`, `BadAnswer`, `TooLarge`, `Throttled`.
   */
  readonly reason: string;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  readonly details: StatusDetails;

  constructor(message: string, options: ApiErrorOptions) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
  }
}

/** What a `Status` looks like, whoever sent it: nothing in it is certain. */
interface StatusLike {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: unknown;
}

/** Characters kept of an answer that is not a `Status`: enough to recognise a proxy's page. */
const foreignTextMax = 256;

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** Reads a parsed `Status`, or whatever came in its place. `call` says what was tried. */
export function apiErrorFrom(
  call: string,
  answer: { readonly code: number; readonly body: unknown; readonly retryAfterMs?: number },
): ApiError {
  const status = isRecord(answer.body) ? (answer.body as StatusLike) : {};
  const details = isRecord(status.details) ? (status.details as StatusDetails) : {};
  const code = answer.code === 0 && typeof status.code === 'number' ? status.code : answer.code;
  const seconds = details.retryAfterSeconds;
  const text = typeof answer.body === 'string' ? answer.body.slice(0, foreignTextMax).trim() : '';
  const message = typeof status.message === 'string' ? status.message : text;
  const reason = typeof status.reason === 'string' ? status.reason : '';
  return new ApiError(`${call}: ${message === '' ? `HTTP ${code}` : message}`, {
    code,
    reason: reason === '' ? (reasons[code] ?? 'Unknown') : reason,
    retryAfterMs: answer.retryAfterMs ?? (typeof seconds === 'number' ? seconds * 1000 : undefined),
    details,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object, its namespace or its whole API is absent. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404;
}

/** Somebody else wrote first: observe again, decide again. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409 && error.reason !== 'AlreadyExists';
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409 && error.reason === 'AlreadyExists';
}

/** The resource version or the continue token is too old: list again. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone')
  );
}

/** The resource version is newer than all that the server has: its storage was put back. */
export function isFromTheFuture(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.details.causes ?? []).some(({ reason }) => reason === 'ResourceVersionTooLarge')
  );
}

/** Too many requests, ours or everybody's. */
export function isThrottled(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.code === 429 || error.reason === 'TooManyRequests' || error.reason === 'Throttled')
  );
}

/** The object was refused by validation: the same object will be refused again. */
export function isInvalid(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 422 || error.reason === 'Invalid');
}

export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.code === 403;
}

/** The deadline passed, here or at the server. The request may have been carried out. */
export function isTimeout(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 504 || error.reason === 'Timeout');
}
