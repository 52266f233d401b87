/** The command line of `aviary rehearse`. Nothing is read from the process, printed or exited here. */
import { parseArgs } from 'node:util';
import { parseDuration } from '../api/duration.ts';

const outputs = ['text', 'json', 'junit'] as const;
const expectations = ['promoted', 'rolled-back'] as const;

export interface RehearseFlags {
  /** Files, folders, and `-` for what is piped in. */
  readonly filenames: readonly string[];
  /** Files, or names of shipped scenarios; at least one. */
  readonly scenarios: readonly string[];
  readonly output: (typeof outputs)[number];
  /** Absent where the verdict itself is the exit code. */
  readonly expected?: (typeof expectations)[number];
  readonly seed: number;
  /** Of virtual time; absent where the rehearsal is to know how long it needs. */
  readonly timeoutMs: number | undefined;
  /** Of objects that name none. */
  readonly namespace: string;
  readonly meshProvider: string;
  /** Shows each verdict, also where many are alike. */
  readonly full: boolean;
}

export type ParsedRehearseFlags =
  | { readonly kind: 'Flags'; readonly flags: RehearseFlags }
  | { readonly kind: 'Help' }
  | { readonly kind: 'ListScenarios' }
  | { readonly kind: 'ShowScenario'; readonly name: string }
  | { readonly kind: 'Refused'; readonly message: string };

export const scenarioDefault = 'good-release';

export const rehearseUsage = `Usage: aviary rehearse -f FILE [--scenario NAME|FILE] [flags]

Runs a Canary against a scenario in virtual time, before it sees a cluster: the real controller, an
embedded cluster, and users, traffic, metrics and webhooks as the scenario has them.

  -f, --filename FILE   a Canary and what belongs to it (Deployment, ConfigMaps, Secrets,
                        MetricTemplates, HorizontalPodAutoscaler): a file, a folder, or - for
                        standard input; may be repeated. What is not given gets a stand-in.
  --scenario NAME|FILE  a shipped scenario or a file; may be repeated (default ${scenarioDefault})
  --list-scenarios      lists the shipped scenarios
  --show-scenario NAME  prints a shipped scenario, to begin one of your own with
  -o, --output FORMAT   ${outputs.join(', ')} (default text)
  --expect VERDICT      ${expectations.join(' or ')}: exit code 0 where it ends so, 1 where it ends otherwise
  --seed NUMBER         of the chance with which single requests fail (default 1)
  --timeout DURATION    of virtual time, after which it counts as not finished
                        (default 6h, or twice what the rollout needs)
  -n, --namespace NAME  of objects that name none (default default)
  --mesh-provider NAME  the controller's -mesh-provider (default istio)
  --full                shows each verdict, also where many are alike
  -h, --help            prints this

Exit codes: 0 promoted, 1 rolled back, 2 wrong usage or input that is refused, 3 not finished.
Of several rehearsals the highest counts.
`;

const options = {
  filename: { type: 'string', short: 'f', multiple: true, default: [] as string[] },
  scenario: { type: 'string', multiple: true, default: [] as string[] },
  'list-scenarios': { type: 'boolean', default: false },
  'show-scenario': { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
  expect: { type: 'string' },
  seed: { type: 'string', default: '1' },
  timeout: { type: 'string' },
  namespace: { type: 'string', short: 'n', default: 'default' },
  'mesh-provider': { type: 'string', default: 'istio' },
  full: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `argv` without the program and the command. */
export function parseRehearseFlags(argv: readonly string[]): ParsedRehearseFlags {
  let values: ReturnType<typeof read>;
  try {
    values = read(argv);
  } catch (error) {
    return refuse((error as Error).message.split('. To specify')[0] ?? '');
  }
  if (values.help) return { kind: 'Help' };
  if (values['list-scenarios']) return { kind: 'ListScenarios' };
  const shown = values['show-scenario'];
  return shown === undefined ? flagsOf(values) : { kind: 'ShowScenario', name: shown };
}

const read = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;

const refuse = (message: string): ParsedRehearseFlags => ({ kind: 'Refused', message });

function flagsOf(values: ReturnType<typeof read>): ParsedRehearseFlags {
  const { filename, output, expect, seed, timeout, scenario, namespace, full } = values;
  if (filename.length === 0) return refuse('name the Canary: -f FILE');
  const format = outputs.find((known) => known === output);
  if (format === undefined) return refuse(`--output ${output}: use ${outputs.join(', ')}`);
  const expected = expectations.find((known) => known === expect);
  if (expect !== undefined && expected === undefined) {
    return refuse(`--expect ${expect}: use ${expectations.join(' or ')}`);
  }
  if (!/^\d{1,9}$/.test(seed)) return refuse(`--seed ${seed}: use a whole number`);
  const timeoutMs = timeout === undefined ? undefined : timeoutOf(timeout);
  if (timeout !== undefined && timeoutMs === undefined) {
    return refuse(`--timeout ${timeout}: use a duration of up to ${timeoutMsMax / 3_600_000}h`);
  }
  const flags: RehearseFlags = {
    filenames: filename,
    scenarios: scenario.length === 0 ? [scenarioDefault] : scenario,
    output: format,
    ...(expected === undefined ? {} : { expected }),
    seed: Number(seed),
    timeoutMs,
    namespace,
    meshProvider: values['mesh-provider'],
    full,
  };
  return { kind: 'Flags', flags };
}

/** A month of verdicts every ten seconds still takes but minutes. */
const timeoutMsMax = 31 * 24 * 3_600_000;

function timeoutOf(text: string): number | undefined {
  const duration = parseDuration(text);
  return duration.ok && duration.ms > 0 && duration.ms <= timeoutMsMax ? duration.ms : undefined;
}
