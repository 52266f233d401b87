/** This room against an API server: what the scripted server claims, it must really do. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { ConfigMap, KubeObject } from '../../src/api/kubernetes.ts';
import {
  isAlreadyExists,
  isConflict,
  isGone,
  isInvalid,
  isNotFound,
} from '../../src/kube/api-error.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { CallListener } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { connect } from '../../src/kube/config.ts';
import { createEventRecorder } from '../../src/kube/events.ts';
import { createInformers } from '../../src/kube/informers.ts';
import { createElection } from '../../src/kube/lease.ts';
import type { Log } from '../../src/kube/log.ts';
import {
  configMaps,
  customResourceDefinitions,
  events,
  leases,
  namespaces,
  resource,
  secrets,
} from '../../src/kube/resources.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { groundOn } from '../cluster/conformance/ground.ts';
import type { OpenGround } from '../cluster/conformance/ground.ts';
import type { Site } from '../cluster/conformance/site.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { until } from '../support/until.ts';

const namespace = 'default';
const key = (name: string): { namespace: string; name: string } => ({ namespace, name });
const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A client with that kubeconfig. */
export const clientOf = (kubeconfig: string, onCall: CallListener = nothing): KubeClient =>
  createKubeClient(connect({ kubeconfig, master: '', environment: {}, clock: systemClock }), {
    qps: 100,
    burst: 250,
    userAgent: 'aviary/test',
    clock: systemClock,
    onCall,
  });

export interface TalkOptions {
  readonly open: () => Promise<Site>;
  readonly skip: string | false;
}

