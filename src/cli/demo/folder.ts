/**
 * The files of one demo: kubeconfigs and the controller's log, in a temporary folder that only its
 * owner can read, and that is removed with the demo.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface DemoFolder {
  readonly path: string;
  /** Of a file in it. */
  file(name: string, text: string): string;
  /**
   * Of a file where the user wants it. Throws where there is one already: it is not ours to
   * overwrite.
   */
  fileAt(path: string, text: string): string;
  /** Removes all of them. Idempotent, and safe in the last moment of a process. */
  remove(): void;
}

/** Paths are to be typed: on macOS that of temporary files takes half a line. */
const pathCharactersMax = 30;
const shortFolder = '/tmp';
/** What follows from a token is the owner's alone. */
const mode = 0o600;

export function createFolder(): DemoFolder {
  const base = tmpdir();
  const isLong = base.length > pathCharactersMax && existsSync(shortFolder);
  const path = mkdtempSync(join(isLong ? shortFolder : base, 'aviary-demo-'));
  const outside: string[] = [];
  const write = (file: string, text: string): string => {
    writeFileSync(file, text, { mode, flag: 'wx' });
    return file;
  };
  return {
    path,
    file: (name, text) => write(join(path, name), text),
    fileAt: (given, text) => {
      const file = write(resolve(given), text);
      outside.push(file);
      return file;
    },
    remove: () => {
      for (const file of outside) rmSync(file, { force: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}
