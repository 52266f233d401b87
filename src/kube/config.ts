/**
 * How to reach the API server and as whom: the only file that knows `@kubernetes/client-node`,
 * which reads kubeconfig files and signs requests. It does no talking.
 *
 * The choice is explicit: the flag, KUBECONFIG, the files of a pod, in that order. There is no
 * silent fallback to localhost. Fields that we would have to ignore are an error.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import { linkedAbort } from './abort.ts';
import { ApiError } from './api-error.ts';
import type { Clock } from './clock.ts';

/** What a request needs in order to be ours. Never log it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Readonly<
    Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>
  >;
}

export interface KubeConnection {
  readonly server: URL;
  /** The namespace of the context or of the pod. */
  readonly namespace: string | undefined;
  /** Rejects with an `ApiError` of reason `NoCredentials` where a plugin fails or hangs. */
  sign(signal: AbortSignal): Promise<Credentials>;
  /** The server answered 401 to these: the next `sign` reads everything anew. */
  rejected(credentials: Credentials): void;
}

export interface ConnectOptions {
  /** `--kubeconfig`; empty means not given. */
  readonly kubeconfig: string;
  /** `--master`: an address in place of that of the chosen configuration; empty means not given. */
  readonly master: string;
  readonly environment: {
    readonly KUBECONFIG?: string | undefined;
    readonly KUBERNETES_SERVICE_HOST?: string | undefined;
    readonly KUBERNETES_SERVICE_PORT?: string | undefined;
  };
  readonly clock: Clock;
  /** Where a pod finds `ca.crt`, `token` and `namespace`. */
  readonly serviceAccountFolder?: string;
}

const serviceAccountFolderDefault = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Spares a look at token and certificate files for each request. */
const signedMsMax = 10_000;
/** Between two reloads, so that a revoked credential does not start a plugin for every call. */
const reloadMsMin = 10_000;
/** For an exec plugin or an identity provider to answer. */
const signMsMax = 30_000;

type Config = InstanceType<typeof KubeConfig>;
type Cluster = Config['clusters'][number];
type User = Config['users'][number];

