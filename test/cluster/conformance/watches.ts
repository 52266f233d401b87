/** Watches tell every change, in order, from where the watcher stands; or say that they cannot. */
import assert from 'node:assert/strict';
import { assertLike, at, textAt } from './match.ts';
import { configMaps, secrets } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

const versionOf = (body: unknown): string => textAt(body, 'metadata.resourceVersion');

/** An empty place in which nobody else writes. */
async function emptyPlace({ namespace }: Ground): Promise<string> {
  return secrets(await namespace());
}

const secret = (name: string, labels: object = {}): object => ({ metadata: { name, labels } });

export const watches: Chapter = {
  title: 'watches',
  needsKubectl: false,
  tests: {
    'from a version: what came after it, in order, as it comes': async (ground) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      const resourceVersion = versionOf((await calls.get(path)).body);
      await calls.create(path, secret('a'));
      const watching = await calls.watch(path, { resourceVersion });
      await calls.create(path, secret('b'));
      await calls.patch('merge', `${path}/a`, { metadata: { labels: { x: 'y' } } });
      const deleted = await calls.delete(`${path}/b`);
      assert.equal(deleted.code, 200);
      assert.deepEqual(await watching.names(4), ['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']);
      watching.close();
    },
    'each event has the whole object, with a version to go on from': async (ground) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      const resourceVersion = versionOf((await calls.get(path)).body);
      const created = await calls.create(path, secret('a'));
      await calls.delete(`${path}/a`);
      const watching = await calls.watch(path, { resourceVersion });
      const [added, deleted] = [await watching.next(), await watching.next()];
      assert.deepEqual(added, { type: 'ADDED', object: created.body });
      // A deletion is a change of its own.
      assert.ok(Number(versionOf(deleted.object)) > Number(versionOf(added.object)));
      assertLike(deleted, {
        type: 'DELETED',
        object: { kind: 'Secret', metadata: { uid: at(created.body, 'metadata.uid') } },
      });
      watching.close();
      const further = await calls.watch(path, { resourceVersion: versionOf(added.object) });
      assert.deepEqual(await further.names(1), ['DELETED a']);
      further.close();
    },
    'from no version, or from 0: what there is, then what changes': async (ground) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      await calls.create(path, secret('b'));
      await calls.create(path, secret('a'));
      for (const query of [{}, { resourceVersion: '0' }]) {
        const watching = await calls.watch(path, query);
        const names = await watching.names(2);
        assert.deepEqual(names.toSorted(), ['ADDED a', 'ADDED b']);
        await calls.patch('merge', `${path}/a`, {
          metadata: { labels: { at: ground.name('at') } },
        });
        assert.deepEqual(await watching.names(1), ['MODIFIED a']);
        watching.close();
      }
    },
    'an object that enters a selection is added, one that leaves it is deleted': async (ground) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      const resourceVersion = versionOf((await calls.get(path)).body);
      const query = { resourceVersion, labelSelector: 'tier=x' };
      const watching = await calls.watch(path, query);
      const label = (tier: string | null) =>
        calls.patch('merge', `${path}/a`, { metadata: { labels: { tier } } });
      await calls.create(path, secret('a'));
      await label('x');
      const left = versionOf((await label('y')).body);
      await label('x');
      await calls.delete(`${path}/a`);
      const names = [];
      for (const expected of ['ADDED', 'DELETED', 'ADDED', 'DELETED']) {
        const event = await watching.next();
        names.push(event.type);
        if (expected === 'DELETED' && names.length === 2) {
          // As it was when it was still selected, with the version in which it left.
          assertLike(event.object, {
            metadata: { labels: { tier: 'x' }, resourceVersion: left },
          });
        }
      }
      assert.deepEqual(names, ['ADDED', 'DELETED', 'ADDED', 'DELETED']);
      watching.close();
    },
    'one object, by its name': async (ground) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      const resourceVersion = versionOf((await calls.get(path)).body);
      const fieldSelector = 'metadata.name=b';
      const watching = await calls.watch(path, { resourceVersion, fieldSelector });
      await calls.create(path, secret('a'));
      await calls.create(path, secret('b'));
      assert.deepEqual(await watching.names(1), ['ADDED b']);
      watching.close();
    },
    'of all namespaces': async (ground) => {
      const { calls } = ground;
      const paths = [await emptyPlace(ground), await emptyPlace(ground)];
      const labels = { run: ground.name('run') };
      const resourceVersion = versionOf((await calls.get('/api/v1/secrets')).body);
      const query = { resourceVersion, labelSelector: `run=${labels.run}` };
      const watching = await calls.watch('/api/v1/secrets', query);
      for (const path of paths) await calls.create(path, secret('a', labels));
      const found = [await watching.next(), await watching.next()];
      assert.deepEqual(
        found.map(({ object }) => secrets(textAt(object, 'metadata.namespace'))),
        paths,
      );
      watching.close();
    },
    'timeoutSeconds ends it in good order': async (ground) => {
      const path = await emptyPlace(ground);
      const watching = await ground.calls.watch(path, { timeoutSeconds: '1' });
      assert.deepEqual(await watching.rest(), []);
    },
    'a last bookmark comes before the end, where bookmarks are wanted': async (ground) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      await calls.create(path, secret('a'));
      const query = { resourceVersion: '0', allowWatchBookmarks: 'true', timeoutSeconds: '3' };
      const events = await (await calls.watch(path, query)).rest();
      const bookmark = events.at(-1);
      assertLike(bookmark, { type: 'BOOKMARK', object: { kind: 'Secret', apiVersion: 'v1' } });
      const version = versionOf(bookmark?.object);
      assert.match(version, /^\d+$/);
      await calls.create(path, secret('b'));
      const further = await calls.watch(path, { resourceVersion: version });
      assert.deepEqual(await further.names(1), ['ADDED b']);
      further.close();
    },
    'sendInitialEvents: what there is, a bookmark that says so, then what changes': async (
      ground,
    ) => {
      const { calls } = ground;
      const path = await emptyPlace(ground);
      await calls.create(path, secret('a'));
      const watching = await calls.watch(path, {
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: 'true',
      });
      assert.deepEqual(await watching.names(1), ['ADDED a']);
      assertLike(await watching.next(), {
        type: 'BOOKMARK',
        object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      });
      await calls.create(path, secret('b'));
      assert.deepEqual(await watching.names(1), ['ADDED b']);
      watching.close();
    },
    'initial events are of watches, and at no exact version': async ({ calls }) => {
      const path = configMaps('default');
      const refusal = async (query: Readonly<Record<string, string>>): Promise<unknown> => {
        const { code, body } = await calls.get(path, query);
        return [code, at(body, 'message')];
      };
      const start = 'ListOptions.meta.k8s.io "" is invalid:';
      assert.deepEqual(await refusal({ sendInitialEvents: 'true' }), [
        422,
        `${start} sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`,
      ]);
      assert.deepEqual(await refusal({ watch: 'true', sendInitialEvents: 'true' }), [
        422,
        `${start} resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
      ]);
      const exact = { watch: 'true', resourceVersion: '1', resourceVersionMatch: 'Exact' };
      assert.deepEqual(await refusal(exact), [
        422,
        `${start} [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]`,
      ]);
    },
    'from what is no version': async ({ calls }) => {
      const query = { watch: 'true', resourceVersion: 'x' };
      const answer = await calls.get(configMaps('default'), query);
      // The real one answers 500 here, and 400 for lists.
      assert.ok(answer.code === 400 || answer.code === 500);
      assertLike(answer.body, { kind: 'Status', status: 'Failure' });
    },
  },
};
