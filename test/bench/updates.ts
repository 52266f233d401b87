/**
 * What admission adds to the time of a Deployment update. Five Deployments that differ in nothing
 * but who looks at them are updated in turn, one at a time, over one kept connection.
 *
 * The one that is matched is the target of a suspended Canary, and none of them runs a pod: what is
 * measured is admission, not the rollout that follows.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { renderMutatingConfiguration } from '../../src/admission/registration.ts';
import { canaryAnnotation } from '../../src/api/annotations.ts';
import type { KubeObject, NamespacedName } from '../../src/api/kubernetes.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { OpenObject } from '../../src/kube/resources.ts';
import {
  canaries,
  deployments,
  mutatingWebhookConfigurations,
  namespaces,
} from '../../src/kube/resources.ts';
import { createAuthority } from '../cluster/identity.ts';
import { startSite } from '../e2e/site.ts';
import { until } from '../support/until.ts';
import { administrator } from './api.ts';
import { canaryOf, deploymentOf } from './fleet.ts';
import { keepLedger } from './ledger.ts';

/** No webhook; registered but not matched; matched; in its place one that does nothing, or that sets one annotation. */
export const cases = ['none', 'unmatched', 'matched', 'nothing', 'patching'] as const;
export type UpdateCase = (typeof cases)[number];

/** Milliseconds of each update. */
export type UpdateTimes = Readonly<Record<UpdateCase, readonly number[]>>;

const rivals = ['nothing', 'patching'] as const;
type Rival = (typeof rivals)[number];
/** By what Deployments its webhook matches. */
const markOf = (rival: Rival): string => `bench.aviary.dev/${rival}`;

/** Namespaces with this label are left out by all webhooks. */
const withoutLabel = 'bench.aviary.dev/without-webhooks';

const target: Readonly<Record<UpdateCase, NamespacedName>> = {
  none: { namespace: 'without', name: 'app' },
  unmatched: { namespace: 'with', name: 'unmatched' },
  matched: { namespace: 'with', name: 'matched' },
  nothing: { namespace: 'with', name: 'nothing' },
  patching: { namespace: 'with', name: 'patching' },
};

/** Updates before the first that counts. */
const warmUpRounds = 20;

export async function measureUpdates(rounds: number): Promise<UpdateTimes> {
  const site = await startSite();
  const ending = new AbortController();
  const kube = administrator(site.cluster);
  const servers = await serveRivals();
  try {
    const { signal } = ending;
    await arrange(kube, servers, signal);
    const times: Record<UpdateCase, number[]> = {
      none: [],
      unmatched: [],
      matched: [],
      nothing: [],
      patching: [],
    };
    for (let round = -warmUpRounds; round < rounds; round += 1) {
      for (const it of cases) {
        const ms = await update(kube, target[it], `round-${round}`, signal);
        if (round >= 0) times[it].push(ms);
      }
    }
    return times;
  } finally {
    ending.abort(new Error('the bench is over'));
    for (const rival of rivals) servers[rival].close();
    kube.close();
    await site.stop();
  }
}

async function update(
  kube: KubeClient,
  name: NamespacedName,
  version: string,
  signal: AbortSignal,
): Promise<number> {
  const metadata = { annotations: { 'bench.aviary.dev/version': version } };
  const body = { spec: { template: { metadata } } };
  const begunMs = performance.now();
  await kube.patch(deployments, name, { type: 'merge', body }, { signal });
  return performance.now() - begunMs;
}

async function arrange(kube: KubeClient, servers: Servers, signal: AbortSignal): Promise<void> {
  const namespace = (name: string, labels: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  });
  await kube.create(namespaces, namespace('without', { [withoutLabel]: '' }), { signal });
  await kube.create(namespaces, namespace('with', {}), { signal });
  for (const it of cases) await kube.create(deployments, deploymentOf(target[it]), { signal });
  await suspendedCanary(kube, signal);
  for (const rival of rivals) await register(kube, rival, servers[rival], signal);
  await leaveOut(kube, signal);

  // Paused and without pods: the Deployment controller has nothing to do for a new template.
  const asleep = { paused: true, replicas: 0 };
  for (const it of cases) {
    const marks: Readonly<Record<UpdateCase, object>> = {
      // Were it not left out, Aviary would take this mark off.
      none: { [canaryAnnotation]: 'nobody' },
      unmatched: {},
      matched: {},
      nothing: { [markOf('nothing')]: '' },
      patching: { [markOf('patching')]: '' },
    };
    const body = { metadata: { annotations: marks[it] }, spec: asleep };
    await kube.patch(deployments, target[it], { type: 'merge', body }, { signal });
  }
  await inForce(kube, servers, signal);
}

