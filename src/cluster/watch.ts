/**
 * Watches: what changes, from a version on, in order and complete; or an end with 410 where history
 * does not reach back. Rules: Kubernetes API concepts, "Efficient detection of changes".
 */
import type { Clock } from '../kube/clock.ts';
import { onAbort } from '../kube/abort.ts';
import type { ObjectMatch } from './list.ts';
import type { ObjectStore, StoreEvent } from './object-store.ts';
import type { StoredObject } from './resource-type.ts';
import { StatusError } from './status-error.ts';

export interface WatchOptions {
  readonly groupResource: string;
  /** All namespaces where undefined. */
  readonly namespace: string | undefined;
  readonly match: ObjectMatch;
  /** Changes after it are sent; everything there is, and then all changes, where undefined. */
  readonly from: number | undefined;
  /** Whether everything there is comes first, also with a version given (`sendInitialEvents`). */
  readonly isInitial: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The JSON of an object, as this watcher wants it. */
  readonly encode: (object: StoredObject) => string;
  /** The JSON of a bookmark. */
  readonly bookmark: (version: number, isEndOfInitial: boolean) => string;
}

/** Lines that may wait for a watcher; one that takes none is hung up on. */
const waitingMax = 20_000;
const bookmarkMs = 60_000;

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

const line = (type: EventType, json: string): string => `{"type":"${type}","object":${json}}\n`;

/** JSON lines, until the time is over or the signal aborts. */
export function watch(
  store: ObjectStore,
  clock: Clock,
  options: WatchOptions,
): AsyncIterable<string> {
  const { from, isInitial, signal, bookmark } = options;
  const lines = createLines();
  const events = from === undefined ? [] : store.since(from);
  if (events === undefined) {
    const message = `too old resource version: ${from} (${store.compactedAt()})`;
    const error = new StatusError(message, { code: 410, reason: 'Expired' });
    lines.push(line('ERROR', JSON.stringify(error.toStatus())));
    lines.end();
    return lines;
  }
  if (from === undefined || isInitial) {
    for (const object of store.list(options.groupResource, options.namespace)) {
      if (options.match(object)) lines.push(line('ADDED', options.encode(object)));
    }
    if (isInitial) lines.push(line('BOOKMARK', bookmark(store.version(), true)));
  } else {
    for (const event of events) send(lines, event, options);
  }
  const unsubscribe = store.subscribe((event) => {
    if (!send(lines, event, options)) lines.end();
  });
  const stopBookmarks = options.bookmarks
    ? every(clock, bookmarkMs, () => lines.push(line('BOOKMARK', bookmark(store.version(), false))))
    : () => undefined;
  const cancel = clock.after(options.timeoutMs, () => {
    if (options.bookmarks) lines.push(line('BOOKMARK', bookmark(store.version(), false)));
    lines.end();
  });
  const unlisten = onAbort(signal, () => lines.end());
  lines.onEnd(() => {
    unsubscribe();
    stopBookmarks();
    cancel();
    unlisten();
  });
  return lines;
}

/** Answers whether the watcher can take more. */
function send(lines: Lines, event: StoreEvent, options: WatchOptions): boolean {
  if (event.groupResource !== options.groupResource) return true;
  const { before, object, isDeletion } = event;
  if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) {
    return true;
  }
  const was = before !== undefined && options.match(before);
  const is = !isDeletion && options.match(object);
  if (is) return lines.push(line(was ? 'MODIFIED' : 'ADDED', options.encode(object)));
  if (!was) return true;
  // An object that leaves the selection is shown as it was in it.
  const { resourceVersion = '' } = object.metadata;
  const last = isDeletion
    ? object
    : { ...before, metadata: { ...before.metadata, resourceVersion } };
  return lines.push(line('DELETED', options.encode(last)));
}

function every(clock: Clock, ms: number, callback: () => void): () => void {
  let cancel = (): void => undefined;
  const arm = (): void => {
    cancel = clock.after(ms, () => {
      callback();
      arm();
    });
  };
  arm();
  return () => cancel();
}

interface Lines extends AsyncIterable<string> {
  /** Answers whether there is room for more. */
  push(text: string): boolean;
  end(): void;
  onEnd(callback: () => void): void;
}

/** What is pushed on one side is pulled on the other; several lines at once where they wait. */
function createLines(): Lines {
  const waiting: string[] = [];
  let isOver = false;
  let wake = (): void => undefined;
  let ended = (): void => undefined;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    ended();
    wake();
  };
  return {
    push: (text) => {
      if (isOver) return true;
      waiting.push(text);
      wake();
      return waiting.length < waitingMax;
    },
    end,
    onEnd: (callback) => {
      ended = callback;
      if (isOver) callback();
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          if (waiting.length > 0) yield waiting.splice(0).join('');
          else if (isOver) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        end();
      }
    },
  };
}
