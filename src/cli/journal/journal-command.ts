/** `aviary journal`: the last rollouts of canaries, as their statuses keep them. Only read. */
import type { Canary } from '../../api/canary.ts';
import { isNotFound } from '../../kube/api-error.ts';
import type { Clock } from '../../kube/clock.ts';
import { canaries } from '../../kube/resources.ts';
import type { Environment } from '../flags.ts';
import type { Reader } from '../reader-client.ts';
import { createReader } from '../reader-client.ts';
import type { JournalFlags } from './journal-flags.ts';
import { journalUsage, parseJournalFlags } from './journal-flags.ts';
import { entriesOf, renderSteps, renderTable } from './journal-text.ts';

export interface JournalCommand {
  /** Without the program and the command. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly version: string;
  readonly clock: Clock;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
}

const exitCodes = { done: 0, notFound: 1, failed: 2 } as const;
/** For the whole of it. */
const answerMsMax = 30_000;
const pageSize = 500;

/** Resolves with the exit code. */
export async function runJournal(command: JournalCommand): Promise<number> {
  const { argv, write, complain } = command;
  const parsed = parseJournalFlags(argv);
  switch (parsed.kind) {
    case 'Help':
      write(journalUsage);
      return exitCodes.done;
    case 'Refused':
      complain(`${parsed.message}\n\n${journalUsage}`);
      return exitCodes.failed;
    case 'Flags':
      try {
        return await show(parsed.flags, command);
      } catch (error) {
        complain(`could not look: ${(error as Error).message}\n`);
        return exitCodes.failed;
      }
  }
}

async function show(flags: JournalFlags, command: JournalCommand): Promise<number> {
  const { environment, version, clock, write, complain } = command;
  const { kubeconfig, name, output, sinceMs } = flags;
  const userAgent = `aviary-journal/${version}`;
  const reader = createReader({ kubeconfig, environment, userAgent, clock });
  try {
    const found = await read(reader, flags);
    if (found === undefined) {
      complain(`no canary ${name ?? ''} in namespace ${namespaceOf(reader, flags)}\n`);
      return exitCodes.notFound;
    }
    const nowMs = clock.now();
    const entries = entriesOf(found, sinceMs === undefined ? -Infinity : nowMs - sinceMs);
    if (output === 'json') write(`${JSON.stringify(entries, undefined, 2)}\n`);
    else write(name === undefined ? renderTable(entries, nowMs) : renderSteps(entries, nowMs));
    return exitCodes.done;
  } finally {
    reader.kube.close();
  }
}

const namespaceOf = (reader: Reader, { namespace }: JournalFlags): string =>
  namespace ?? reader.namespace ?? 'default';

/** Undefined where the canary that was named is not there. */
async function read(reader: Reader, flags: JournalFlags): Promise<readonly Canary[] | undefined> {
  const { kube } = reader;
  const signal = AbortSignal.timeout(answerMsMax);
  const { name, allNamespaces } = flags;
  const namespace = namespaceOf(reader, flags);
  if (name !== undefined && !allNamespaces) {
    try {
      return [await kube.get(canaries, { namespace, name }, { signal })];
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
  const found: Canary[] = [];
  let continueToken: string | undefined;
  do {
    const scope = { namespace: allNamespaces ? undefined : namespace };
    const page = await kube.list(canaries, { ...scope, signal, limit: pageSize, continueToken });
    found.push(...page.items);
    continueToken = page.continueToken;
  } while (continueToken !== undefined);
  return name === undefined ? found : found.filter((it) => it.metadata.name === name);
}
