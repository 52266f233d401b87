/** What a real API server answered to `cases.ts`, written by `record.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Answer {
  readonly status: number;
  readonly warnings?: readonly string[];
  /** An object without its metadata, or what a `Status` says. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Table {
  readonly columns: readonly Readonly<Record<string, unknown>>[];
  readonly cells: readonly unknown[];
}

export interface Golden {
  /** Of the creation, and of the update if there is one. */
  readonly objects: Readonly<Record<string, readonly Answer[]>>;
  readonly definitions: Readonly<Record<string, Answer>>;
  readonly statuses: Readonly<Record<string, unknown>>;
  readonly tables: Readonly<Record<'full' | 'least', Table>>;
}

export function readGolden(): Golden {
  const path = join(import.meta.dirname, '../../golden/cluster/schema.json');
  return JSON.parse(readFileSync(path, 'utf8')) as Golden;
}