/** Throws an Error that says what to do, where the configuration is missing or wrong. */
export function connect(options: ConnectOptions): KubeConnection {
  const load = (): Config => chosen(options);
  const config = load();
  const { server } = current(config);
  return {
    server: new URL(server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace?.trim(),
    ...createSigner({ config, load, clock: options.clock }),
  };
}

function createSigner(options: {
  readonly config: Config;
  readonly load: () => Config;
  readonly clock: Clock;
}): Pick<KubeConnection, 'sign' | 'rejected'> {
  const { clock } = options;
  let { config } = options;
  let signed: { readonly credentials: Credentials; readonly atMs: number } | undefined;
  let signing: Promise<Credentials> | undefined;
  let isRejected = false;
  let loadedAtMs = clock.monotonic() - reloadMsMin;

  const sign = async (): Promise<Credentials> => {
    if (isRejected && clock.monotonic() - loadedAtMs >= reloadMsMin) {
      loadedAtMs = clock.monotonic();
      isRejected = false;
      // A new one, since the old keeps tokens of plugins for as long as they claim to live.
      config = options.load();
    }
    const credentials = await credentialsOf(config);
    signed = { credentials, atMs: clock.monotonic() };
    return credentials;
  };

  return {
    sign: async (signal) => {
      if (signed !== undefined && clock.monotonic() - signed.atMs < signedMsMax) {
        return signed.credentials;
      }
      // One at a time: a plugin that hangs must not be started again by every call.
      signing ??= sign().finally(() => {
        signing = undefined;
      });
      try {
        return await inTime(signing, signal, clock);
      } catch (error) {
        signal.throwIfAborted();
        throw new ApiError(`get credentials of the kubeconfig: ${harmless(error)}`, {
          code: 0,
          reason: 'NoCredentials',
        });
      }
    },
    rejected: (credentials) => {
      if (signed?.credentials !== credentials) return;
      signed = undefined;
      isRejected = true;
    },
  };
}

async function credentialsOf(config: Config): Promise<Credentials> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end in a newline, which no header may.
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const { servername, rejectUnauthorized } = options;
  return {
    headers,
    tls: {
      ...textOf('ca', options.ca),
      ...textOf('cert', options.cert),
      ...textOf('key', options.key),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

/** Text, since the name of a connection in the agent's pool is made of it for every request. */
function textOf(field: 'ca' | 'cert' | 'key', pem: RequestOptions['ca' | 'cert' | 'key']): object {
  return typeof pem === 'string' || Buffer.isBuffer(pem) ? { [field]: pem.toString() } : {};
}

async function inTime<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
  clock: Clock,
): Promise<Value> {
  const done = linkedAbort(signal);
  const late = clock.sleep(signMsMax, done.signal).then(() => {
    throw new Error(`no answer within ${signMsMax / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    done.unlink();
    done.abort(undefined);
  }
}

/** The message, unless it may quote what a plugin printed. */
function harmless(error: unknown): string {
  if (error instanceof SyntaxError) return 'the plugin did not print a JSON object';
  return error instanceof Error ? error.message.trim().slice(0, 256) : 'unknown failure';
}

function chosen(options: ConnectOptions): Config {
  const { kubeconfig, master, environment } = options;
  const folder = options.serviceAccountFolder ?? serviceAccountFolderDefault;
  const config = new KubeConfig();
  if (kubeconfig !== '') {
    merge(config, [fromFile(kubeconfig, '--kubeconfig')]);
  } else if ((environment.KUBECONFIG ?? '') !== '') {
    const files = (environment.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
    const found = files.filter((file) => existsSync(file));
    if (found.length === 0) throw missing(files.join(delimiter), 'KUBECONFIG');
    merge(
      config,
      found.map((file) => fromFile(file, 'KUBECONFIG')),
    );
  } else if (existsSync(join(folder, 'token'))) {
    config.loadFromOptions(fromPod(folder, environment));
  } else if (master !== '') {
    config.loadFromClusterAndUser(
      { name: 'master', server: master, skipTLSVerify: false },
      { name: 'anonymous' },
    );
  } else {
    throw new Error(
      'no way to the API server: pass --kubeconfig FILE (or set KUBECONFIG), or run in a pod with a service account token',
    );
  }
  return checked(config, master);
}

/** Sees to what the library leaves open, and refuses what we would otherwise leave out silently. */
function checked(config: Config, master: string): Config {
  const name = config.getCurrentContext();
  if (name === undefined || name === '') {
    throw new Error('the kubeconfig has no current-context: run kubectl config use-context NAME');
  }
  const context = config.contexts.find((it) => it.name === name);
  if (context === undefined) throw new Error(`the kubeconfig has no context ${name}`);
  if (config.getCluster(context.cluster) === null) {
    throw new Error(`the kubeconfig has no cluster ${context.cluster} (context ${name})`);
  }
  if ((context.user ?? '') === '') {
    // Without any user the library forgets the cluster's certificate authority.
    config.users = [...config.users, { name: 'anonymous' }];
    config.contexts = config.contexts.map((it) =>
      it === context ? { ...it, user: 'anonymous' } : it,
    );
  } else if (config.getUser(context.user) === null) {
    throw new Error(`the kubeconfig has no user ${context.user} (context ${name})`);
  }
  config.clusters = config.clusters.map((it) =>
    it.name === context.cluster ? reachable(it, master) : it,
  );
  return config;
}

function reachable(cluster: Cluster, master: string): Cluster {
  const server = (master === '' ? cluster.server : master).replace(/\/$/, '');
  if (!URL.canParse(server)) throw new Error(`the API server's address is not a URL: ${server}`);
  if (cluster.proxyUrl !== undefined) {
    throw new Error(`cluster ${cluster.name}: proxy-url is not supported`);
  }
  const { protocol, hostname } = new URL(server);
  if (protocol === 'https:') return { ...cluster, server };
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if (protocol !== 'http:' || !isLoopback) {
    throw new Error(`the API server must be reached by https, not ${server}`);
  }
  // The library's word for "plain HTTP is meant".
  return { ...cluster, server, skipTLSVerify: true };
}

function current(config: Config): Cluster {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no cluster for its current-context');
  return cluster;
}

/** First come, first kept, as kubectl merges the files of KUBECONFIG. */
function merge(config: Config, parts: readonly Config[]): void {
  config.loadFromOptions({
    clusters: firsts(parts.flatMap(({ clusters }) => clusters)),
    users: firsts(parts.flatMap(({ users }) => users)),
    contexts: firsts(parts.flatMap(({ contexts }) => contexts)),
    currentContext: parts.map((part) => part.getCurrentContext()).find((it) => (it ?? '') !== ''),
  });
}

function firsts<Named extends { readonly name: string }>(all: readonly Named[]): Named[] {
  return all.filter(({ name }, at) => all.findIndex((it) => it.name === name) === at);
}

function fromFile(file: string, from: string): Config {
  if (!existsSync(file)) throw missing(file, from);
  const text = readFileSync(file, 'utf8');
  const config = new KubeConfig();
  let raw: RawConfig | undefined;
  try {
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(file));
    raw = loadYaml<RawConfig | undefined>(text);
  } catch (error) {
    throw unreadable(file, from, error);
  }
  config.users = config.users.map((user) => completed(user, raw, dirname(file)));
  return config;
}

interface RawConfig {
  readonly users?: readonly { readonly name?: string; readonly user?: Record<string, unknown> }[];
}

/** Fields of a user that the library does not know or reads by a wrong name. */
function completed(user: User, raw: RawConfig | undefined, folder: string): User {
  const fields = raw?.users?.find(({ name }) => name === user.name)?.user ?? {};
  for (const field of ['as-groups', 'as-uid', 'as-user-extra']) {
    if (fields[field] !== undefined)
      throw new Error(`user ${user.name}: ${field} is not supported`);
  }
  const inFolder = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  const { tokenFile } = fields;
  if (typeof tokenFile === 'string') {
    const { token: _, ...others } = user;
    return {
      ...others,
      authProvider: { name: 'tokenFile', config: { tokenFile: inFolder(tokenFile) } },
    };
  }
  const command: unknown = user.exec?.command;
  if (typeof command === 'string' && command.includes('/')) {
    return { ...user, exec: { ...user.exec, command: inFolder(command) } };
  }
  return user;
}

function fromPod(folder: string, environment: ConnectOptions['environment']): object {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (host === undefined || port === undefined) {
    throw new Error(
      `${folder} has a token, but KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: pass --kubeconfig FILE`,
    );
  }
  const address = host.includes(':') ? `[${host}]` : host;
  const namespaceFile = join(folder, 'namespace');
  const namespace = existsSync(namespaceFile)
    ? readFileSync(namespaceFile, 'utf8').trim()
    : undefined;
  return {
    clusters: [
      {
        name: 'pod',
        server: `https://${address}:${port}`,
        caFile: join(folder, 'ca.crt'),
        skipTLSVerify: false,
      },
    ],
    // Read again every minute: the kubelet renews it.
    users: [
      {
        name: 'pod',
        authProvider: { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } },
      },
    ],
    contexts: [{ name: 'pod', cluster: 'pod', user: 'pod', namespace }],
    currentContext: 'pod',
  };
}

function missing(file: string, from: string): Error {
  return new Error(`${file} (${from}) does not exist: name a kubeconfig file that does`);
}

function unreadable(file: string, from: string, error: unknown): Error {
  // The YAML parser quotes the line that is wrong, and with it maybe a token.
  const isQuoting = !(error instanceof Error) || error.name === 'YAMLException';
  return new Error(
    `${file} (${from}) is not a kubeconfig: ${isQuoting ? 'it is not YAML' : error.message}`,
  );
}
