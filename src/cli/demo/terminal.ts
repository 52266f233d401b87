/** The terminal of a process, as far as the demo uses it. Nothing is changed until it is entered. */
import type { ReadStream, WriteStream } from 'node:tty';
import type { ScreenSize } from './view.ts';

export interface Terminal {
  /** Whether a person sits there: what is written is seen, and keys can be read. */
  readonly isInteractive: boolean;
  readonly colours: boolean;
  readonly unicode: boolean;
  size(): ScreenSize;
  write(text: string): void;
  complain(text: string): void;
  /** Called when what is written reaches nobody any more: a pipe was closed, a window. */
  onLost(listener: () => void): void;
  /** Each answers how to stop. */
  onResize(listener: () => void): () => void;
  /** From here on keys come one by one and are not echoed; Ctrl-C is one of them. */
  onKey(listener: (key: string) => void): () => void;
}

export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

type Environment = Readonly<Record<string, string | undefined>>;

const sizeDefault: ScreenSize = { columns: 80, rows: 24 };

export function terminalOf(streams: TerminalStreams, environment: Environment): Terminal {
  const { stdin, stdout, stderr } = streams;
  const isDumb = environment['TERM'] === 'dumb';
  const noColour = (environment['NO_COLOR'] ?? '') !== '';
  return {
    isInteractive: stdin.isTTY && stdout.isTTY && !isDumb,
    colours: stdout.isTTY && !isDumb && !noColour,
    unicode: speaksUnicode(environment),
    size: () => sizeOf(stdout),
    write: (text) => void stdout.write(text),
    complain: (text) => void stderr.write(text),
    // Never taken off: the error of a last write may come after all else.
    onLost: (listener) => void stdout.on('error', listener),
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => void stdout.removeListener('resize', listener);
    },
    onKey: (listener) => readKeys(stdin, listener),
  };
}

/** A terminal may say that it has no columns. */
function sizeOf({ columns, rows }: Partial<Pick<WriteStream, 'columns' | 'rows'>>): ScreenSize {
  return { columns: columns || sizeDefault.columns, rows: rows || sizeDefault.rows };
}

/** The first of these that is not empty counts (POSIX, 8.2). None at all is left to the default. */
function speaksUnicode({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((it) => it !== undefined && it !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

function readKeys(
  stdin: NodeJS.ReadStream & Partial<Pick<ReadStream, 'setRawMode'>>,
  listener: (key: string) => void,
): () => void {
  // What is pasted or typed fast comes in one piece.
  const heard = (piece: Buffer | string): void => Array.from(piece.toString()).forEach(listener);
  stdin.setRawMode?.(true);
  stdin.on('data', heard);
  stdin.resume();
  return () => {
    stdin.removeListener('data', heard);
    stdin.setRawMode?.(false);
    stdin.pause();
  };
}
