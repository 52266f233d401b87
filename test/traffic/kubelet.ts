/**
 * A stand-in for the kubelet of one Node: runs each pod's one container as a process that listens on
 * the pod's own address, and reports what it sees, as a kubelet does.
 *
 *   started ── readiness probe over HTTP ──> Ready <──> not Ready
 *      └── deleted ── preStop.sleep ── SIGTERM ── grace period ── SIGKILL ──> gone
 *
 * An image is a name for the environment of the one program that there is. Not imitated: restarts (a
 * process that ends by itself makes its pod Failed), several containers, volumes, other probes.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fakeNode } from '../cluster/nodes.ts';
import type { Api, WatchEvent } from './api.ts';

/** What an image brings with it, by its name. */
export type Images = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface KubeletOptions {
  readonly api: Api;
  readonly images: Images;
  /** The JavaScript that runs in each pod. */
  readonly program: string;
}

export interface Kubelet {
  /** What went wrong that no test wanted: processes that ended by themselves, refused reports. */
  readonly troubles: readonly string[];
  /** Kills all pods' processes and stops looking. */
  stop(): Promise<void>;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly readinessProbe?: {
    readonly httpGet?: { readonly path?: string; readonly port: number };
    readonly periodSeconds?: number;
    readonly failureThreshold?: number;
  };
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
}

interface Pod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
  };
  readonly spec: { readonly containers: readonly [Container, ...(readonly Container[])] };
}

interface Worker {
  /** Aborted by the deletion of the pod; the reason is the grace period in seconds. */
  readonly deletion: AbortController;
  readonly over: Promise<void>;
}

const node = 'node-0';
const probeTimeoutMs = 1000;

export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { api } = options;
  await api.call('POST', '/api/v1/nodes', { ...fakeNode(0), spec: { podCIDR: '10.244.0.0/20' } });
  const troubles: string[] = [];
  const workers = new Map<string, Worker>();
  const stopping = new AbortController();
  let addresses = 0;
  const nextAddress = (): string => {
    addresses += 1;
    return `10.244.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
  };

  const start = (pod: Pod): Worker => {
    const deletion = new AbortController();
    const work = { ...options, pod, address: nextAddress(), signal: deletion.signal, troubles };
    const over = runPod(work).catch((error: unknown) => {
      troubles.push(`${pod.metadata.name}: ${String(error)}`);
    });
    return { deletion, over };
  };
  const onEvent = ({ type, object: pod }: WatchEvent<Pod>): void => {
    if (stopping.signal.aborted || type === 'BOOKMARK' || type === 'ERROR') return;
    const { uid, deletionTimestamp, deletionGracePeriodSeconds = 30 } = pod.metadata;
    const gone = type === 'DELETED';
    if (!gone && !workers.has(uid)) workers.set(uid, start(pod));
    if (gone || deletionTimestamp !== undefined) {
      workers.get(uid)?.deletion.abort(gone ? 0 : deletionGracePeriodSeconds);
    }
  };
  api.watch(`/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`, onEvent, stopping.signal);
  return {
    troubles,
    stop: async () => {
      stopping.abort();
      for (const { deletion } of workers.values()) deletion.abort(0);
      await Promise.all([...workers.values()].map(({ over }) => over));
    },
  };
}

interface Work extends KubeletOptions {
  readonly pod: Pod;
  readonly address: string;
  readonly signal: AbortSignal;
  readonly troubles: string[];
}

async function runPod(work: Work): Promise<void> {
  const { pod, images, program, address, signal } = work;
  const [{ image }] = pod.spec.containers;
  const environment = images[image];
  // As one whose image cannot be pulled: it stays Pending.
  if (environment === undefined) return;
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...environment, POD_IP: address, HOSTNAME: pod.metadata.name },
  });
  const ended = once(child, 'exit');
  const byItself = ended.then(() => !signal.aborted);
  await reportPod(work, { ready: false });
  if (await Promise.race([byItself, probeUntilDeleted(work)])) {
    await reportPod(work, { ready: false, failed: true });
    throw new Error('ended by itself');
  }
  await terminate(work, child, ended);
  const { namespace, name, uid } = pod.metadata;
  const options = { gracePeriodSeconds: 0, preconditions: { uid } };
  await work.api.call('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, options);
}

/** Answers `false` once the pod is deleted. */
async function probeUntilDeleted(work: Work): Promise<false> {
  const { pod, address, signal } = work;
  const [{ readinessProbe: probe = {} }] = pod.spec.containers;
  const { httpGet, periodSeconds = 10, failureThreshold = 3 } = probe;
  let failures = 0;
  let ready = false;
  while (!signal.aborted) {
    failures = (await answersWell(address, httpGet)) ? 0 : failures + 1;
    const isReady: boolean = failures === 0 || (ready && failures < failureThreshold);
    if (isReady !== ready && !signal.aborted) {
      ready = isReady;
      await reportPod(work, { ready });
    }
    // A kubelet looks again at once after a start; tests would wait for nothing else.
    const waitMs = ready ? periodSeconds * 1000 : Math.min(periodSeconds * 1000, 100);
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

type HttpGet = NonNullable<NonNullable<Container['readinessProbe']>['httpGet']>;

function answersWell(address: string, httpGet: HttpGet | undefined): Promise<boolean> {
  if (httpGet === undefined) return Promise.resolve(true);
  const url = `http://${address}:${httpGet.port}${httpGet.path ?? '/'}`;
  return fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

async function terminate(work: Work, child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  const graceMs = Number(work.signal.reason) * 1000;
  const [{ lifecycle }] = work.pod.spec.containers;
  const sleepMs = Math.min((lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000, graceMs);
  await pause(sleepMs);
  child.kill('SIGTERM');
  const deadline = new AbortController();
  const expired = pause(graceMs - sleepMs, true, { signal: deadline.signal }).catch(() => false);
  await Promise.race([ended, expired]);
  deadline.abort();
  child.kill('SIGKILL');
  await ended;
}

interface Condition {
  readonly ready: boolean;
  readonly failed?: boolean;
}

async function reportPod(work: Work, { ready, failed = false }: Condition): Promise<void> {
  const { api, pod, address } = work;
  const { namespace, name, uid } = pod.metadata;
  const [{ name: container, image }] = pod.spec.containers;
  const now = new Date().toISOString();
  const conditions = Object.entries({
    PodReadyToStartContainers: true,
    Initialized: true,
    ContainersReady: ready,
    Ready: ready,
  }).map(([type, holds]) => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: now,
  }));
  const state = failed ? { terminated: { exitCode: 1 } } : { running: { startedAt: now } };
  await api.call('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, {
    metadata: { uid },
    status: {
      phase: failed ? 'Failed' : 'Running',
      hostIP: '10.244.255.253',
      podIP: address,
      podIPs: [{ ip: address }],
      startTime: now,
      conditions,
      containerStatuses: [
        { name: container, image, imageID: image, ready, started: true, restartCount: 0, state },
      ],
    },
  });
}
