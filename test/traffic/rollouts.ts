/**
 * Rollouts under real traffic, nothing faked: every request of every user goes through a gateway that
 * is driven by what the controller writes, and a real Prometheus judges.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { CanaryWatch } from '../support/canary-watch.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { kubectlLines } from '../support/kubectl-lines.ts';
import { until } from '../support/until.ts';
import type { Kubectl } from '../e2e/kubectl.ts';
import { inNamespace, scaledTo } from '../e2e/kubectl.ts';
import type { GatewayKind } from './gateway.ts';
import type { Answer, Load } from './load.ts';
import { startLoad } from './load.ts';
import { insideOrSkip } from './namespace.ts';
import { reportRollout } from './report.ts';
import type { WeightSighting } from './shares.ts';
import { sharesOf } from './shares.ts';
import type { TrafficSite } from './site.ts';
import { startTrafficSite, trafficFixture } from './site.ts';

const images = {
  'shop:1.0.0': { REVISION: '1.0.0' },
  'shop:1.1.0': { REVISION: '1.1.0' },
  'shop:1.2.0-bad': { REVISION: '1.2.0-bad', FAILING: '0.3' },
};

const perSecond = 200;
const stepWeights = [10, 30, 50];
/** One share in 16,000 is farther off by chance. */
const sigmasMax = 4;
const timeout = 480_000;

export interface Provider {
  /** In which PROMETHEUS_URL stands for one. */
  readonly fixture: string;
  readonly host: string;
  /** Resource and path of the canary's weight. */
  readonly route: readonly [string, string];
}

const isCanary = ({ pod }: Answer): boolean => pod !== '' && !pod.startsWith('shop-primary-');
const failed = ({ status }: Answer): boolean => status !== 200;

interface Shop {
  readonly kubectl: Kubectl;
  readonly watch: CanaryWatch;
  readonly weights: readonly WeightSighting[];
  readonly load: Load;
  close(): Promise<void>;
}

/** One story for each provider, all on one site. */
export async function rolloutsUnderTraffic(
  gateway: GatewayKind,
  providers: Readonly<Record<string, Provider>>,
): Promise<void> {
  const skip = await insideOrSkip();
  describe(`rollouts under real traffic through ${gateway.name}`, { skip, timeout }, () => {
    let site: TrafficSite;
    before(async () => {
      site = await startTrafficSite(gateway, images);
    });
    after(() => site?.stop());

    for (const [namespace, provider] of Object.entries(providers)) {
      test(`${namespace}: a good revision costs no request, a bad one is taken back`, async () => {
        const shop = await openShop(site, namespace, provider);
        try {
          await promotes(shop, namespace);
          await rollsBack(shop, namespace);
          assert.deepEqual(site.kubelet.troubles, []);
        } finally {
          await shop.close();
        }
      });
    }
  });
}

/** Open once users are served. */
async function openShop(
  { cluster, gateway, prometheus }: TrafficSite,
  namespace: string,
  { fixture, host, route: [resource, path] }: Provider,
): Promise<Shop> {
  const kubectl = await inNamespace(cluster, namespace);
  const placeholders = { PROMETHEUS_URL: prometheus.url };
  for (const name of ['shop.yaml', fixture]) {
    await kubectl(['apply', '-f', '-'], await filled(name, placeholders));
  }
  const watch = watchCanary(cluster, namespace, 'shop');
  await watch.sees('Initialized');
  const weights: WeightSighting[] = [];
  const only = ['--field-selector=metadata.name=shop', '--watch', '-o', `jsonpath=${path}{"\\n"}`];
  const stopWatching = kubectlLines(
    cluster,
    ['-n', namespace, 'get', resource, ...only],
    (line) => {
      // A weight of 0 is left out of an HTTPProxy.
      const weight = Number(line);
      if (weights.at(-1)?.weight !== weight) weights.push({ atMs: performance.now(), weight });
    },
  );
  const users = { address: gateway.address, port: gateway.port, host, perSecond };
  await servesAll(users);
  const load = startLoad(users);
  const close = async (): Promise<void> => {
    await load.stop();
    stopWatching();
    watch.stop();
  };
  return { kubectl, watch, weights, load, close };
}

