/**
 * Makes any value fit to be logged: plain, bounded, and without the secrets that can be known by
 * their key or shape. It is a safety net: code must still not log what it need not.
 */

const depthMax = 6;
const itemsMax = 100;
/** Characters of one string: a response body must not fill the log. */
const charactersMax = 8192;
const mask = '[redacted]';

const secretKey =
  /(^|[-_.])(authorization|cookie|api[-_]?key|private[-_]?key)$|token$|password$|passwd$/i;

/** Each keeps what a reader needs to find the place, and masks the rest. */
const secretShapes: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${mask}`],
  [/(\b[a-z][\w+.-]*:\/\/)[^\s/:@]+:[^\s/@]+@/gi, `$1${mask}@`],
  [/(hooks\.slack\.com\/(?:services|workflows)\/)[^\s"]+/gi, `$1${mask}`],
  [/(discord(?:app)?\.com\/api\/webhooks\/)[^\s"]+/gi, `$1${mask}`],
  [/([?&](?:key|token|access_token|api_key|sig|signature)=)[^&\s"]+/gi, `$1${mask}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, mask],
];

/** A copy that can be logged. An Error becomes its message and those of its causes. */
export function printable<T>(value: T): T;
export function printable(value: unknown): unknown {
  return copy(value, 0);
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return text(errorText(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toJSON();
  if (depth >= depthMax) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => copy(item, depth + 1));
  return copyFields(value, depth);
}

function copyFields(value: object, depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(value).slice(0, itemsMax)) {
    const field = read(value, key);
    fields[key] = secretKey.test(key) && field !== '' ? mask : copy(field, depth + 1);
    if (depth === 0 && field instanceof Error && field.stack !== undefined) {
      fields['stacktrace'] = text(field.stack);
    }
  }
  return fields;
}

/** One getter that throws must not cost the line. */
function read(value: object, key: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[key];
  } catch {
    return '[unreadable]';
  }
}

function text(value: string): string {
  let result = value;
  if (result.length > charactersMax) {
    const dropped = result.length - charactersMax;
    result = `${result.slice(0, charactersMax)}… (${dropped} characters more)`;
  }
  for (const [shape, replacement] of secretShapes) result = result.replace(shape, replacement);
  return result;
}

function errorText(error: Error): string {
  const messages: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && messages.length < depthMax) {
    messages.push(current.message || current.name);
    current = current.cause;
  }
  return messages.join(': ');
}
