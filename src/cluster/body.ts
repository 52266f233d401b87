/** Bodies of requests: JSON, or YAML where it is said to be. */
import { parse } from 'yaml';
import { isRecord } from './json.ts';
import { badRequest, StatusError } from './status-error.ts';

/** Throws a `StatusError` (400 or 415) where it is no object in a form that is read. */
export function parseBody(contentType: string | undefined, body: string): unknown {
  const type = (contentType ?? 'application/json').split(';')[0]?.trim() ?? '';
  const read = readers[type === '' ? 'application/json' : type];
  if (read === undefined) {
    const known = Object.keys(readers).join(', ');
    const message = `the body of the request was in an unknown format - accepted media types include: ${known}`;
    throw new StatusError(message, { code: 415, reason: 'UnsupportedMediaType' });
  }
  const value = parsed(read, body);
  if (!isRecord(value)) throw badRequest('the body of the request is not an object');
  return value;
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  'application/json': (text) => JSON.parse(text) as unknown,
  'application/yaml': (text) => parse(text) as unknown,
};

function parsed(read: (text: string) => unknown, body: string): unknown {
  try {
    return read(body);
  } catch (error) {
    throw badRequest(
      `error decoding the body: ${error instanceof Error ? error.message : 'unreadable'}`,
    );
  }
}
