/** The command line of `aviary migrate`. Nothing is read from the process, printed or exited here. */
import { parseArgs } from 'node:util';
import { parseDuration } from '../../api/duration.ts';

const outputs = ['text', 'json'] as const;

export interface MigrateFlags {
  /** Empty means what the environment says. */
  readonly kubeconfig: string;
  /** All where empty. */
  readonly namespace: string;
  readonly output: (typeof outputs)[number];
  /** Absent: that of the reference's Deployment, or the default of the controller. */
  readonly meshProvider: string | undefined;
  readonly timeoutMs: number;
}

export type ParsedMigrateFlags =
  | { readonly kind: 'Flags'; readonly flags: MigrateFlags }
  | { readonly kind: 'Help' }
  | { readonly kind: 'Refused'; readonly message: string };

export const migrateUsage = `Usage: aviary migrate --check [flags]

Looks at a cluster, and says for each Canary what would change if Aviary took over from Flagger. It
only reads: the controller itself is started with its hands tied, and what it would write is told.

  --check               is all that it does, and must be said
  --kubeconfig FILE     as whom to look (default KUBECONFIG, or the pod's own account)
  -n, --namespace NAME  the one namespace to look at (default all)
  -o, --output FORMAT   ${outputs.join(' or ')} (default text)
  --mesh-provider NAME  of canaries that name none (default that of Flagger's Deployment)
  --timeout DURATION    to read the cluster in (default 60s)
  -h, --help            prints this

Exit codes: 0 nothing to worry about, 1 something needs attention, 2 could not look.
`;

const options = {
  check: { type: 'boolean', default: false },
  kubeconfig: { type: 'string', default: '' },
  namespace: { type: 'string', short: 'n', default: '' },
  output: { type: 'string', short: 'o', default: 'text' },
  'mesh-provider': { type: 'string' },
  timeout: { type: 'string', default: '60s' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `argv` without the program and the command. */
export function parseMigrateFlags(argv: readonly string[]): ParsedMigrateFlags {
  let values: ReturnType<typeof read>;
  try {
    values = read(argv);
  } catch (error) {
    return refuse((error as Error).message.split('. To specify')[0] ?? '');
  }
  const { check, help, kubeconfig, namespace, output, timeout } = values;
  if (help) return { kind: 'Help' };
  if (!check) return refuse('say --check: there is nothing to migrate, objects stay as they are');
  const format = outputs.find((known) => known === output);
  if (format === undefined) return refuse(`--output ${output}: use ${outputs.join(' or ')}`);
  const duration = parseDuration(timeout);
  if (!duration.ok || duration.ms <= 0) return refuse(`--timeout ${timeout}: use a duration`);
  const meshProvider = values['mesh-provider'];
  const flags = { kubeconfig, namespace, output: format, meshProvider, timeoutMs: duration.ms };
  return { kind: 'Flags', flags };
}

const read = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;

const refuse = (message: string): ParsedMigrateFlags => ({ kind: 'Refused', message });
