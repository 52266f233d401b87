/**
 * All that the demo runs: a cluster, the controller with its webhook as `aviary controller` runs
 * them, traffic with a Prometheus, and the sample app. Everything listens on loopback only.
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { DemoCluster, StartCluster } from './demo-cluster.ts';
import type { DemoFolder } from './folder.ts';
import { configurationName } from '../../admission/registration.ts';
import { customResourceDefinitions } from '../../api/schema/crds.ts';
import { isNotFound } from '../../kube/api-error.ts';
import { createKubeClient } from '../../kube/client.ts';
import type { KubeClient } from '../../kube/client.ts';
import { systemClock } from '../../kube/clock.ts';
import { connect } from '../../kube/config.ts';
import {
  canaries,
  destinationRules,
  mutatingWebhookConfigurations,
  virtualServices,
} from '../../kube/resources.ts';
import type { Logger } from '../../telemetry/log.ts';
import { runController } from '../controller-command.ts';
import { parseFlags } from '../flags.ts';
import type { ControllerFlags } from '../flags.ts';
import { applySample, define } from './developer.ts';
import { istioDefinitions } from './istio-types.ts';
import { createOnlooker } from './onlooker.ts';
import type { Onlooker } from './onlooker.ts';
import { servePrometheus } from './prometheus-server.ts';
import type { PrometheusServer } from './prometheus-server.ts';
import { sample } from './sample-app.ts';
import { createScaledClock } from './scaled-clock.ts';
import type { Traffic } from './traffic.ts';

export interface SiteOptions {
  readonly startCluster: StartCluster;
  readonly folder: DemoFolder;
  readonly port: number;
  readonly speed: number;
  /** Where the user wants the kubeconfig; absent for the folder. */
  readonly kubeconfig: string | undefined;
  readonly version: string;
  readonly traffic: Traffic;
  readonly log: Logger;
  /** Told of what is there, as it comes to be. */
  readonly tell: (text: string) => void;
  /** Told of what the API server says with its answers to the developer. */
  readonly warned: (text: string) => void;
  /** Told of the eyes before there is anything to see. */
  readonly watches: (onlooker: Onlooker) => void;
  /** Aborts when the demo ends. */
  readonly signal: AbortSignal;
}

export interface Site {
  readonly kubeconfigPath: string;
  readonly onlooker: Onlooker;
  /** Acts as the developer. */
  readonly kube: KubeClient;
  /** Rejects when a part of it fails, resolves when all have ended after the signal. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Until the controller has registered its webhook. */
const registeredMsMax = 30_000;
const lookMs = 50;
const loopback = '127.0.0.1';

export async function startSite(options: SiteOptions): Promise<Site> {
  const cluster = await options.startCluster({ port: options.port, log: options.log });
  const closing: (() => Promise<void> | void)[] = [() => cluster.stop()];
  const close = async (): Promise<void> => {
    for (const end of closing.toReversed()) await end();
  };
  try {
    return await settle(options, cluster, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function settle(
  options: SiteOptions,
  cluster: DemoCluster,
  closing: (() => Promise<void> | void)[],
  close: () => Promise<void>,
): Promise<Site> {
  const { signal, tell, log } = options;
  const kubeconfigPath = writeKubeconfig(options, cluster);
  const kube = developerClient(kubeconfigPath, options);
  closing.push(() => kube.close());
  const crds = [...customResourceDefinitions, ...istioDefinitions];
  const served = [canaries, virtualServices, destinationRules];
  await define(kube, crds, served, { clock: systemClock, signal });
  tell(`A Kubernetes API server listens on ${cluster.url}`);

  const onlooker = createOnlooker(kube, log);
  const prometheus = await servePrometheus({
    canaries: () => [onlooker.canary()].filter((it) => it !== undefined),
    traffic: options.traffic,
    nowMs: () => systemClock.now(),
  });
  closing.push(() => prometheus.close());
  const failing = new AbortController();
  const until = AbortSignal.any([signal, failing.signal]);
  const ended = together(failing, [
    control(options, cluster, prometheus, until),
    onlooker.run(until),
  ]);
  try {
    options.watches(onlooker);
    await onlooker.synced(until);
    await registered(kube, until);
    tell('Aviary runs: its controller, and its admission webhook');
    await applySample(kube, until);
    tell(`The app ${sample.name} is applied, with a Canary for it`);
  } catch (error) {
    failing.abort(error);
    // The cluster goes away under them otherwise. What they failed with is what was thrown.
    await Promise.allSettled([ended]);
    throw error;
  }
  return { kubeconfigPath, onlooker, kube, ended, close };
}

/** Where one task fails, all are told to end. */
function together(failing: AbortController, tasks: readonly Promise<void>[]): Promise<void> {
  const ended = Promise.all(tasks).then(
    () => undefined,
    (error: unknown) => {
      failing.abort(error);
      throw error;
    },
  );
  // It is awaited later; whoever waits for something until then is told by the signal.
  ended.catch(() => undefined);
  return ended;
}

function writeKubeconfig({ folder, kubeconfig }: SiteOptions, cluster: DemoCluster): string {
  const text = cluster.kubeconfig('developer', sample.namespace);
  return kubeconfig === undefined
    ? folder.file('kubeconfig', text)
    : folder.fileAt(kubeconfig, text);
}

function developerClient(kubeconfig: string, { version, warned }: SiteOptions): KubeClient {
  const connection = connect({ kubeconfig, master: '', environment: {}, clock: systemClock });
  return createKubeClient(connection, {
    qps: 0,
    burst: 0,
    userAgent: `aviary-demo/${version}`,
    clock: systemClock,
    onCall: () => undefined,
    onWarning: warned,
  });
}

/** The command `aviary controller`, at the pace of the demo. */
async function control(
  { folder, speed, version, log }: SiteOptions,
  cluster: DemoCluster,
  prometheus: PrometheusServer,
  signal: AbortSignal,
): Promise<void> {
  const kubeconfig = folder.file('aviary.kubeconfig', cluster.kubeconfig('aviary', 'default'));
  const flags = controllerFlags(kubeconfig, prometheus.url, await freePort());
  await runController({
    flags,
    // Nothing of the user's own environment decides what the demo does.
    environment: {},
    version,
    log,
    signal,
    clock: createScaledClock(systemClock, speed),
    host: loopback,
  });
}

function controllerFlags(
  kubeconfig: string,
  metricsServer: string,
  webhookPort: number,
): ControllerFlags {
  const given = [
    `-kubeconfig=${kubeconfig}`,
    `-metrics-server=${metricsServer}`,
    `-webhook-url=https://${loopback}:${webhookPort}`,
    `-webhook-port=${webhookPort}`,
    '-mesh-provider=istio',
    '-port=0',
  ];
  const parsed = parseFlags(given, {});
  if (parsed.kind !== 'Flags') throw new Error('the demo gives flags that there are not');
  return parsed.flags;
}

/** A port that was free a moment ago: the webhook's address must be known before it listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, loopback, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The API server knows of the webhook, so the next change is seen as it is applied. */
async function registered(kube: KubeClient, signal: AbortSignal): Promise<void> {
  const key = { namespace: '', name: configurationName };
  const untilMs = systemClock.monotonic() + registeredMsMax;
  for (;;) {
    try {
      await kube.get(mutatingWebhookConfigurations, key, { signal });
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (systemClock.monotonic() > untilMs) throw new Error('the webhook was not registered');
    await systemClock.sleep(lookMs, signal);
  }
}
