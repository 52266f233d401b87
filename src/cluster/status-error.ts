/** What the API server answers where it does not do as it was told: a `Status` of meta/v1. */
import type { Json } from '../api/kubernetes.ts';
import type { StatusDetails } from '../kube/api-error.ts';

/** What is wrong with a field, in the words of the API server. */
export interface FieldError {
  /** `spec.template.spec.containers[0].image`. */
  readonly field: string;
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueTypeInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueNotFound';
  /** With the value, as it is shown: `Invalid value: -1: must be greater than or equal to 0`. */
  readonly message: string;
}

export interface StatusErrorOptions {
  /** HTTP status. */
  readonly code: number;
  /** Not told where empty. */
  readonly reason: string;
  readonly details?: StatusDetails;
  readonly retryAfterSeconds?: number;
  /** With which a list can go on all the same. */
  readonly continueToken?: string;
}

export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly continueToken: string | undefined;

  constructor(message: string, options: StatusErrorOptions) {
    super(message);
    this.code = options.code;
    this.reason = options.reason;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.continueToken = options.continueToken;
  }

  /** The body of the answer. */
  toStatus(): Json {
    const { retryAfterSeconds } = this;
    const seconds = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    const details = { ...this.details, ...seconds } as unknown as Json;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: 'Failure',
      message: this.message,
      // A webhook may refuse without one.
      ...(this.reason !== '' && { reason: this.reason }),
      ...(this.details === undefined && retryAfterSeconds === undefined ? {} : { details }),
      code: this.code,
    };
  }
}

/** Where an error is about: the group and the plural, or the kind, of the object. */
export interface Subject {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

const qualified = (name: string, group: string): string =>
  group === '' ? name : `${name}.${group}`;

/** Empty ones are left out, as Go leaves them out. */
const detailsOf = (name: string, group: string, kind: string): StatusDetails => ({
  ...(name !== '' && { name }),
  ...(group !== '' && { group }),
  kind,
});

export function notFound({ group, plural }: Subject, name: string): StatusError {
  return new StatusError(`${qualified(plural, group)} "${name}" not found`, {
    code: 404,
    reason: 'NotFound',
    details: detailsOf(name, group, plural),
  });
}

export function alreadyExists({ group, plural }: Subject, name: string): StatusError {
  return new StatusError(`${qualified(plural, group)} "${name}" already exists`, {
    code: 409,
    reason: 'AlreadyExists',
    details: detailsOf(name, group, plural),
  });
}

const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict({ group, plural }: Subject, name: string, why = modified): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(plural, group)} "${name}": ${why}`;
  return new StatusError(message, {
    code: 409,
    reason: 'Conflict',
    details: detailsOf(name, group, plural),
  });
}

/** Of one wrong field, its message; of several, a list in brackets. */
export function invalid(
  { group, kind }: Subject,
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const texts = errors.map(({ field, message }) => `${field}: ${message}`);
  const text = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return new StatusError(`${qualified(kind, group)} "${name}" is invalid: ${text}`, {
    code: 422,
    reason: 'Invalid',
    details: {
      ...detailsOf(name, group, kind),
      causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
    },
  });
}

export const badRequest = (message: string): StatusError =>
  new StatusError(message, { code: 400, reason: 'BadRequest' });

export const forbidden = ({ group, plural }: Subject, name: string, why: string): StatusError =>
  new StatusError(`${qualified(plural, group)} "${name}" is forbidden: ${why}`, {
    code: 403,
    reason: 'Forbidden',
    details: detailsOf(name, group, plural),
  });

export const expired = (message: string): StatusError =>
  new StatusError(message, { code: 410, reason: 'Expired' });

/** No such kind, or no such part of it. */
export const noSuchPath = (): StatusError =>
  new StatusError('the server could not find the requested resource', {
    code: 404,
    reason: 'NotFound',
    details: {},
  });

export const notAllowed = (): StatusError =>
  new StatusError('the server does not allow this method on the requested resource', {
    code: 405,
    reason: 'MethodNotAllowed',
    details: {},
  });
