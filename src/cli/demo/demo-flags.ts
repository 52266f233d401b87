/** The command line of `aviary demo`. Nothing is read from the process, printed or exited here. */
import { parseArgs } from 'node:util';
import { isScriptName } from './story.ts';
import type { ScriptName } from './story.ts';

export interface DemoFlags {
  readonly script: ScriptName;
  /** Ends after the script, with an exit code that tells whether it came to its end. */
  readonly exits: boolean;
  /** Lines of text in place of the live view. */
  readonly plain: boolean;
  readonly speed: number;
  /** Of the API server; 0 takes a free one. */
  readonly port: number;
  /** Where the kubeconfig is written; absent for a temporary folder. */
  readonly kubeconfig?: string;
}

export type ParsedDemoFlags =
  | { readonly kind: 'Flags'; readonly flags: DemoFlags }
  | { readonly kind: 'Help' }
  | { readonly kind: 'Refused'; readonly message: string };

/** At ten times, checks have half a second to be answered; loopback needs a hundredth of it. */
const speedMax = 10;
const portMax = 65_535;

export const demoUsage = `Usage: aviary demo [flags]

A Kubernetes cluster in this process, Aviary, and a sample app under synthetic traffic: a good
release is promoted and a bad one rolled back; then it is yours to try.

  --script NAME      what is shown: tour, promote, rollback or configmap (default tour)
  --exit             ends after the script, with code 0 only if it came to its end
  --plain            lines of text in place of the live view, as where there is no terminal
  --speed N          how many times as fast as in earnest, 1 to ${speedMax} (default 5)
  --port PORT        of the API server on loopback (default: a free one)
  --kubeconfig PATH  where a kubeconfig for your kubectl is written, and removed at the end
                     (default: in a temporary folder)
`;

const options = {
  script: { type: 'string', default: 'tour' },
  exit: { type: 'boolean', default: false },
  plain: { type: 'boolean', default: false },
  speed: { type: 'string', default: '5' },
  port: { type: 'string', default: '0' },
  kubeconfig: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `argv` without the program and the command. */
export function parseDemoFlags(argv: readonly string[]): ParsedDemoFlags {
  let values: ReturnType<typeof read>;
  try {
    values = read(argv);
  } catch (error) {
    return refuse((error as Error).message.split('. To specify')[0] ?? '');
  }
  if (values.help) return { kind: 'Help' };
  const { script, exit: exits, plain, kubeconfig } = values;
  if (!isScriptName(script)) {
    return refuse(`there is no script "${script}": it is tour, promote, rollback or configmap`);
  }
  const speed = numberIn(values.speed, 1, speedMax);
  if (speed === undefined) return refuse(`--speed is a whole number from 1 to ${speedMax}`);
  const port = numberIn(values.port, 0, portMax);
  if (port === undefined) return refuse(`--port is a whole number from 0 to ${portMax}`);
  if (kubeconfig === '') return refuse('--kubeconfig needs the path of a file');
  const where = kubeconfig === undefined ? {} : { kubeconfig };
  return { kind: 'Flags', flags: { script, exits, plain, speed, port, ...where } };
}

const read = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;

const refuse = (message: string): ParsedDemoFlags => ({ kind: 'Refused', message });

function numberIn(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
