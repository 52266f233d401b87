/** What the server has forgotten it says to have forgotten. Apart, since all watchers feel it. */
import assert from 'node:assert/strict';
import { assertLike, namesOf, textAt } from './match.ts';
import { configMap, configMaps } from './paths.ts';
import type { Chapter } from './site.ts';
import { defineWidgets } from './widgets.ts';

const tooOld =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

export const history: Chapter = {
  title: 'history that is forgotten',
  needsKubectl: false,
  tests: {
    'a page from a time that is forgotten is gone; its answer says how to go on': async (
      ground,
    ) => {
      const path = configMaps(await ground.namespace());
      for (const name of ['a', 'b']) {
        await ground.calls.create(path, configMap(name, {}, { labels: { rank: '1' } }));
      }
      const first = await ground.calls.get(path, { limit: '1', labelSelector: 'rank' });
      const token = textAt(first.body, 'metadata.continue');
      const query = { limit: '1', labelSelector: 'rank', continue: token };
      // The real one learns some time after etcd that history was forgotten.
      const answer = await ground.until('the page is gone', async () => {
        await ground.calls.patch('merge', `${path}/a`, { data: { at: ground.name('x') } });
        await ground.site.forget();
        const answer = await ground.calls.get(path, query);
        return answer.code !== 200 && answer;
      });
      assertLike(answer, { code: 410, body: { reason: 'Expired', message: tooOld } });
      const anew = { ...query, continue: textAt(answer.body, 'metadata.continue') };
      assert.deepEqual(namesOf((await ground.calls.get(path, anew)).body), ['b']);
    },
    'from a version that is forgotten: 410, within the watch': async (ground) => {
      const { calls } = ground;
      // Of a kind that is new, since what the real one keeps reaches back to the kind's beginning.
      const { path } = await defineWidgets(ground, await ground.namespace());
      await ground.site.forget();
      const watching = await calls.watch(path, { resourceVersion: '1' });
      const event = await watching.next();
      assertLike(event, {
        type: 'ERROR',
        object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 },
      });
      assert.match(textAt(event.object, 'message'), /^too old resource version: 1 \(\d+\)$/);
      watching.close();
    },
  },
};
