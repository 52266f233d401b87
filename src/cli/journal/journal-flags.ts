/** The command line of `aviary journal`. Nothing is read from the process, printed or exited here. */
import { parseArgs } from 'node:util';
import { parseDuration } from '../../api/duration.ts';

const outputs = ['text', 'json'] as const;

export interface JournalFlags {
  /** All canaries where absent. */
  readonly name: string | undefined;
  readonly kubeconfig: string;
  /** Absent: that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly output: (typeof outputs)[number];
  /** Rollouts that began so long ago, and later; all where absent. */
  readonly sinceMs: number | undefined;
}

export type ParsedJournalFlags =
  | { readonly kind: 'Flags'; readonly flags: JournalFlags }
  | { readonly kind: 'Help' }
  | { readonly kind: 'Refused'; readonly message: string };

export const journalUsage = `Usage: aviary journal [CANARY] [flags]

What happened last night: the last rollouts of each Canary, from its status. With the name of one,
each step of them with its checks.

  --kubeconfig FILE     as whom to look (default KUBECONFIG, or the pod's own account)
  -n, --namespace NAME  where the Canary is (default that of the context)
  -A, --all-namespaces  looks everywhere
  --since DURATION      only rollouts that began since then, 12h for example
  -o, --output FORMAT   ${outputs.join(' or ')} (default text)
  -h, --help            prints this

Exit codes: 0 done, 1 no such Canary, 2 wrong usage or could not look.
`;

const options = {
  kubeconfig: { type: 'string', default: '' },
  namespace: { type: 'string', short: 'n' },
  'all-namespaces': { type: 'boolean', short: 'A', default: false },
  since: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `argv` without the program and the command. */
export function parseJournalFlags(argv: readonly string[]): ParsedJournalFlags {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(argv);
  } catch (error) {
    return refuse((error as Error).message.split('. To specify')[0] ?? '');
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'Help' };
  const [name, surplus] = positionals;
  if (surplus !== undefined) return refuse(`one canary at most, not ${surplus} as well`);
  const { kubeconfig, namespace, since, output, 'all-namespaces': allNamespaces } = values;
  const format = outputs.find((known) => known === output);
  if (format === undefined) return refuse(`--output ${output}: use ${outputs.join(' or ')}`);
  const duration = since === undefined ? undefined : parseDuration(since);
  if (duration?.ok === false) return refuse(`--since ${since}: use a duration, such as 12h`);
  const sinceMs = duration?.ms;
  return {
    kind: 'Flags',
    flags: { name, kubeconfig, namespace, allNamespaces, output: format, sinceMs },
  };
}

const read = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options, strict: true, allowPositionals: true });

const refuse = (message: string): ParsedJournalFlags => ({ kind: 'Refused', message });
