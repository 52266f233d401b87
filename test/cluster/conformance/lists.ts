/** Lists show what is selected, page by page, and all pages show one moment. */
import assert from 'node:assert/strict';
import { assertLike, at, itemsOf, namesOf, textAt } from './match.ts';
import { configMap, configMaps, events, pods, secrets } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

/** Three ConfigMaps: a and b have a tier, c has none. Answers their path. */
async function three({ calls, namespace }: Ground): Promise<string> {
  const path = configMaps(await namespace());
  await calls.create(path, configMap('a', {}, { labels: { tier: 'front', rank: '1' } }));
  await calls.create(path, configMap('b', {}, { labels: { tier: 'back', rank: '2' } }));
  await calls.create(path, configMap('c', {}, { labels: { rank: '10' } }));
  return path;
}

/** Of namespace `path`, without what controllers put there. */
const ours = (list: unknown): readonly string[] =>
  namesOf(list).filter((name) => name !== 'kube-root-ca.crt');

const byLabel: Readonly<Record<string, readonly string[]>> = {
  'tier=front': ['a'],
  'tier==front': ['a'],
  'tier!=front': ['b', 'c'],
  'tier in (front, back)': ['a', 'b'],
  'tier notin (front)': ['b', 'c'],
  tier: ['a', 'b'],
  '!tier': ['c'],
  'rank>1': ['b', 'c'],
  'rank<10': ['a', 'b'],
  'tier,rank=2': ['b'],
  'tier in (front,back),rank notin (2)': ['a'],
  'tier=': [],
  'tier in (,front)': ['a'],
  'rank in (1,),tier notin ()': ['a'],
};

/** With the beginning of what is said about them. */
const noSelectors: Readonly<Record<string, string>> = {
  'a in': "unable to parse requirement: found '' expected: '('",
  'a in b': "unable to parse requirement: found 'b' expected: '('",
  'a in (b': "unable to parse requirement: found '', expected: ',' or ')'",
  'a in (b=c)': "unable to parse requirement: found '=', expected: ',' or ')'",
  'a in (@)':
    'unable to parse requirement: values[0][a]: Invalid value: "@": a valid label must be',
  'a b': "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  'a=b=c': "found '=', expected: ',' or 'end of string'",
  '=x': "found '=', expected: !, identifier, or 'end of string'",
  '(a)': "found '(', expected: !, identifier, or 'end of string'",
  'tier=(x)': "unable to parse requirement: found '(', expected: identifier",
  '!': "unable to parse requirement: found '', expected: identifier",
  '!a=b': "found '=', expected: ',' or 'end of string'",
  'a,': "found '', expected: identifier after ','",
  'a=@': 'unable to parse requirement: values[0][a]: Invalid value: "@": a valid label must be',
  '-a=b': 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of',
  'a>x':
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
};

const byField: Readonly<Record<string, readonly string[]>> = {
  'metadata.name=a': ['a'],
  'metadata.name==a': ['a'],
  'metadata.name!=a': ['b', 'c'],
  'metadata.name!=a,metadata.name!=b': ['c'],
};