/** The tests of a server that is started for them. */
export async function talksTo(title: string, options: TalkOptions): Promise<void> {
  const search = await findBinaries();
  const noKubectl = await controlPlaneOrSkip();
  suite(`on ${title}`, { skip: options.skip }, () => {
    let ground: OpenGround;
    let client: KubeClient;
    const calls: string[] = [];
    const life = new AbortController();
    const { signal } = life;

    before(async () => {
      ground = await groundOn(await options.open(), search.found ? search.binaries.kubectl : '');
      client = clientOf(
        ground.site.kubeconfigPath,
        (verb, plural, code) => void calls.push(`${verb} ${plural} ${code}`),
      );
      await until('the namespace is there', () =>
        client.get(namespaces, { namespace: '', name: namespace }, { signal }).then(
          () => true,
          () => false,
        ),
      );
    });
    after(async () => {
      life.abort(new Error('the tests have ended'));
      client?.close();
      await ground?.close();
    });

    const map = (name: string, data: ConfigMap['data'] = {}): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name },
      data,
    });
    const informersOf = (
      pageClient: Pick<KubeClient, 'list' | 'watch'> = client,
    ): ReturnType<typeof createInformers> =>
      createInformers({
        client: pageClient,
        clock: systemClock,
        random: Math.random,
        log: silent,
        namespace,
      });

    test('creates, gets, patches in every way, and deletes', async () => {
      const created = await client.create(configMaps, map('a', { x: '1' }), { signal });
      assert.ok(created.metadata.uid);
      await assert.rejects(client.create(configMaps, map('a'), { signal }), isAlreadyExists);
      const { resourceVersion } = created.metadata;

      const merged = await client.patch(
        configMaps,
        key('a'),
        { type: 'merge', body: { metadata: { resourceVersion }, data: { y: '2' } } },
        { signal },
      );
      assert.deepEqual(merged.data, { x: '1', y: '2' });
      const stale = {
        type: 'merge',
        body: { metadata: { resourceVersion }, data: { y: '3' } },
      } as const;
      await assert.rejects(client.patch(configMaps, key('a'), stale, { signal }), isConflict);

      const applied = await client.patch(
        configMaps,
        key('a'),
        { type: 'apply', force: true, body: map('a', { z: '4' }) },
        { signal },
      );
      assert.deepEqual(applied.data, { x: '1', y: '2', z: '4' });

      const test = {
        op: 'test',
        path: '/metadata/resourceVersion',
        value: applied.metadata.resourceVersion,
      } as const;
      const body = [test, { op: 'remove', path: '/data/x' }] as const;
      const patched = await client.patch(configMaps, key('a'), { type: 'json', body }, { signal });
      assert.deepEqual(patched.data, { y: '2', z: '4' });
      await assert.rejects(
        client.patch(configMaps, key('a'), { type: 'json', body }, { signal }),
        isInvalid,
      );

      const { managedFields } = (await client.get(configMaps, key('a'), { signal }))
        .metadata as unknown as {
        managedFields: readonly { manager: string }[];
      };
      assert.deepEqual([...new Set(managedFields.map(({ manager }) => manager))], ['aviary']);

      await assert.rejects(
        client.delete(configMaps, key('a'), { signal, uid: 'another' }),
        isConflict,
      );
      await client.delete(configMaps, key('a'), { signal, uid: created.metadata.uid });
      await assert.rejects(client.get(configMaps, key('a'), { signal }), isNotFound);
      await assert.rejects(
        client.create(
          configMaps,
          { ...map('a'), metadata: { namespace, name: 'NOT VALID' } },
          { signal },
        ),
        isInvalid,
      );
    });

    test('lists by page', async () => {
      for (const name of ['page-1', 'page-2', 'page-3'])
        await client.create(secrets, { ...map(name), kind: 'Secret' }, { signal });
      const first = await client.list(secrets, { namespace, limit: 2, signal });
      assert.deepEqual(
        first.items.map((it) => [it.kind, it.apiVersion, it.metadata.name]),
        [
          ['Secret', 'v1', 'page-1'],
          ['Secret', 'v1', 'page-2'],
        ],
      );
      const { continueToken } = first;
      const last = await client.list(secrets, { namespace, limit: 2, continueToken, signal });
      assert.equal(last.items.length, 1);
      assert.equal(last.continueToken, undefined);
    });

    test('a page from a time that is forgotten is gone', async () => {
      for (const name of ['old-1', 'old-2']) await client.create(configMaps, map(name), { signal });
      const { continueToken } = await client.list(configMaps, { namespace, limit: 1, signal });
      assert.ok(continueToken);
      const next = async (step: number): Promise<unknown> => {
        await ground.site.forget();
        const patch = { type: 'merge', body: { data: { step: String(step) } } } as const;
        await client.patch(configMaps, key('old-1'), patch, { signal });
        return client.list(configMaps, { namespace, limit: 1, continueToken, signal }).then(
          () => undefined,
          (error: unknown) => error,
        );
      };
      let step = 0;
      const error = await until('its history is compacted', () => next((step += 1)), {
        everyMs: 500,
      });
      assert.ok(isGone(error), String(error));
    });

    test('an informer lists, follows, and shows our own writes at once', async () => {
      const informer = informersOf().informer(configMaps);
      void informer.start(signal);
      await informer.synced(signal);
      const created = await client.create(configMaps, map('followed', { x: '1' }), { signal });
      informer.store.wrote(created);
      assert.equal(informer.store.get(key('followed'))?.data?.['x'], '1');

      const versions: string[] = [];
      informer.store.subscribe(({ key: { name }, ...change }) => {
        if (name === 'followed')
          versions.push(change.kind === 'Applied' ? (change.after.data?.['x'] ?? '') : 'gone');
      });
      const before = Number(informer.state().resourceVersion);
      for (let x = 2; x <= 20; x += 1) {
        const patch = { type: 'merge', body: { data: { x: String(x) } } } as const;
        informer.store.wrote(await client.patch(configMaps, key('followed'), patch, { signal }));
      }
      await client.delete(configMaps, key('followed'), { signal });
      await until('the deletion is seen', () => versions.at(-1) === 'gone');
      assert.deepEqual(versions, [
        ...Array.from({ length: 19 }, (_, at) => String(at + 2)),
        'gone',
      ]);
      assert.ok(Number(informer.state().resourceVersion) > before);
      assert.equal(informer.store.get(key('followed')), undefined);
      for (const { metadata } of informer.store.list())
        assert.equal('managedFields' in metadata, false);
    });

    test('metadata only: no Secret reaches this process', async () => {
      const body = { ...map('hidden'), kind: 'Secret', data: { password: 'aHVudGVyMg==' } };
      await client.create(secrets, body, { signal });
      const page = await client.list(secrets, { namespace, metadataOnly: true, signal });
      const found = page.items.find(({ metadata }) => metadata.name === 'hidden');
      assert.deepEqual([found?.kind, found?.apiVersion, found?.data], ['Secret', 'v1', undefined]);

      const informer = informersOf().informer(secrets, { metadataOnly: true });
      void informer.start(signal);
      await informer.synced(signal);
      await client.create(
        secrets,
        { ...body, metadata: { namespace, name: 'hidden-2' } },
        { signal },
      );
      await until('the watch shows it', () => informer.store.get(key('hidden-2')));
      for (const secret of informer.store.list())
        assert.deepEqual(Object.keys(secret), ['apiVersion', 'kind', 'metadata']);
    });

    test('goes on where the server ended the watch', async () => {
      const short: Pick<KubeClient, 'list' | 'watch'> = {
        list: (resource, options) => client.list(resource, { ...options, limit: 1 }),
        watch: (resource, options) => client.watch(resource, { ...options, timeoutSeconds: 1 }),
      };
      const informer = informersOf(short).informer(configMaps);
      void informer.start(signal);
      await informer.synced(signal);
      const watches = (): number => calls.filter((call) => call === 'watch configmaps 200').length;
      const lists = (): number => calls.filter((call) => call.startsWith('list configmaps')).length;
      const [watchesBefore, listsBefore] = [watches(), lists()];
      await until('it watches for the second time', () => watches() >= watchesBefore + 2);
      await client.create(configMaps, map('late'), { signal });
      await until('it is seen', () => informer.store.get(key('late')));
      assert.equal(lists(), listsBefore);
    });

    test('an API that is installed later is found', async () => {
      const widgets = resource<KubeObject>('aviary.test/v1', 'Widget', 'widgets');
      const phases: string[] = [];
      const clock = {
        ...systemClock,
        sleep: (_: number, it: AbortSignal) => systemClock.sleep(100, it),
      };
      const later = createInformers({
        client,
        clock,
        random: Math.random,
        log: silent,
        onState: (_, { phase }) => void phases.push(phase),
      });
      const informer = later.informer(widgets);
      void informer.start(signal);
      await informer.synced(signal);
      assert.deepEqual(phases, ['Listing', 'Missing']);
      const definition: OpaqueObject = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'widgets.aviary.test' },
        spec: {
          group: 'aviary.test',
          scope: 'Namespaced',
          names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          ],
        },
      };
      await client.create(customResourceDefinitions, definition, { signal });
      await until('it watches', () => informer.state().phase === 'Watching');
      const widget = {
        apiVersion: 'aviary.test/v1',
        kind: 'Widget',
        metadata: { namespace, name: 'w' },
      };
      await client.create(widgets, widget, { signal });
      await until('it is seen', () => informer.store.get(key('w')));
    });

    test('a lease goes from one to the other when it is vacated', async () => {
      const election = (identity: string): ReturnType<typeof createElection> =>
        createElection({
          client,
          clock: systemClock,
          random: Math.random,
          log: silent,
          key: key('leader'),
          identity,
          leaseDurationMs: 3000,
          renewDeadlineMs: 2000,
          retryPeriodMs: 200,
        });
      const working: string[] = [];
      const work = (name: string) => (until: AbortSignal) =>
        new Promise<void>((resolve) => {
          working.push(name);
          until.addEventListener('abort', () => resolve());
        });
      const stopA = new AbortController();
      const [a, b] = [election('a'), election('b')];
      const ranA = a.run(work('a'), stopA.signal);
      await until('a holds it', () => a.isHeld());
      const stopB = new AbortController();
      const ranB = b.run(work('b'), stopB.signal);
      // Longer than its duration: it must have been renewed.
      await until('it was renewed', async () => {
        const { spec } = await client.get(leases, key('leader'), { signal });
        return Date.parse(spec?.renewTime ?? '') - Date.parse(spec?.acquireTime ?? '') > 3500;
      });
      assert.deepEqual(working, ['a']);
      stopA.abort(new Error('SIGTERM'));
      assert.equal(await ranA, 'Stopped');
      await until('b holds it', () => b.isHeld(), { timeoutMs: 1500 });
      const { spec } = await client.get(leases, key('leader'), { signal });
      assert.deepEqual([spec?.holderIdentity, spec?.leaseTransitions], ['b', 1]);
      assert.match(spec?.renewTime ?? '', /\.\d{6}Z$/);
      stopB.abort(new Error('SIGTERM'));
      await ranB;
    });

    test('an event is there for kubectl', { skip: noKubectl }, async () => {
      const about = await client.create(configMaps, map('about'), { signal });
      const recorder = createEventRecorder({
        client,
        clock: systemClock,
        random: Math.random,
        randomHex: (digits) => randomBytes(digits / 2).toString('hex'),
        log: silent,
        onDrop: (reason) => assert.fail(reason),
      });
      for (let step = 0; step < 15; step += 1) {
        recorder.record(about, {
          type: 'Normal',
          message: `Advance about.default canary weight ${step}`,
        });
      }
      await recorder.flush(signal);
      const page = await client.list(events, {
        namespace,
        fieldSelector: 'involvedObject.name=about',
        signal,
      });
      assert.equal(page.items.length, 15);
      const stdout = await ground.kubectl.run('', ['events', '--for', 'configmap/about']);
      assert.match(
        stdout,
        /Normal\s+Synced\s+ConfigMap\/about\s+Advance about\.default canary weight 14/,
      );
    });
  });
}
