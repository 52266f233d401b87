/** What people see first: kubectl's tables, the same on every cluster. */
import assert from 'node:assert/strict';
import { available, table } from './kubectl.ts';
import { configMap, service } from './paths.ts';
import type { Chapter } from './site.ts';

const age = /^(\d+[smhd])+$/;

export const kubectlGet: Chapter = {
  title: 'kubectl gets',
  needsKubectl: true,
  tests: {
    'get deployments, plain and wide': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground);
      const plain = table(await kubectl.run('', ['get', 'deployment', app]));
      assert.deepEqual(plain[0], ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE']);
      assert.deepEqual(plain[1]?.slice(0, 4), [app, '2/2', '2', '2']);
      assert.match(plain[1]?.[4] ?? '', age);
      const wide = table(await kubectl.run('', ['get', 'deploy', app, '-o', 'wide']));
      assert.deepEqual(wide[0]?.slice(5), ['CONTAINERS', 'IMAGES', 'SELECTOR']);
      assert.deepEqual(wide[1]?.slice(5), ['main', 'podinfo:6.0.0', `app=${app}`]);
    },
    'get replicasets and pods': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground);
      const sets = table(await kubectl.run('', ['get', 'rs', '-l', `app=${app}`]));
      assert.deepEqual(sets[0], ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE']);
      assert.deepEqual(sets[1]?.slice(1, 4), ['2', '2', '2']);
      const pods = table(await kubectl.run('', ['get', 'pods', '-l', `app=${app}`, '-o', 'wide']));
      assert.deepEqual(pods[0], [
        'NAME',
        'READY',
        'STATUS',
        'RESTARTS',
        'AGE',
        'IP',
        'NODE',
        'NOMINATED NODE',
        'READINESS GATES',
      ]);
      assert.equal(pods.length, 3);
      assert.deepEqual(pods[1]?.slice(1, 4), ['1/1', 'Running', '0']);
      const labelled = await kubectl.run('', [
        'get',
        'pods',
        '-l',
        `app=${app}`,
        '--show-labels',
        '--no-headers',
      ]);
      assert.match(labelled, new RegExp(`app=${app},pod-template-hash=[a-z0-9]+\\n`));
    },
    'get services, ConfigMaps, Secrets, namespaces and nodes': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const run = (...args: readonly string[]) => kubectl.run(namespace, args);
      await kubectl.run(namespace, ['create', '-f', '-'], JSON.stringify(service('a')));
      await run('create', 'configmap', 'a', '--from-literal=x=1', '--from-literal=y=2');
      await run('create', 'secret', 'generic', 'a', '--from-literal=x=1');
      const rows = async (...args: readonly string[]) =>
        table(await run('get', ...args)).map((row) => row.slice(0, -1));
      const [head, row] = await rows('service', 'a', '-o', 'wide');
      assert.deepEqual(head, ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE']);
      assert.deepEqual([row?.[1], row?.[3], row?.[4]], ['ClusterIP', '<none>', '80/TCP']);
      assert.deepEqual(await rows('configmap', 'a'), [
        ['NAME', 'DATA'],
        ['a', '2'],
      ]);
      assert.deepEqual(await rows('secret', 'a'), [
        ['NAME', 'TYPE', 'DATA'],
        ['a', 'Opaque', '1'],
      ]);
      assert.deepEqual(await rows('ns', namespace), [
        ['NAME', 'STATUS'],
        [namespace, 'Active'],
      ]);
      assert.deepEqual((await rows('nodes'))[0]?.slice(0, 3), ['NAME', 'STATUS', 'ROLES']);
    },
    "get as YAML, by path, in columns of one's own, and of all namespaces": async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const object = configMap('a', { x: '1' }, { labels: { run: namespace } });
      await kubectl.run(namespace, ['create', '-f', '-'], JSON.stringify(object));
      const get = (...args: readonly string[]) => kubectl.run(namespace, ['get', 'cm', ...args]);
      assert.match(
        await get('a', '-o', 'yaml'),
        /^apiVersion: v1\ndata:\n {2}x: "1"\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "[^"]+"\n {2}labels:\n/,
      );
      assert.equal(await get('a', '-o', 'jsonpath={.data.x}'), '1');
      assert.equal(await get('a', '-o', 'name'), 'configmap/a\n');
      const columns = 'custom-columns=N:.metadata.name,X:.data.x';
      assert.deepEqual(table(await get('a', '-o', columns)), [
        ['N', 'X'],
        ['a', '1'],
      ]);
      const all = await kubectl.run('', ['get', 'cm', '-A', '-l', `run=${namespace}`]);
      assert.deepEqual(table(all)[1]?.slice(0, 3), [namespace, 'a', '1']);
    },
    'get -w: each change is a line': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const literals = ['create', 'configmap', 'a', '--from-literal=x=1'];
      await kubectl.run(namespace, literals);
      const all = kubectl.follow(namespace, [
        'get',
        'cm',
        '-w',
        '--field-selector',
        'metadata.name=a',
      ]);
      const only = kubectl.follow(namespace, ['get', 'cm', 'a', '--watch-only', '--no-headers']);
      try {
        await all.printed(/NAME +DATA +AGE\na +1 +\d+s\n/);
        // The second has begun when it shows a change; which one does not matter.
        let count = 0;
        await ground.until('both have seen a change', async () => {
          count += 1;
          const patch = JSON.stringify({ data: { [`y${count}`]: '2' } });
          await kubectl.run(namespace, ['patch', 'cm', 'a', '-p', patch]);
          const seen = [all, only].map((it) => /^a +[2-9]/m.test(it.text()));
          return seen.every(Boolean);
        });
        assert.doesNotMatch(only.text(), /^a +1 /m);
      } finally {
        all.stop();
        only.stop();
      }
    },
    'what is not there': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const none = await kubectl.try(namespace, ['get', 'cm', 'none']);
      assert.deepEqual(none, {
        code: 1,
        stdout: '',
        stderr: 'Error from server (NotFound): configmaps "none" not found\n',
      });
      const empty = await kubectl.try(namespace, ['get', 'secrets']);
      assert.equal(empty.stderr, `No resources found in ${namespace} namespace.\n`);
      const unknown = await kubectl.try(namespace, ['get', 'frobs']);
      assert.equal(unknown.stderr, 'error: the server doesn\'t have a resource type "frobs"\n');
    },
    'auth can-i, auth whoami and version': async ({ kubectl }) => {
      assert.equal(await kubectl.run('', ['auth', 'can-i', 'create', 'deployments']), 'yes\n');
      assert.match(await kubectl.run('', ['auth', 'whoami']), /system:masters/);
      assert.match(await kubectl.run('', ['version']), /Server Version: v1\.\d+\.\d+/);
    },
  },
};
