/** What people watch: kubectl's rollouts, to their end and back. */
import assert from 'node:assert/strict';
import { table } from './kubectl.ts';
import { deployment } from './paths.ts';
import type { Chapter, Ground } from './site.ts';

/** A Deployment in `default` that is rolled out, and kubectl. */
async function started(ground: Ground, replicas = 2) {
  const name = ground.name('rolling');
  const run = (...args: readonly string[]) => ground.kubectl.run('', args);
  await ground.kubectl.run(
    '',
    ['create', '-f', '-'],
    JSON.stringify(deployment(name, { replicas })),
  );
  const status = () => run('rollout', 'status', `deployment/${name}`, '--timeout=20s');
  await status();
  const imageOf = () =>
    run('get', 'deploy', name, '-o', 'jsonpath={.spec.template.spec.containers[0].image}');
  const setImage = (image: string) => run('set', 'image', `deployment/${name}`, `main=${image}`);
  return { name, object: `deployment/${name}`, run, status, imageOf, setImage };
}

export const kubectlRollout: Chapter = {
  title: 'kubectl rolls out',
  needsKubectl: true,
  tests: {
    'set image, rollout status': async (ground) => {
      const { name, setImage, status, imageOf, run } = await started(ground);
      assert.equal(await setImage('podinfo:6.0.1'), `deployment.apps/${name} image updated\n`);
      assert.match(await status(), new RegExp(`deployment "${name}" successfully rolled out\\n$`));
      assert.equal(await imageOf(), 'podinfo:6.0.1');
      const sets = await run('get', 'rs', '-l', `app=${name}`, '--no-headers', '-o', 'wide');
      assert.deepEqual(
        table(sets)
          .map((row) => `${row[1]} ${row[6]}`)
          .toSorted(),
        ['0 podinfo:6.0.0', '2 podinfo:6.0.1'],
      );
    },
    'rollout history, undo, and to a revision': async (ground) => {
      const { name, object, setImage, status, imageOf, run } = await started(ground);
      await setImage('podinfo:6.0.1');
      await status();
      await run('annotate', object, 'kubernetes.io/change-cause=because');
      const history = table(await run('rollout', 'history', object));
      assert.deepEqual(history.slice(1), [
        ['REVISION', 'CHANGE-CAUSE'],
        ['1', '<none>'],
        ['2', 'because'],
      ]);
      const revision = await run('rollout', 'history', object, '--revision=1');
      assert.match(
        revision,
        new RegExp(`^deployment.apps/${name} with revision #1\nPod Template:\n`),
      );
      assert.match(revision, /Image:\tpodinfo:6\.0\.0\n/);
      assert.equal(await run('rollout', 'undo', object), `deployment.apps/${name} rolled back\n`);
      await status();
      assert.equal(await imageOf(), 'podinfo:6.0.0');
      await run('rollout', 'undo', object, '--to-revision=2');
      await status();
      assert.equal(await imageOf(), 'podinfo:6.0.1');
    },
    'rollout restart': async (ground) => {
      const { name, object, status, run } = await started(ground);
      assert.equal(await run('rollout', 'restart', object), `deployment.apps/${name} restarted\n`);
      await status();
      const sets = await run('get', 'rs', '-l', `app=${name}`, '-o', 'name');
      assert.equal(sets.trimEnd().split('\n').length, 2);
      const template = await run('get', object, '-o', 'jsonpath={.spec.template.metadata}');
      assert.match(template, /"kubectl\.kubernetes\.io\/restartedAt":"\d{4}-/);
    },
    'rollout pause and resume': async (ground) => {
      const { name, object, setImage, status, run } = await started(ground);
      assert.equal(await run('rollout', 'pause', object), `deployment.apps/${name} paused\n`);
      await setImage('podinfo:6.0.1');
      const again = await ground.kubectl.try('', ['rollout', 'pause', object]);
      assert.match(again.stderr, /deployments\.apps "rolling-\d+" is already paused/);
      assert.equal(await run('rollout', 'resume', object), `deployment.apps/${name} resumed\n`);
      assert.match(await status(), /successfully rolled out\n$/);
    },
    'scale, with and without an expectation': async (ground) => {
      const { name, object, status, run } = await started(ground, 1);
      assert.equal(await run('scale', object, '--replicas=3'), `deployment.apps/${name} scaled\n`);
      await status();
      const wrong = await ground.kubectl.try('', [
        'scale',
        object,
        '--current-replicas=2',
        '--replicas=1',
      ]);
      assert.equal(wrong.stderr, 'error: Expected replicas to be 2, was 3\n');
      assert.equal(await run('get', object, '-o', 'jsonpath={.status.readyReplicas}'), '3');
    },
    'wait for conditions': async (ground) => {
      const { name, object, run } = await started(ground, 1);
      assert.equal(
        await run('wait', '--for=condition=Available', object, '--timeout=20s'),
        `deployment.apps/${name} condition met\n`,
      );
      const pods = ['wait', '--for=condition=Ready', 'pods', '-l', `app=${name}`, '--timeout=20s'];
      assert.match(await run(...pods), /^pod\/rolling-\S+ condition met\n$/);
      const never = ['wait', '--for=condition=Available=False', object, '--timeout=1s'];
      const { code, stderr } = await ground.kubectl.try('', never);
      assert.deepEqual(
        [code, stderr],
        [1, `error: timed out waiting for the condition on deployments/${name}\n`],
      );
    },
    'a DaemonSet, there and back': async (ground) => {
      const name = ground.name('daemon');
      const object = `daemonset/${name}`;
      const run = (...args: readonly string[]) => ground.kubectl.run('', args);
      const { spec } = deployment(name) as { readonly spec: Readonly<Record<string, unknown>> };
      const { selector, template } = spec;
      const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name } };
      const body = JSON.stringify({ ...daemonSet, spec: { selector, template } });
      await ground.kubectl.run('', ['create', '-f', '-'], body);
      const status = () => run('rollout', 'status', object, '--timeout=20s');
      const done = `daemon set "${name}" successfully rolled out\n`;
      assert.ok((await status()).endsWith(done));
      await run('set', 'image', object, 'main=podinfo:6.0.1');
      assert.ok((await status()).endsWith(done));
      const revisions = async (): Promise<readonly string[]> =>
        table(await run('rollout', 'history', object)).flatMap(([first = '']) =>
          /^\d+$/.test(first) ? [first] : [],
        );
      assert.deepEqual(await revisions(), ['1', '2']);
      assert.equal(await run('rollout', 'undo', object), `daemonset.apps/${name} rolled back\n`);
      assert.ok((await status()).endsWith(done));
      const path = 'jsonpath={.spec.template.spec.containers[0].image}';
      assert.equal(await run('get', object, '-o', path), 'podinfo:6.0.0');
      await ground.until('it is the newest revision', async () => {
        const found = await revisions();
        return found.length === 2 && found.includes('3');
      });
    },
    'delete takes everything along': async (ground) => {
      const { name, object, run } = await started(ground, 1);
      const deleted = await run('delete', object, '--cascade=foreground', '--timeout=20s');
      assert.equal(deleted, `deployment.apps "${name}" deleted from default namespace\n`);
      const left = await run('get', 'rs,pods', '-l', `app=${name}`, '-o', 'name');
      assert.equal(left, '');
    },
    autoscale: async (ground) => {
      const { name, object, run } = await started(ground, 1);
      assert.equal(
        await run('autoscale', object, '--min=1', '--max=3', '--cpu=80%'),
        `horizontalpodautoscaler.autoscaling/${name} autoscaled\n`,
      );
      const [head, row] = table(await run('get', 'hpa', name));
      assert.deepEqual(head, [
        'NAME',
        'REFERENCE',
        'TARGETS',
        'MINPODS',
        'MAXPODS',
        'REPLICAS',
        'AGE',
      ]);
      assert.deepEqual(row?.slice(0, 5), [
        name,
        `Deployment/${name}`,
        'cpu: <unknown>/80%',
        '1',
        '3',
      ]);
      await run('delete', 'hpa', name);
    },
  },
};
