/**
 * A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager,
 * kube-scheduler, and KWOK in place of kubelets. Each has its own free ports and its own temporary
 * directory, so any number of them run side by side, and none outlives the process that started it.
 */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import type { ApiCall } from './api-server.ts';
import { apiCallsTo } from './api-server.ts';
import type { Binaries } from './binaries.ts';
import { findBinaries } from './binaries.ts';
import type { Children } from './children.ts';
import { superviseChildren } from './children.ts';
import type { Layout } from './components.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  kwokArguments,
  schedulerArguments,
} from './components.ts';
import type { Authority, Certificate, User } from './identity.ts';
import { createAuthority, createKeyPair } from './identity.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { KubectlResult } from './kubectl.ts';
import { runKubectl } from './kubectl.ts';
import { fakeNode, nodesMax } from './nodes.ts';

export interface ControlPlaneOptions {
  /** Writes every request to `auditLogPath`, one JSON object a line. Default: false. */
  readonly audit?: boolean;
  /** Fake nodes; 0 leaves KWOK out, and pods pending. Default: 1. */
  readonly nodes?: number;
  /** Whether the controller manager and the scheduler run. Default: true. */
  readonly controllers?: boolean;
  /** Added to the API server's command line; of a flag given twice, the last counts. */
  readonly extraApiServerArgs?: readonly string[];
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

export interface ControlPlane {
  readonly url: string;
  /** Where what the API server stores is; without TLS. */
  readonly etcdUrl: string;
  readonly caFile: string;
  /** The administrator's, who may do everything. */
  readonly kubeconfigPath: string;
  readonly adminClientCertificate: { readonly certificateFile: string; readonly keyFile: string };
  /** Written before a request is answered; undefined unless asked for. */
  readonly auditLogPath: string | undefined;
  /** Holds the logs of the components, `<component>.log`. Removed by `stop`. */
  readonly directory: string;
  /** The kubectl that `kubectl` runs. */
  readonly kubectlPath: string;
  /** Process id by component. */
  readonly pids: Readonly<Record<string, number>>;
  /** Runs kubectl as the administrator. A non-zero exit code is a result, not an error. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<KubectlResult>;
  /**
   * Path of a kubeconfig with a token of a ServiceAccount that exists, good for a day: whoever uses
   * it has exactly the rights that RBAC gives to that account.
   */
  kubeconfigFor(account: ServiceAccount): Promise<string>;
  /**
   * Kills everything that was started and removes its directory. Idempotent. Rejects, and keeps the
   * directory, if a component had ended by itself, since nothing after that can be believed.
   */
  stop(): Promise<void>;
}

/** From the start of the API server until everything answers; 2 to 5 s on two idle cores. */
const startTimeoutMs = 90_000;

const administrator: User = { name: 'kubernetes-admin', groups: ['system:masters'] };

/**
 * Resolves when the API server is ready, pods can be created in the namespace `default`, and the
 * nodes exist. Rejects, with all that it started killed and its logs kept, if one does not start.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { nodes = 1 } = options;
  if (nodes > nodesMax) throw new RangeError(`${nodes} nodes are more than ${nodesMax}`);
  const search = await findBinaries();
  if (!search.found) {
    throw new Error(`${search.missing.join(', ')} not built: run \`make cluster-build\``);
  }
  const directory = await mkdtemp(join(tmpdir(), 'aviary-cluster-'));
  const children = superviseChildren(directory);
  try {
    return await launch({ options, directory, children, binaries: search.binaries });
  } catch (cause) {
    const casualties = (await children.casualties()) ?? 'all components run';
    await children.stop({ keepDirectory: true });
    const message = `the control plane did not start; logs: ${directory}\n${casualties}`;
    throw new Error(message, { cause });
  }
}

interface Launch {
  readonly options: ControlPlaneOptions;
  readonly directory: string;
  readonly children: Children;
  readonly binaries: Binaries;
}

async function launch({ options, directory, children, binaries }: Launch): Promise<ControlPlane> {
  const { audit = false, nodes = 1, controllers = true, extraApiServerArgs = [] } = options;
  const authority = await createAuthority();
  const layout = await layOut(directory, authority, audit);
  const pids: Record<string, number> = {};
  const start = async (name: keyof Binaries, args: readonly string[]): Promise<void> => {
    pids[name] = (await children.start(name, binaries[name], args)).pid;
  };

  await start('etcd', etcdArguments(layout));
  await start('kube-apiserver', [...apiServerArguments(layout), ...extraApiServerArgs]);

  const url = `https://127.0.0.1:${layout.apiServerPort}`;
  const caPem = authority.certificatePem;
  const admin = await authority.issueClient(administrator);
  const adminClientCertificate = await writeCertificate(directory, 'admin', admin);
  const kubeconfigPath = join(directory, 'admin.kubeconfig');
  await writeSecret(kubeconfigPath, kubeconfig(url, caPem, admin));
  const kubeconfigOf = async (user: User): Promise<string> => {
    const path = join(directory, `${user.name.replaceAll(':', '-')}.kubeconfig`);
    await writeSecret(path, kubeconfig(url, caPem, await authority.issueClient(user)));
    return path;
  };
  const kubectl: ControlPlane['kubectl'] = (args, { input } = {}) =>
    runKubectl({ path: binaries.kubectl, kubeconfigPath, directory, args, input });

  const api = apiCallsTo(url, caPem, admin);
  await answers(children, 'the API server is ready', api, '/readyz');
  if (controllers) {
    const manager = await kubeconfigOf({ name: 'system:kube-controller-manager', groups: [] });
    await start('kube-controller-manager', controllerManagerArguments(layout, manager));
    const scheduler = await kubeconfigOf({ name: 'system:kube-scheduler', groups: [] });
    await start('kube-scheduler', schedulerArguments(scheduler));
  }
  if (nodes > 0) await startNodes({ count: nodes, api, start, kubeconfigOf });
  if (controllers) {
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await answers(children, 'the controllers work', api, account);
  }

  let stopped: Promise<void> | undefined;
  return {
    url,
    etcdUrl: `http://127.0.0.1:${layout.etcdPort}`,
    caFile: layout.caFile,
    kubeconfigPath,
    adminClientCertificate,
    auditLogPath: layout.auditLogFile,
    directory,
    kubectlPath: binaries.kubectl,
    pids,
    kubectl,
    kubeconfigFor: (account) => accountKubeconfig({ account, directory, url, caPem, kubectl }),
    stop: () => (stopped ??= stop(children)),
  };
}

async function layOut(directory: string, authority: Authority, audit: boolean): Promise<Layout> {
  const [etcdPort = 0, apiServerPort = 0] = await freePorts(2);
  const [serving, tokens] = await Promise.all([authority.issueServing(), createKeyPair()]);
  const { certificateFile, keyFile } = await writeCertificate(directory, 'kube-apiserver', serving);
  const path = (name: string): string => join(directory, name);
  await writeFile(path('ca.crt'), authority.certificatePem);
  await writeSecret(path('service-account.key'), tokens.privateKeyPem);
  await writeFile(path('service-account.pub'), tokens.publicKeyPem);
  return {
    directory,
    etcdPort,
    apiServerPort,
    caFile: path('ca.crt'),
    servingCertificateFile: certificateFile,
    servingKeyFile: keyFile,
    serviceAccountKeyFile: path('service-account.key'),
    serviceAccountPublicKeyFile: path('service-account.pub'),
    auditPolicyFile: audit ? join(import.meta.dirname, 'audit-policy.yaml') : undefined,
    auditLogFile: audit ? path('audit.log') : undefined,
  };
}

async function startNodes(nodes: {
  readonly count: number;
  readonly api: ApiCall;
  readonly start: (name: keyof Binaries, args: readonly string[]) => Promise<void>;
  readonly kubeconfigOf: (user: User) => Promise<string>;
}): Promise<void> {
  const kwok = await nodes.kubeconfigOf({ name: 'kwok', groups: ['system:masters'] });
  await nodes.start('kwok', kwokArguments(kwok, join(import.meta.dirname, 'stages.yaml')));
  for (let index = 0; index < nodes.count; index += 1) {
    const { status, body } = await nodes.api('POST', '/api/v1/nodes', fakeNode(index));
    if (status !== 201) throw new Error(`create node ${index}: ${status} ${body}`);
  }
}

/** Waits until GET of `path` succeeds; rejects at once if a component ends. */
async function answers(
  children: Children,
  what: string,
  api: ApiCall,
  path: string,
): Promise<void> {
  let last = '';
  const probe = async (): Promise<boolean> => {
    const casualties = await children.casualties();
    if (casualties !== undefined) throw new Error(`a component ended before ${what}`);
    try {
      const { status, body } = await api('GET', path);
      last = `${status} ${body}`;
      return status === 200;
    } catch (error) {
      last = String(error);
      return false;
    }
  };
  const describe = (): string => `GET ${path}: ${last}`;
  await until(what, probe, { timeoutMs: startTimeoutMs, everyMs: 50, describe });
}

async function accountKubeconfig(request: {
  readonly account: ServiceAccount;
  readonly directory: string;
  readonly url: string;
  readonly caPem: string;
  readonly kubectl: ControlPlane['kubectl'];
}): Promise<string> {
  const { namespace, name } = request.account;
  const args = ['create', 'token', name, '--namespace', namespace, '--duration=24h'];
  const { code, stdout, stderr } = await request.kubectl(args);
  if (code !== 0) throw new Error(`token of ${namespace}/${name}: ${stderr}`);
  const path = join(request.directory, `${namespace}-${name}.kubeconfig`);
  await writeSecret(path, kubeconfig(request.url, request.caPem, { token: stdout.trim() }));
  return path;
}

async function stop(children: Children): Promise<void> {
  const casualties = await children.casualties();
  await children.stop({ keepDirectory: casualties !== undefined });
  if (casualties !== undefined) throw new Error(`ended before it was stopped: ${casualties}`);
}

async function writeCertificate(
  directory: string,
  name: string,
  { certificatePem, privateKeyPem }: Certificate,
): Promise<{ readonly certificateFile: string; readonly keyFile: string }> {
  const folder = join(directory, 'certificates');
  await mkdir(folder, { recursive: true });
  const certificateFile = join(folder, `${name}.crt`);
  const keyFile = join(folder, `${name}.key`);
  await writeFile(certificateFile, certificatePem);
  await writeSecret(keyFile, privateKeyPem);
  return { certificateFile, keyFile };
}

const writeSecret = (path: string, text: string): Promise<void> =>
  writeFile(path, text, { mode: 0o600 });