async function filled(
  fixture: string,
  placeholders: Readonly<Record<string, string>>,
): Promise<string> {
  const text = await readFile(trafficFixture(fixture), 'utf8');
  return Object.entries(placeholders).reduce(
    (all, [name, value]) => all.replaceAll(name, value),
    text,
  );
}

/** Until a few requests in a row have succeeded: Envoy has been told of the route. */
async function servesAll(users: Parameters<typeof startLoad>[0]): Promise<void> {
  let last: Answer | undefined;
  const probe = async (): Promise<boolean> => {
    const load = startLoad({ ...users, perSecond: 50 });
    await until('ten answers', () => load.answers.length >= 10);
    await load.stop();
    last = load.answers.find(failed);
    return last === undefined;
  };
  await until('users are served', probe, { describe: () => JSON.stringify(last) });
}

async function promotes(shop: Shop, provider: string): Promise<void> {
  const rollout = await release(shop, 'shop:1.1.0', 'Succeeded');
  reportRollout(`${provider}: shop:1.1.0`, rollout);
  assert.deepEqual(rollout.answers.filter(failed), []);
  assert.deepEqual(
    rollout.shares.map(({ weight }) => weight),
    [0, ...stepWeights, 0],
  );
  for (const share of rollout.shares) {
    assert.ok(share.sigmas < sigmasMax, `${share.share} % of requests at weight ${share.weight}`);
  }
  assert.ok(rollout.answers.slice(-perSecond).every(({ revision }) => revision === '1.1.0'));
}

async function rollsBack(shop: Shop, provider: string): Promise<void> {
  const rollout = await release(shop, 'shop:1.2.0-bad', 'Failed');
  reportRollout(`${provider}: shop:1.2.0-bad`, rollout);
  const failures = rollout.answers.filter(failed);
  assert.ok(failures.length > 0);
  assert.deepEqual(
    failures.filter(({ revision }) => revision !== '1.2.0-bad'),
    [],
  );
  assert.deepEqual(
    rollout.shares.map(({ weight }) => weight),
    [0, stepWeights[0], 0],
  );
  for (const share of rollout.shares) {
    assert.ok(share.sigmas < sigmasMax, `${share.share} % of requests at weight ${share.weight}`);
  }
  assert.ok(rollout.answers.slice(-perSecond).every(({ revision }) => revision === '1.1.0'));
}

/** From the change until the last pod of the canary is gone. */
async function release({ kubectl, watch, weights, load }: Shop, image: string, phase: string) {
  const sinceMs = performance.now();
  const before = weights.at(-1)?.weight ?? 0;
  await kubectl(['set', 'image', 'deployment/shop', `shop=${image}`]);
  const { atMs: endedMs } = await watch.sees(phase, { sinceMs, timeoutMs: 150_000 });
  await scaledTo(kubectl, 'shop', 0);
  const remain = async (): Promise<boolean> => {
    const { stdout } = await kubectl(['get', 'pods', '-o', 'name']);
    return stdout.split('\n').some((name) => name !== '' && !name.startsWith('pod/shop-primary-'));
  };
  const patience = { timeoutMs: 60_000, everyMs: 200 };
  await until('the pods of the canary are gone', async () => !(await remain()), patience);
  const goneMs = performance.now();
  // A second of users after that, so that what the last pod did is seen, too.
  await until('a second has passed', () => performance.now() > goneMs + 1000);
  const untilMs = performance.now();
  const answers = load.answers
    .filter(({ atMs }) => atMs >= sinceMs && atMs < untilMs)
    .toSorted((left, right) => left.atMs - right.atMs);
  const seen = [
    { atMs: sinceMs - 1000, weight: before },
    ...weights.filter(({ atMs }) => atMs >= sinceMs),
  ];
  return { sinceMs, endedMs, answers, shares: sharesOf(answers, seen, isCanary, untilMs) };
}
