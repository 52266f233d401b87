/**
 * Calls of the controller to the API server, told twice: by its own counters, and by the audit log
 * of the API server.
 */
import { open } from 'node:fs/promises';
import { until } from '../support/until.ts';

/** The user of `manifests/`. */
const controller = 'system:serviceaccount:aviary-system:aviary';

/** By verb. Those on leases go under `lease`, whatever the verb. */
export type CallCounts = Readonly<Record<string, number>>;

/** All since the process started. */
export async function countedCalls(url: string): Promise<CallCounts> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const match = /^aviary_api_requests_total\{(?<labels>.*)\} (?<value>\S+)$/.exec(line);
    if (match === null) continue;
    const { labels = '', value } = match.groups ?? {};
    const verb = /verb="(\w+)"/.exec(labels)?.[1] ?? '';
    const entry = labels.includes('resource="leases"') ? 'lease' : verb;
    counts[entry] = (counts[entry] ?? 0) + Number(value);
  }
  return counts;
}

export function callsBetween(before: CallCounts, after: CallCounts): CallCounts {
  const pairs = Object.entries(after).map(([verb, count]) => [verb, count - (before[verb] ?? 0)]);
  return Object.fromEntries(pairs.filter(([, count]) => count !== 0)) as CallCounts;
}

/** Without leases, and the watches that are opened anew every five minutes. */
export function workOf(counts: CallCounts): number {
  const left = Object.entries(counts).filter(([verb]) => verb !== 'lease' && verb !== 'watch');
  return left.reduce((sum, [, count]) => sum + count, 0);
}

export const readsOf = (counts: CallCounts): number => (counts['get'] ?? 0) + (counts['list'] ?? 0);

/** Resolves when the process has made no call for a while, leases and watches aside. */
export async function quiet(url: string, forMs = 3_000): Promise<void> {
  let last = -1;
  let sinceMs = performance.now();
  const isQuiet = async (): Promise<boolean> => {
    const now = workOf(await countedCalls(url));
    if (now !== last) [last, sinceMs] = [now, performance.now()];
    return performance.now() - sinceMs >= forMs;
  };
  await until('the controller is quiet', isQuiet, { timeoutMs: 120_000, everyMs: 500 });
}

export interface AuditReader {
  /** Calls of the controller since the last question, by verb, and by verb and resource. */
  next(): Promise<{ readonly verbs: CallCounts; readonly objects: CallCounts }>;
}

/** Reads on from where the log ends now. */
export async function readAudit(path: string): Promise<AuditReader> {
  let offset = 0;
  const reader: AuditReader = {
    next: async () => {
      const verbs: Record<string, number> = {};
      const objects: Record<string, number> = {};
      const file = await open(path);
      let rest = '';
      for await (const chunk of file.createReadStream({ start: offset, encoding: 'utf8' })) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          offset += Buffer.byteLength(line) + 1;
          // Most lines are of others: only ours are worth parsing.
          if (!line.includes(controller)) continue;
          const { verb, user, objectRef = {} } = JSON.parse(line) as AuditEvent;
          if (user.username !== controller) continue;
          const { resource = '', subresource } = objectRef;
          const entry = resource === 'leases' ? 'lease' : verb;
          const object = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
          verbs[entry] = (verbs[entry] ?? 0) + 1;
          objects[object] = (objects[object] ?? 0) + 1;
        }
      }
      return { verbs, objects };
    },
  };
  await reader.next();
  return reader;
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
}
