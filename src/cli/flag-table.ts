/** Every flag of `aviary controller`: type, default and meaning. `docs/flags.md` is this table. */

interface Definition<Type extends FlagType> {
  readonly type: Type;
  /** What stands for the value in the usage. */
  readonly placeholder: string;
  /** The default, as it would be written. */
  readonly fallback: string;
  readonly meaning: string;
}

/** What the text of each type of flag is read to. */
interface ValueOf {
  readonly text: string;
  readonly secret: string;
  readonly boolean: boolean;
  readonly integer: number;
  readonly port: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly encoding: 'json' | 'console';
  readonly namespace: string;
  readonly list: readonly string[];
  readonly webhookUrl: string;
  readonly webhookService: string;
}

type FlagType = keyof ValueOf;
export type FlagName = keyof typeof flagTable;
export type FlagValues = {
  readonly [Name in FlagName]: ValueOf[(typeof flagTable)[Name]['type']];
};

const placeholders: Readonly<Record<FlagType, string>> = {
  text: 'string',
  secret: 'string',
  boolean: '',
  integer: 'int',
  port: 'port',
  duration: 'duration',
  encoding: 'json|console',
  namespace: 'namespace',
  list: 'a,b,c',
  webhookUrl: 'URL',
  webhookService: 'NAMESPACE/NAME',
};

function flag<Type extends FlagType>(
  type: Type,
  fallback: string,
  meaning: string,
): Definition<Type> {
  return { type, placeholder: placeholders[type], fallback, meaning };
}

export const flagTable = {
  kubeconfig: flag('text', '', 'Kubeconfig file, where the controller runs outside of the cluster'),
  master: flag('text', '', 'Address of the API server; overrides the one of the kubeconfig'),
  'kubeconfig-qps': flag('integer', '100', 'Calls to the API server a second'),
  'kubeconfig-burst': flag('integer', '250', 'Calls to the API server at once'),
  'kubeconfig-service-mesh': flag(
    'text',
    '',
    'Kubeconfig of the cluster that holds the routing objects; -kubeconfig where not given',
  ),
  'metrics-server': flag('text', 'http://prometheus:9090', 'URL of Prometheus'),
  'control-loop-interval': flag(
    'duration',
    '10s',
    'Accepted for compatibility: Aviary has no polling loop',
  ),
  'log-level': flag('text', 'debug', 'debug, info, warn, error, fatal or panic; else info'),
  port: flag('port', '8080', 'Port of /metrics, /healthz, /readyz and /debug/state'),
  'slack-url': flag('secret', '', 'Slack hook URL; SLACK_URL overrides it'),
  'slack-token': flag('secret', '', 'Slack token; SLACK_TOKEN overrides it'),
  'slack-proxy-url': flag('secret', '', 'Proxy to Slack; SLACK_PROXY_URL overrides it'),
  'slack-user': flag('text', 'flagger', 'Slack user name'),
  'slack-channel': flag('text', '', 'Slack channel'),
  'msteams-url': flag('secret', '', 'Microsoft Teams hook URL; MSTEAMS_URL overrides it'),
  'msteams-proxy-url': flag('secret', '', 'Proxy to Teams; MSTEAMS_PROXY_URL overrides it'),
  'event-webhook': flag(
    'secret',
    '',
    'URL to which each event is sent; EVENT_WEBHOOK_URL overrides it',
  ),
  'include-label-prefix': flag(
    'text',
    '',
    'Prefixes of labels to copy to generated objects; * is all',
  ),
  threadiness: flag('integer', '2', 'Canaries that are worked on at once'),
  'zap-replace-globals': flag('boolean', 'false', 'Accepted for compatibility, without effect'),
  'zap-encoding': flag('encoding', 'json', 'Encoding of log lines'),
  namespace: flag('namespace', '', 'The one namespace to watch; empty means all'),
  'mesh-provider': flag('text', 'istio', 'Routing provider of canaries that name none'),
  'selector-labels': flag(
    'list',
    'app,name,app.kubernetes.io/name',
    'Labels that pod selectors may use, in order of preference',
  ),
  'ingress-annotations-prefix': flag(
    'text',
    'nginx.ingress.kubernetes.io',
    'Prefix of the annotations of the nginx provider',
  ),
  'ingress-class': flag('text', '', 'Ingress class of HTTPProxies of the contour provider'),
  'enable-leader-election': flag('boolean', 'false', 'Elect one acting replica among several'),
  'leader-election-namespace': flag(
    'namespace',
    'kube-system',
    'Namespace of the lease; ignored where -namespace is given',
  ),
  'enable-config-tracking': flag('boolean', 'true', 'Track ConfigMaps and Secrets of targets'),
  'cluster-name': flag('text', '', 'Name of the cluster in alerts'),
  'no-cross-namespace-refs': flag('boolean', 'false', 'Refuse references to other namespaces'),
  'max-progressing': flag('integer', '0', 'Rollouts in progress at once in the cluster; 0 for all'),
  'max-progressing-per-namespace': flag(
    'integer',
    '0',
    'Rollouts in progress at once in each namespace; 0 for all',
  ),
  version: flag('boolean', 'false', 'Print the version and exit'),
  'webhook-port': flag('port', '9443', 'Port of the admission webhooks'),
  'webhook-url': flag(
    'webhookUrl',
    '',
    'Register the webhooks by this URL: for a controller outside of the cluster',
  ),
  'webhook-service': flag('webhookService', '', 'Register the webhooks by this Service'),
} as const;

/** Flags of the logging library that the reference has by accident; whether each is a boolean. */
export const ignoredFlags: ReadonlyMap<string, boolean> = new Map([
  ['v', false],
  ['vmodule', false],
  ['logtostderr', true],
  ['alsologtostderr', true],
  ['alsologtostderrthreshold', false],
  ['stderrthreshold', false],
  ['legacy_stderr_threshold_behavior', true],
  ['log_backtrace_at', false],
  ['log_dir', false],
  ['log_file', false],
  ['log_file_max_size', false],
  ['one_output', true],
  ['add_dir_header', true],
  ['skip_headers', true],
  ['skip_log_headers', true],
]);
