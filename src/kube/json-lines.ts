/**
 * One JSON value a line, out of chunks that are cut anywhere, also inside a character.
 * A last line without an end means that the connection broke: it is an error, not a value.
 */
import { ApiError } from './api-error.ts';

/** An object has at most 3 MiB in etcd's request; JSON may write a byte as six characters. */
export const lineBytesMax = 20 * 1024 * 1024;

const newline = 0x0a;

export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = joined(parts, chunk.subarray(start, end));
      parts = [];
      bytes = 0;
      start = end + 1;
      if (line.trim() !== '') yield parsed(line);
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      bytes += chunk.length - start;
    }
    if (bytes > lineBytesMax) throw broken('TooLarge', `a line of more than ${lineBytesMax} bytes`);
  }
  if (bytes > 0) throw broken('ConnectionFailed', 'the stream ended inside a line');
}

function joined(parts: readonly Uint8Array[], last: Uint8Array): string {
  return Buffer.concat([...parts, last]).toString('utf8');
}

function parsed(line: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's own message quotes the text, which may be a Secret's.
    throw broken('BadAnswer', 'a line is not JSON');
  }
  if (typeof value !== 'object' || value === null) {
    throw broken('BadAnswer', 'a line is not a JSON object');
  }
  return value;
}

function broken(reason: string, message: string): ApiError {
  return new ApiError(`watch: ${message}`, { code: 0, reason });
}
