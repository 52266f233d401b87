/** A watch over plain HTTP: its events, one after the other, each awaited with a bound. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { at } from './match.ts';

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

export interface Watching {
  /** The next event; rejects where none comes in time or the server ended the watch. */
  next(): Promise<WatchEvent>;
  /** The next events, as `TYPE name`. */
  names(count: number): Promise<readonly string[]>;
  /** Everything that comes until the server ends the watch. */
  rest(): Promise<readonly WatchEvent[]>;
  close(): void;
}

const deadlineMs = 20_000;

export function watchingOf(response: IncomingMessage, close: () => void): Watching {
  const events = eventsOf(response);
  const next = async (): Promise<WatchEvent> => {
    const { value, done } = await inTime(events.next());
    assert.ok(done !== true, 'the server ended the watch');
    return value;
  };
  return {
    next,
    names: async (count) => {
      const names: string[] = [];
      while (names.length < count) {
        const { type, object } = await next();
        names.push(`${type} ${String(at(object, 'metadata.name'))}`);
      }
      return names;
    },
    rest: async () => {
      const all: WatchEvent[] = [];
      for (;;) {
        const { value, done } = await inTime(events.next());
        if (done === true) return all;
        all.push(value);
      }
    },
    close,
  };
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<WatchEvent, undefined> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const text of response as AsyncIterable<string>) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as WatchEvent;
  }
  return undefined;
}

async function inTime<Value>(promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no event in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
