/**
 * The command line of `aviary controller`: the reference's flags by their names, defaults and
 * syntax (`spec/01`, 5.3), so that a Deployment's arguments can stay as they are, and Aviary's own.
 *
 * The syntax is that of Go's `flag` package: one dash or two, `-flag value` or `-flag=value`,
 * booleans by `=` only, parsing ends at `--` or at the first word that is no flag. Nothing is read
 * from the process, printed or exited here.
 */
import { parseDuration } from '../api/duration.ts';
import { flagTable, ignoredFlags } from './flag-table.ts';
import type { FlagName, FlagValues } from './flag-table.ts';

export interface ControllerFlags {
  /** Path; empty means in-cluster, or what the environment says. */
  readonly kubeconfig: string;
  /** Address of the API server that overrides the kubeconfig's. */
  readonly master: string;
  readonly kubeconfigQps: number;
  readonly kubeconfigBurst: number;
  /** Kubeconfig of the cluster that holds the routing objects; `kubeconfig` where not given. */
  readonly kubeconfigServiceMesh: string;
  readonly metricsServer: string;
  readonly controlLoopIntervalMs: number;
  /** As given: what is no level means `info`. */
  readonly logLevel: string;
  readonly zapEncoding: 'json' | 'console';
  readonly port: number;
  readonly slack: {
    readonly url: string;
    readonly token: string;
    readonly proxyUrl: string;
    readonly user: string;
    readonly channel: string;
  };
  readonly msteams: { readonly url: string; readonly proxyUrl: string };
  readonly eventWebhook: string;
  /** Comma-separated; `*` is all. */
  readonly includeLabelPrefix: string;
  readonly threadiness: number;
  /** Empty means all. */
  readonly namespace: string;
  readonly meshProvider: string;
  readonly selectorLabels: readonly string[];
  readonly ingressAnnotationsPrefix: string;
  readonly ingressClass: string;
  readonly enableLeaderElection: boolean;
  readonly leaderElectionNamespace: string;
  readonly enableConfigTracking: boolean;
  readonly clusterName: string;
  readonly noCrossNamespaceRefs: boolean;
  /** 0 for any number. */
  readonly maxProgressing: number;
  readonly maxProgressingPerNamespace: number;
  readonly webhookPort: number;
  /** How the API server reaches the webhooks; absent where they are not to be registered. */
  readonly webhook?: WebhookAddress;
}

export type WebhookAddress =
  | { readonly kind: 'Url'; /** Without a slash at its end. */ readonly url: string }
  | { readonly kind: 'Service'; readonly namespace: string; readonly name: string };

export type ParsedFlags =
  | {
      readonly kind: 'Flags';
      readonly flags: ControllerFlags;
      /** What is accepted as the reference accepts it, but will not do what it seems to say. */
      readonly warnings: readonly string[];
    }
  /** To be printed with the usage; exit code 2. */
  | { readonly kind: 'Refused'; readonly message: string }
  | { readonly kind: 'Version' }
  | { readonly kind: 'Help' };

export type Environment = Readonly<Record<string, string | undefined>>;

/** `argv` without the program and the command; `environment` overrides flags where not empty. */
export function parseFlags(argv: readonly string[], environment: Environment): ParsedFlags {
  const read = readArguments(argv);
  if (read.kind !== 'Given') return read;
  for (const [variable, name] of Object.entries(environmentFlags)) {
    const value = environment[variable];
    if (value !== undefined && value !== '') read.given.set(name, value);
  }
  const parsed = parseValues(read.given);
  if (typeof parsed === 'string') return { kind: 'Refused', message: parsed };
  if (parsed.version) return { kind: 'Version' };
  return assemble(parsed, read);
}

/** Environment variables of the reference, and the flags that they override. */
export const environmentFlags: Readonly<Record<string, FlagName>> = {
  SLACK_URL: 'slack-url',
  SLACK_TOKEN: 'slack-token',
  SLACK_PROXY_URL: 'slack-proxy-url',
  MSTEAMS_URL: 'msteams-url',
  MSTEAMS_PROXY_URL: 'msteams-proxy-url',
  EVENT_WEBHOOK_URL: 'event-webhook',
};

