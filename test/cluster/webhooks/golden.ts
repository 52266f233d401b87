/** What a real API server made of `cases.ts`, written by `record.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Recorded {
  readonly status: number;
  readonly warnings: readonly string[];
  /** What a `Status` says, or the data or spec of the object. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The questions, in order: who was asked what, without what differs from run to run. */
  readonly asked: readonly {
    readonly name: string;
    readonly request: Readonly<Record<string, unknown>>;
  }[];
}

export const goldenPath = join(import.meta.dirname, '../../golden/cluster/webhooks.json');

export const readGolden = (): Readonly<Record<string, Recorded>> =>
  JSON.parse(readFileSync(goldenPath, 'utf8')) as Readonly<Record<string, Recorded>>;

/** The request of a review, with objects reduced to what the case is about. */
export function lasting(
  request: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { uid: _, object, oldObject, options, userInfo, ...others } = request;
  const { username } = userInfo as { readonly username: string };
  return {
    ...others,
    username,
    object: shown(object),
    oldObject: shown(oldObject),
    options: (options as { readonly kind?: string } | null)?.kind,
  };
}

function shown(object: unknown): unknown {
  if (typeof object !== 'object' || object === null) return null;
  const { apiVersion, kind, data, spec } = object as Readonly<Record<string, unknown>>;
  const { replicas } = (spec ?? {}) as { readonly replicas?: number };
  return {
    apiVersion,
    kind,
    ...(data !== undefined && { data }),
    ...(replicas !== undefined && { replicas }),
  };
}

/** What is said, without ports and uids, which are others each time. */
export const portless = (text: string): string =>
  text
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID');