/** Its target stays taken over, and a change of it starts nothing. */
async function suspendedCanary(kube: KubeClient, signal: AbortSignal): Promise<void> {
  const ledger = await keepLedger(kube, signal);
  await kube.create(canaries, canaryOf(target.matched), { signal });
  await ledger.all('Initialized', [target.matched], { timeoutMs: 60_000 });
  const body = { spec: { suspend: true } };
  await kube.patch(canaries, target.matched, { type: 'merge', body }, { signal });
}

/** The same rules, conditions and time-out as ours, for other Deployments. */
async function register(
  kube: KubeClient,
  rival: Rival,
  { url, caBundle }: Server,
  signal: AbortSignal,
): Promise<void> {
  const ours = renderMutatingConfiguration({
    address: { kind: 'Url', url },
    caBundle,
    user: 'nobody',
  });
  const text = JSON.stringify(ours).replaceAll(canaryAnnotation, markOf(rival));
  const parsed = JSON.parse(text) as OpenObject;
  const [webhook] = parsed['webhooks'] as readonly object[];
  const configuration: OpenObject = {
    ...parsed,
    metadata: { name: rival },
    webhooks: [{ ...webhook, name: `${rival}.bench.aviary.dev` }],
  };
  await kube.create(mutatingWebhookConfigurations, configuration, { signal });
}

async function leaveOut(kube: KubeClient, signal: AbortSignal): Promise<void> {
  const matchExpressions = [{ key: withoutLabel, operator: 'DoesNotExist' }];
  const body = [
    { op: 'add', path: '/webhooks/0/namespaceSelector', value: { matchExpressions } },
  ] as const;
  for (const name of ['aviary', ...rivals]) {
    const key = { namespace: '', name };
    await kube.patch(mutatingWebhookConfigurations, key, { type: 'json', body }, { signal });
  }
}

/** Resolves when the API server goes by all of the above, each of which it learns by a watch. */
async function inForce(kube: KubeClient, servers: Servers, signal: AbortSignal): Promise<void> {
  let tries = 0;
  const probe = async (): Promise<boolean> => {
    tries += 1;
    const called = rivals.map((rival) => servers[rival].calls());
    for (const it of cases) await update(kube, target[it], `try-${tries}`, signal);
    const left = await kube.get(deployments, target.none, { signal });
    const matched = await kube.get(deployments, target.matched, { signal });
    const stamp = matched.metadata.annotations?.['aviary.dev/change-cause'] ?? '';
    return (
      left.metadata.annotations?.[canaryAnnotation] === 'nobody' &&
      stamp.includes('annotations') &&
      rivals.every((rival, at) => servers[rival].calls() > (called[at] ?? 0))
    );
  };
  await until('the webhooks are in force', probe, { timeoutMs: 30_000, everyMs: 200 });
}

interface Server {
  readonly url: string;
  readonly caBundle: string;
  calls(): number;
  close(): void;
}

type Servers = Readonly<Record<Rival, Server>>;

/** Both allow everything, and look at no more than they must to answer. */
const serveRivals = async (): Promise<Servers> => ({
  nothing: await serve(() => ({})),
  // As long as ours, which says revision, user and cause.
  patching: await serve((uid) => ({
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify([stamp(uid)])).toString('base64'),
  })),
});

const stamp = (uid: string) => ({
  op: 'add',
  path: '/metadata/annotations/bench.aviary.dev~1stamp',
  value: `${uid} `.repeat(6),
});

async function serve(responseTo: (uid: string) => object): Promise<Server> {
  const authority = await createAuthority();
  const { certificatePem, privateKeyPem } = await authority.issueServing();
  let calls = 0;
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      calls += 1;
      const review = JSON.parse(Buffer.concat(parts).toString()) as ReviewOfUid;
      const { apiVersion, kind } = review;
      const { uid } = review.request;
      const answer = { apiVersion, kind, response: { uid, allowed: true, ...responseTo(uid) } };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    });
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    caBundle: authority.certificatePem,
    calls: () => calls,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface ReviewOfUid {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: { readonly uid: string };
}