/** The usage text, one entry per flag. */
export function usage(): string {
  const lines = ['Usage of aviary controller:'];
  for (const [name, { placeholder, meaning, fallback }] of Object.entries(flagTable)) {
    const shown = fallback === '' || fallback === 'false' ? '' : ` (default ${fallback})`;
    lines.push(`  -${name}${placeholder === '' ? '' : ` ${placeholder}`}`);
    lines.push(`    \t${meaning}${shown}`);
  }
  lines.push(
    `Accepted and ignored: ${[...ignoredFlags.keys()].map((name) => `-${name}`).join(' ')}`,
  );
  return `${lines.join('\n')}\n`;
}

interface Given {
  readonly kind: 'Given';
  readonly given: Map<FlagName, string>;
  readonly leftover: readonly string[];
}

function readArguments(argv: readonly string[]): Given | Exclude<ParsedFlags, { kind: 'Flags' }> {
  const given = new Map<FlagName, string>();
  let index = 0;
  while (index < argv.length) {
    const argument = argv[index] ?? '';
    if (!argument.startsWith('-') || argument === '-') break;
    index += 1;
    if (argument === '--') break;
    const flag = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(argument);
    if (flag === null) return refuse(`bad flag syntax: ${brief(argument)}`);
    const [, name = '', attached] = flag;
    if (name === 'h' || name === 'help') return { kind: 'Help' };
    const isBoolean = takesNoWord(name);
    if (isBoolean === undefined) return refuse(`flag provided but not defined: -${brief(name)}`);
    const value = attached ?? (isBoolean ? 'true' : argv[index]);
    if (value === undefined) return refuse(`flag needs an argument: -${name}`);
    if (attached === undefined && !isBoolean) index += 1;
    if (isFlagName(name)) given.set(name, value);
    else if (isBoolean && booleanOf(value) === undefined) return refuse(notBoolean(name, value));
  }
  return { kind: 'Given', given, leftover: argv.slice(index) };
}

/** Whether a flag is a boolean, which has no word after it; absent where there is no such flag. */
function takesNoWord(name: string): boolean | undefined {
  if (isFlagName(name)) return flagTable[name].type === 'boolean';
  return ignoredFlags.get(name);
}

const isFlagName = (name: string): name is FlagName => Object.hasOwn(flagTable, name);

const refuse = (message: string): ParsedFlags & { kind: 'Refused' } => ({
  kind: 'Refused',
  message,
});

const charactersShownMax = 60;

/** An argument as it may be repeated: bounded, and without control characters. */
function brief(text: string): string {
  const shown = text.slice(0, charactersShownMax).replace(/\p{Cc}/gu, '?');
  return shown.length < text.length ? `${shown}…` : shown;
}

const notBoolean = (name: string, value: string): string =>
  `invalid boolean value "${brief(value)}" for -${name}: write true or false`;

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

const booleanOf = (text: string): boolean | undefined => booleans.get(text);

/** Every flag with its value by type, or the first complaint. */
function parseValues(given: ReadonlyMap<FlagName, string>): FlagValues | string {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(flagTable) as FlagName[]) {
    const { type, fallback } = flagTable[name];
    const text = given.get(name) ?? fallback;
    const value = readers[type](text);
    if (value === undefined) return complaint(name, type, text);
    values[name] = value;
  }
  return values as unknown as FlagValues;
}

const labelShape = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Beyond this a number of an API call rate or of workers is a mistake. */
const integerMax = 2_147_483_647;

/** One reader per type of flag; `undefined` is "not of this type". */
const readers = {
  text: (text: string) => text,
  secret: (text: string) => text,
  boolean: booleanOf,
  integer: (text: string) => {
    const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    return Math.abs(value) <= integerMax ? value : undefined;
  },
  port: (text: string) => {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    return value <= 65_535 ? value : undefined;
  },
  duration: (text: string) => {
    const parsed = parseDuration(text);
    return parsed.ok && parsed.ms > 0 ? parsed.ms : undefined;
  },
  encoding: (text: string) => (text === 'json' || text === 'console' ? text : undefined),
  namespace: (text: string) => (text === '' || labelShape.test(text) ? text : undefined),
  list: (text: string) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  webhookUrl: (text: string) => (text === '' ? text : webhookUrl(text)),
  webhookService: (text: string) => {
    const [namespace = '', name = '', ...others] = text.split('/');
    const isPair = labelShape.test(namespace) && labelShape.test(name) && others.length === 0;
    return text === '' || isPair ? text : undefined;
  },
} as const;

const wanted: Readonly<Record<keyof typeof readers, string>> = {
  text: 'a text',
  secret: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  port: 'a port, 0 to 65535',
  duration: 'a duration above zero, such as 10s or 1m30s',
  encoding: 'json or console',
  namespace: 'the name of a namespace',
  list: 'a list separated by commas',
  webhookUrl: 'an https URL without user, query and fragment, as the API server demands',
  webhookService: 'NAMESPACE/NAME',
};