export const lists: Chapter = {
  title: 'lists',
  needsKubectl: false,
  tests: {
    'a list has a version, and its items go by name': async (ground) => {
      const path = await three(ground);
      const { body } = await ground.calls.get(path);
      assertLike(body, { kind: 'ConfigMapList', apiVersion: 'v1' });
      assert.match(textAt(body, 'metadata.resourceVersion'), /^\d+$/);
      assert.deepEqual(ours(body), ['a', 'b', 'c']);
      assert.equal(at(body, 'metadata.continue'), undefined);
    },
    'items in a list do not say their kind': async (ground) => {
      const { body } = await ground.calls.get(await three(ground));
      const kinds = itemsOf(body).map((item) => at(item, 'kind'));
      assert.ok(kinds.every((kind) => kind === undefined || kind === 'ConfigMap'));
    },
    'a watch that is not wanted is a list': async ({ calls }) => {
      for (const watch of ['0', 'false', 'False']) {
        const { body } = await calls.get(configMaps('default'), { watch });
        assertLike(body, { kind: 'ConfigMapList' });
      }
    },
    'an empty list has items, but none': async (ground) => {
      const { body } = await ground.calls.get(secrets(await ground.namespace()));
      assertLike(body, { kind: 'SecretList', items: [] });
    },
    'label selectors': async (ground) => {
      const path = await three(ground);
      for (const [labelSelector, expected] of Object.entries(byLabel)) {
        const { code, body } = await ground.calls.get(path, { labelSelector });
        assert.equal(code, 200, labelSelector);
        assert.deepEqual(ours(body), expected, labelSelector);
      }
    },
    'a label selector that is none': async (ground) => {
      for (const [labelSelector, why] of Object.entries(noSelectors)) {
        const { code, body } = await ground.calls.get(configMaps('default'), { labelSelector });
        assertLike({ code, body }, { code: 400, body: { reason: 'BadRequest' } }, labelSelector);
        const message = textAt(body, 'message');
        assert.equal(message.slice(0, why.length), why, labelSelector);
      }
    },
    'field selectors by name and namespace': async (ground) => {
      const path = await three(ground);
      for (const [fieldSelector, expected] of Object.entries(byField)) {
        const { body } = await ground.calls.get(path, { fieldSelector });
        assert.deepEqual(ours(body), expected, fieldSelector);
      }
      const namespace = path.split('/')[4] ?? '';
      const fieldSelector = `metadata.namespace=${namespace},metadata.name=b`;
      const { body } = await ground.calls.get('/api/v1/configmaps', { fieldSelector });
      assert.deepEqual(namesOf(body), ['b']);
    },
    'a field by which one cannot select': async ({ calls }) => {
      const answer = await calls.get(configMaps('default'), { fieldSelector: 'data.x=1' });
      assertLike(answer, {
        code: 400,
        body: {
          message:
            '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        },
      });
    },
    'pods by phase and node, Secrets by type, events by what they are about': async (ground) => {
      const namespace = await ground.namespace();
      const phase = await ground.calls.get(pods(namespace), {
        fieldSelector: 'status.phase=Running,spec.nodeName!=node-9,spec.restartPolicy=Always',
      });
      const none = await ground.calls.get(pods(namespace), { fieldSelector: 'status.none=x' });
      assertLike(none, {
        code: 400,
        body: {
          message: 'field label not supported: status.none',
        },
      });
      assertLike(phase, { code: 200, body: { kind: 'PodList', items: [] } });
      for (const type of ['a.io/x', 'a.io/y']) {
        const name = type.slice(-1);
        await ground.calls.create(secrets(namespace), { metadata: { name }, type });
      }
      const found = await ground.calls.get(secrets(namespace), { fieldSelector: 'type=a.io/y' });
      assert.deepEqual(namesOf(found.body), ['y']);
      for (const name of ['one', 'two']) {
        await ground.calls.create(events(namespace), {
          metadata: { name: `about-${name}` },
          involvedObject: { kind: 'Canary', name, namespace, apiVersion: 'flagger.app/v1beta1' },
          reason: 'Synced',
          type: name === 'one' ? 'Normal' : 'Warning',
        });
      }
      const eventsBy = async (fieldSelector: string): Promise<readonly string[]> =>
        namesOf((await ground.calls.get(events(namespace), { fieldSelector })).body);
      assert.deepEqual(await eventsBy('involvedObject.name=one'), ['about-one']);
      assert.deepEqual(await eventsBy('involvedObject.kind=Canary,type=Warning'), ['about-two']);
      assert.deepEqual(await eventsBy('reason=Synced,type!=Warning'), ['about-one']);
    },
    'pages show one moment, whatever is written in between': async (ground) => {
      const path = await three(ground);
      const labelSelector = 'rank';
      const first = await ground.calls.get(path, { limit: '2', labelSelector });
      assert.deepEqual(namesOf(first.body), ['a', 'b']);
      await ground.calls.delete(`${path}/c`);
      await ground.calls.create(path, configMap('bb', {}, { labels: { rank: '3' } }));
      const token = textAt(first.body, 'metadata.continue');
      const second = await ground.calls.get(path, { limit: '2', labelSelector, continue: token });
      assert.deepEqual(namesOf(second.body), ['c']);
      assert.equal(at(second.body, 'metadata.continue'), undefined);
      assert.equal(
        at(second.body, 'metadata.resourceVersion'),
        at(first.body, 'metadata.resourceVersion'),
      );
    },
    'a page says how many are left, unless it is of a selection': async (ground) => {
      const path = secrets(await ground.namespace());
      for (const name of ['a', 'b', 'c', 'd']) {
        await ground.calls.create(path, { metadata: { name, labels: { x: 'y' } } });
      }
      const all = await ground.calls.get(path, { limit: '1' });
      assertLike(all.body, { metadata: { remainingItemCount: 3 } });
      const some = await ground.calls.get(path, { limit: '1', labelSelector: 'x=y' });
      assert.equal(at(some.body, 'metadata.remainingItemCount'), undefined);
    },
    'a token that is none': async ({ calls }) => {
      const answer = await calls.get(configMaps('default'), { limit: '1', continue: 'none' });
      assertLike(answer, { code: 400, body: { reason: 'BadRequest' } });
      assert.match(textAt(answer.body, 'message'), /continue key is not valid/);
    },
    'a list at an exact version shows what was then': async (ground) => {
      const path = await three(ground);
      const { body } = await ground.calls.get(path);
      const resourceVersion = textAt(body, 'metadata.resourceVersion');
      await ground.calls.delete(`${path}/a`);
      const exact = { resourceVersion, resourceVersionMatch: 'Exact' };
      const then = await ground.calls.get(path, exact);
      assert.deepEqual(ours(then.body), ['a', 'b', 'c']);
      assert.equal(at(then.body, 'metadata.resourceVersion'), resourceVersion);
      const since = { resourceVersion, resourceVersionMatch: 'NotOlderThan' };
      assert.deepEqual(ours((await ground.calls.get(path, since)).body), ['b', 'c']);
    },
    'what a version must match is asked of a version only': async ({ calls }) => {
      const path = configMaps('default');
      assert.equal((await calls.get(path, { resourceVersionMatch: 'Exact' })).code, 422);
      const none = { resourceVersion: '1', resourceVersionMatch: 'Sometimes' };
      assert.equal((await calls.get(path, none)).code, 422);
      const zero = { resourceVersion: '0', resourceVersionMatch: 'Exact' };
      assert.equal((await calls.get(path, zero)).code, 422);
    },
    'a version that has not been is waited for, then refused': async ({ calls }) => {
      const answer = await calls.get(configMaps('default'), { resourceVersion: '999999999' });
      assertLike(answer, {
        code: 504,
        body: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } },
      });
    },
  },
};
