/**
 * Whose turn it is, with real kubectl: one rollout at a time, one canary after another, and a way
 * back that takes seconds.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import type { CanaryWatch } from '../support/canary-watch.ts';
import { watchCanary } from '../support/canary-watch.ts';
import type { Kubectl } from './kubectl.ts';
import { eventsOf, fixture, imageOf, inNamespace } from './kubectl.ts';
import type { Site } from './site.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

interface Shop {
  readonly kubectl: Kubectl;
  readonly frontend: CanaryWatch;
  readonly backend: CanaryWatch;
}

const rollOut = (kubectl: Kubectl, name: string, image: string) =>
  kubectl(['set', 'image', `deployment/${name}`, `${name}d=${image}`]);

/** Two applications at rest; `spec` is what the frontend's Canary says in addition. */
async function openShop(site: Site, namespace: string, spec = ''): Promise<Shop> {
  const kubectl = await inNamespace(site.cluster, namespace);
  const watches: CanaryWatch[] = [];
  for (const name of ['backend', 'frontend']) {
    const [app, canary] = await Promise.all(
      ['podinfo.yaml', 'canary.yaml'].map((file) => readFile(fixture(file), 'utf8')),
    );
    const named = (text = ''): string => text.replaceAll('podinfo', name);
    await kubectl(['apply', '-f', '-'], named(app));
    const own = name === 'frontend' ? spec : '';
    const quick = '  analysis:\n    rollbackWindow: 10m\n';
    const text = named(canary).replace('  analysis:\n', `${own}${quick}`);
    await kubectl(['apply', '-f', '-'], text);
    watches.push(watchCanary(site.cluster, namespace, name));
  }
  const [backend, frontend] = watches;
  assert.ok(backend !== undefined && frontend !== undefined);
  await backend.sees('Initialized');
  await frontend.sees('Initialized');
  return { kubectl, frontend, backend };
}

async function waitingOf(kubectl: Kubectl, name: string): Promise<string> {
  const path = '{.status.conditions[?(@.type=="Waiting")].reason}';
  return (await kubectl(['get', 'canary', name, '-o', `jsonpath=${path}`])).stdout;
}

describe('turns', { skip, timeout: 300_000 }, () => {
  let site: Site;
  before(async () => {
    site = await startSite({ flags: ['--max-progressing=1'] });
  });
  after(() => site.stop());

  test('one rollout at a time: the other says that it waits, and follows by itself', async () => {
    const { kubectl, frontend, backend } = await openShop(site, 'shop');
    await rollOut(kubectl, 'backend', 'podinfo:6.0.1');
    await backend.sees('Progressing');
    await rollOut(kubectl, 'frontend', 'podinfo:6.0.1');
    await frontend.sees('Waiting');
    assert.equal(await waitingOf(kubectl, 'frontend'), 'NoSlot');
    const ended = await backend.sees('Succeeded', { timeoutMs: 120_000 });
    const begun = await frontend.sees('Progressing');
    assert.ok(begun.atMs - ended.atMs < 2_000, 'it follows at once');
    const done = await frontend.sees('Succeeded', { timeoutMs: 120_000 });

    // The way back needs no slot and no analysis.
    const { stderr } = await kubectl(['rollout', 'undo', 'deployment/frontend']);
    assert.match(stderr, /this revision served within 10m, it is promoted without analysis/);
    const back = await frontend.sees('Progressing', { sinceMs: done.atMs });
    await frontend.sees('Succeeded', { sinceMs: back.atMs, timeoutMs: 20_000 });
    assert.equal(
      await imageOf(kubectl, 'frontend-primary'),
      'ghcr.io/stefanprodan/frontend:6.0.0',
      'as it was first deployed',
    );
    const events = await eventsOf(kubectl, 'frontend', /analysis was skipped/);
    assert.ok(
      events.includes(
        'Normal New revision of frontend.shop waits: no more than 1 rollout may be in progress at once ' +
          'in the cluster (backend.shop is)',
      ),
      events.join('\n'),
    );
    frontend.stop();
    backend.stop();
  });

  test('what depends on another canary comes after it, and a circle is refused', async () => {
    const dependsOn = '  dependsOn:\n    - name: backend\n';
    const { kubectl, frontend, backend } = await openShop(site, 'chain', dependsOn);
    const closing = '{"spec":{"dependsOn":[{"name":"frontend"}]}}';
    const patch = ['patch', 'canary', 'backend', '--type=merge', '-p', closing];
    await assert.rejects(kubectl(patch), /backend\.chain -> frontend\.chain -> backend\.chain/);

    // The one that comes last is applied first.
    const { stderr } = await rollOut(kubectl, 'frontend', 'podinfo:6.0.1');
    assert.match(stderr, /once canary backend\.chain is done, this starts a canary analysis/);
    await rollOut(kubectl, 'backend', 'podinfo:6.0.1');
    await frontend.sees('Waiting');
    await backend.sees('Progressing');
    assert.equal(await waitingOf(kubectl, 'frontend'), 'DependencyNotReady');
    const ended = await backend.sees('Succeeded', { timeoutMs: 120_000 });
    const begun = await frontend.sees('Progressing');
    assert.ok(begun.atMs >= ended.atMs);
    frontend.stop();
    backend.stop();
  });
});