function complaint(name: FlagName, type: keyof typeof readers, text: string): string {
  if (type === 'boolean') return notBoolean(name, text);
  return `invalid value "${brief(text)}" for flag -${name}: expected ${wanted[type]}`;
}

/** What `clientConfig.url` of a webhook configuration may be; `undefined` where it is not. */
function webhookUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isBare = url.username === '' && url.password === '' && !/[?#\s]/.test(text);
  if (url.protocol !== 'https:' || !isBare) return undefined;
  return text.replace(/\/+$/, '');
}

function assemble(values: FlagValues, { given, leftover }: Given): ParsedFlags {
  if (values['selector-labels'].length === 0) {
    return refuse('invalid value "" for flag -selector-labels: expected at least one label');
  }
  if (values.port !== 0 && values.port === values['webhook-port']) {
    return refuse(`-port and -webhook-port are both ${values.port}: they are two servers`);
  }
  if (values['webhook-url'] !== '' && values['webhook-service'] !== '') {
    return refuse('-webhook-url and -webhook-service exclude each other: give one');
  }
  const warnings = [...urlWarnings(values), ...leftoverWarnings(leftover)];
  return { kind: 'Flags', flags: flagsOf(values, given), warnings };
}

function flagsOf(values: FlagValues, given: ReadonlyMap<FlagName, string>): ControllerFlags {
  const webhook = webhookAddress(values);
  return {
    kubeconfig: values.kubeconfig,
    master: values.master,
    kubeconfigQps: values['kubeconfig-qps'],
    kubeconfigBurst: values['kubeconfig-burst'],
    kubeconfigServiceMesh: given.get('kubeconfig-service-mesh') || values.kubeconfig,
    metricsServer: values['metrics-server'],
    controlLoopIntervalMs: values['control-loop-interval'],
    logLevel: values['log-level'],
    zapEncoding: values['zap-encoding'],
    port: values.port,
    slack: {
      url: values['slack-url'],
      token: values['slack-token'],
      proxyUrl: values['slack-proxy-url'],
      user: values['slack-user'],
      channel: values['slack-channel'],
    },
    msteams: { url: values['msteams-url'], proxyUrl: values['msteams-proxy-url'] },
    eventWebhook: values['event-webhook'],
    includeLabelPrefix: values['include-label-prefix'],
    threadiness: values.threadiness,
    namespace: values.namespace,
    meshProvider: values['mesh-provider'],
    selectorLabels: values['selector-labels'],
    ingressAnnotationsPrefix: values['ingress-annotations-prefix'],
    ingressClass: values['ingress-class'],
    enableLeaderElection: values['enable-leader-election'],
    // A controller of one namespace may have rights there only.
    leaderElectionNamespace: values.namespace || values['leader-election-namespace'],
    enableConfigTracking: values['enable-config-tracking'],
    clusterName: values['cluster-name'],
    noCrossNamespaceRefs: values['no-cross-namespace-refs'],
    maxProgressing: values['max-progressing'],
    maxProgressingPerNamespace: values['max-progressing-per-namespace'],
    webhookPort: values['webhook-port'],
    ...(webhook === undefined ? {} : { webhook }),
  };
}

function webhookAddress(values: FlagValues): WebhookAddress | undefined {
  if (values['webhook-url'] !== '') return { kind: 'Url', url: values['webhook-url'] };
  const [namespace, name] = values['webhook-service'].split('/');
  if (namespace === undefined || name === undefined) return undefined;
  return { kind: 'Service', namespace, name };
}

const outgoing = ['metrics-server', 'slack-url', 'msteams-url', 'event-webhook'] as const;

/** The reference starts with a URL that it cannot use, so a moved Deployment must, too. */
function urlWarnings(values: FlagValues): readonly string[] {
  return outgoing
    .filter((name) => values[name] !== '' && !isHttpUrl(values[name]))
    .map((name) => `-${name} is no http or https URL and will not work`);
}

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:\/\//i.test(text);

function leftoverWarnings(leftover: readonly string[]): readonly string[] {
  const [first, ...others] = leftover;
  if (first === undefined) return [];
  const rest = others.length === 0 ? '' : `, and the ${others.length} after it,`;
  return [
    `argument "${brief(first)}"${rest} is ignored: it is no flag (booleans are written -flag=value)`,
  ];
}
