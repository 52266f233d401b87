/** What people do: kubectl's writes, and what it says about them. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configMap, deployment } from './paths.ts';
import type { Chapter, Ground } from './site.ts';
import { defineWidgets } from './widgets.ts';

/** kubectl in a namespace of its own. */
async function inside(ground: Ground) {
  const namespace = await ground.namespace();
  return {
    namespace,
    run: (...args: readonly string[]) => ground.kubectl.run(namespace, args),
    attempt: (...args: readonly string[]) => ground.kubectl.try(namespace, args),
    feed: (object: object, ...args: readonly string[]) =>
      ground.kubectl.run(namespace, [...args, '-f', '-'], JSON.stringify(object)),
    tryFeed: (object: object, ...args: readonly string[]) =>
      ground.kubectl.try(namespace, [...args, '-f', '-'], JSON.stringify(object)),
  };
}

const app = (choice: object = {}): object => deployment('web', { replicas: 0, ...choice });

export const kubectlWrite: Chapter = {
  title: 'kubectl writes',
  needsKubectl: true,
  tests: {
    'apply: created, unchanged, configured; what is left out goes, what others set stays': async (
      ground,
    ) => {
      const { run, feed } = await inside(ground);
      const first = configMap('a', { x: '1', y: '1' });
      assert.equal(await feed(first, 'apply'), 'configmap/a created\n');
      assert.equal(await feed(first, 'apply'), 'configmap/a unchanged\n');
      await run('patch', 'cm', 'a', '-p', '{"data":{"z":"9"}}');
      assert.equal(await feed(configMap('a', { x: '2' }), 'apply'), 'configmap/a configured\n');
      assert.equal(await run('get', 'cm', 'a', '-o', 'jsonpath={.data}'), '{"x":"2","z":"9"}');
    },
    'apply: containers merge by name': async (ground) => {
      const { run, feed } = await inside(ground);
      await feed(app(), 'apply');
      await run('set', 'env', 'deployment/web', 'A=1');
      assert.equal(
        await feed(app({ image: 'podinfo:6.0.1' }), 'apply'),
        'deployment.apps/web configured\n',
      );
      const path = 'jsonpath={.spec.template.spec.containers[0].image} {..env[0].name}';
      assert.equal(await run('get', 'deploy', 'web', '-o', path), 'podinfo:6.0.1 A');
    },
    'apply --server-side: conflicts are told, and can be forced': async (ground) => {
      const { run, feed, tryFeed } = await inside(ground);
      const serverSide = ['apply', '--server-side'];
      assert.equal(await feed(app(), ...serverSide), 'deployment.apps/web serverside-applied\n');
      await run('scale', 'deployment/web', '--replicas=0');
      await run('set', 'image', 'deployment/web', 'main=podinfo:9');
      const refused = await tryFeed(app(), ...serverSide);
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /^error: Apply failed with 1 conflict: conflict with "kubectl-set" using apps\/v1: \.spec\.template\.spec\.containers\[name="main"\]\.image\n/,
      );
      await feed(app(), ...serverSide, '--force-conflicts');
      const path = 'jsonpath={.spec.template.spec.containers[0].image}';
      assert.equal(await run('get', 'deploy', 'web', '-o', path), 'podinfo:6.0.0');
    },
    'apply of a custom object': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const { widget, resource, group } = await defineWidgets(ground, namespace);
      const feed = (spec: object) =>
        kubectl.run(namespace, ['apply', '-f', '-'], JSON.stringify(widget('a', { spec })));
      assert.equal(await feed({ x: 1, y: 1 }), `widget.${group}/a created\n`);
      assert.equal(await feed({ x: 2 }), `widget.${group}/a configured\n`);
      const spec = await kubectl.run(namespace, ['get', resource, 'a', '-o', 'jsonpath={.spec}']);
      assert.equal(spec, '{"x":2}');
    },
    'create, replace, delete': async (ground) => {
      const { run, feed, attempt } = await inside(ground);
      assert.equal(
        await run('create', 'configmap', 'a', '--from-literal=x=1'),
        'configmap/a created\n',
      );
      const taken = await attempt('create', 'configmap', 'a');
      assert.match(
        taken.stderr,
        /^error: failed to create configmap: configmaps "a" already exists\n/,
      );
      assert.equal(await feed(configMap('a', { y: '2' }), 'replace'), 'configmap/a replaced\n');
      assert.equal(await run('get', 'cm', 'a', '-o', 'jsonpath={.data}'), '{"y":"2"}');
      assert.match(await run('delete', 'cm', 'a'), /^configmap "a" deleted/);
      const gone = await attempt('delete', 'cm', 'a');
      assert.equal(gone.stderr, 'Error from server (NotFound): configmaps "a" not found\n');
      const secret = await run('create', 'secret', 'generic', 's', '--from-literal=x=1');
      assert.equal(secret, 'secret/s created\n');
      assert.match(await run('delete', 'secret', '--all'), /^secret "s" deleted/);
    },
    'create deployment and service, from arguments': async (ground) => {
      const { run } = await inside(ground);
      assert.equal(
        await run('create', 'deployment', 'web', '--image=podinfo:6', '--replicas=0', '--port=80'),
        'deployment.apps/web created\n',
      );
      assert.equal(
        await run('expose', 'deployment/web', '--port=80', '--target-port=9898'),
        'service/web exposed\n',
      );
      assert.equal(
        await run('get', 'svc', 'web', '-o', 'jsonpath={.spec.selector}'),
        '{"app":"web"}',
      );
    },
    'patch: strategic, merge and JSON': async (ground) => {
      const { run, feed } = await inside(ground);
      await feed(app(), 'create');
      const image = (text: string): string =>
        JSON.stringify({
          spec: { template: { spec: { containers: [{ name: 'main', image: text }] } } },
        });
      assert.equal(
        await run('patch', 'deploy', 'web', '-p', image('b')),
        'deployment.apps/web patched\n',
      );
      assert.equal(
        await run('patch', 'deploy', 'web', '-p', image('b')),
        'deployment.apps/web patched (no change)\n',
      );
      const merge = '{"spec":{"minReadySeconds":3}}';
      await run('patch', 'deploy', 'web', '--type=merge', '-p', merge);
      const json = '[{"op":"replace","path":"/spec/minReadySeconds","value":4}]';
      await run('patch', 'deploy', 'web', '--type=json', '-p', json);
      const path = 'jsonpath={.spec.minReadySeconds} {..containers[0].image} {..containerPort}';
      assert.equal(await run('get', 'deploy', 'web', '-o', path), '4 b 9898');
      const status = '{"status":{"collisionCount":7}}';
      await run('patch', 'deploy', 'web', '--subresource=status', '--type=merge', '-p', status);
    },
    'edit, as an editor does it': async (ground) => {
      const { namespace, run } = await inside(ground);
      await run('create', 'configmap', 'a', '--from-literal=x=one');
      const editor = join(ground.directory, `${namespace}-editor`);
      await writeFile(editor, '#!/bin/sh\nsed -i s/one/two/ "$1"\n', { mode: 0o755 });
      const edited = await ground.kubectl.run(namespace, ['edit', 'cm', 'a'], '', {
        KUBE_EDITOR: editor,
      });
      assert.equal(edited, 'configmap/a edited\n');
      assert.equal(await run('get', 'cm', 'a', '-o', 'jsonpath={.data.x}'), 'two');
    },
    'label and annotate': async (ground) => {
      const { run, attempt } = await inside(ground);
      await run('create', 'configmap', 'a');
      assert.equal(await run('label', 'cm', 'a', 'x=1'), 'configmap/a labeled\n');
      const refused = await attempt('label', 'cm', 'a', 'x=2');
      assert.match(refused.stderr, /'x' already has a value \(1\), and --overwrite is false/);
      assert.equal(await run('label', 'cm', 'a', 'x=2', '--overwrite'), 'configmap/a labeled\n');
      assert.equal(await run('label', 'cm', 'a', 'x-'), 'configmap/a unlabeled\n');
      assert.equal(await run('annotate', 'cm', 'a', 'note=hello you'), 'configmap/a annotated\n');
      const path = 'jsonpath={.metadata.annotations.note}';
      assert.equal(await run('get', 'cm', 'a', '-o', path), 'hello you');
    },
    'dry runs on the server, and diff': async (ground) => {
      const { run, feed, tryFeed } = await inside(ground);
      const created = await feed(configMap('a', { x: '1' }), 'apply', '--dry-run=server');
      assert.equal(created, 'configmap/a created (server dry run)\n');
      assert.equal(await run('get', 'cm', '--ignore-not-found', 'a'), '');
      await feed(configMap('a', { x: '1' }), 'apply');
      const same = await tryFeed(configMap('a', { x: '1' }), 'diff');
      assert.deepEqual([same.code, same.stdout], [0, '']);
      const other = await tryFeed(configMap('a', { x: '2' }), 'diff');
      assert.equal(other.code, 1);
      assert.match(other.stdout, /^- {2}x: "1"\n\+ {2}x: "2"\n/m);
      assert.equal(await run('get', 'cm', 'a', '-o', 'jsonpath={.data.x}'), '1');
    },
    'a dry run of a deletion deletes nothing': async (ground) => {
      const { run } = await inside(ground);
      await run('create', 'configmap', 'a');
      const deleted = await run('delete', 'cm', 'a', '--dry-run=server');
      assert.match(deleted, /^configmap "a" deleted .*\(server dry run\)\n$/);
      assert.equal(await run('get', 'cm', 'a', '-o', 'name'), 'configmap/a\n');
    },
    'a kind that nobody defined': async (ground) => {
      const { tryFeed } = await inside(ground);
      const object = { apiVersion: 'none.test/v1', kind: 'None', metadata: { name: 'a' } };
      const { code, stderr } = await tryFeed(object, 'apply');
      assert.equal(code, 1);
      assert.equal(
        stderr,
        'error: resource mapping not found for name: "a" namespace: "" from "STDIN": no matches for kind "None" in version "none.test/v1"\nensure CRDs are installed first\n',
      );
    },
    'what is wrong is told as it is': async (ground) => {
      const { tryFeed } = await inside(ground);
      const unknown = await tryFeed({ ...configMap('a'), dat: {} }, 'create');
      assert.equal(
        unknown.stderr,
        'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"\n',
      );
      const wrong = { metadata: { name: 'a' }, spec: { replicas: -1 } };
      const refused = await tryFeed(
        { apiVersion: 'apps/v1', kind: 'Deployment', ...wrong },
        'create',
      );
      assert.equal(
        refused.stderr,
        'The Deployment "a" is invalid: \n' +
          '* spec.replicas: Invalid value: -1: must be greater than or equal to 0\n' +
          '* spec.selector: Required value\n' +
          '* spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`\n' +
          '* spec.template.spec.containers: Required value\n',
      );
    },
    'wait for a deletion, and for a field': async (ground) => {
      const { namespace, run } = await inside(ground);
      await run('create', 'configmap', 'a');
      const metadata = '{"metadata":{"finalizers":["conformance.test/held"]}}';
      await run('patch', 'cm', 'a', '-p', metadata);
      await run('delete', 'cm', 'a', '--wait=false');
      const waiting = ground.kubectl.run(namespace, [
        'wait',
        '--for=delete',
        'cm/a',
        '--timeout=20s',
      ]);
      await run('patch', 'cm', 'a', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
      await waiting;
      await run('create', 'configmap', 'b');
      const field = ground.kubectl.run(namespace, [
        'wait',
        '--for=jsonpath={.data.x}=1',
        'cm/b',
        '--timeout=20s',
      ]);
      await run('patch', 'cm', 'b', '-p', '{"data":{"x":"1"}}');
      assert.equal(await field, 'configmap/b condition met\n');
    },
    'namespaces come and go': async ({ kubectl, name }) => {
      const namespace = name('passing');
      assert.equal(
        await kubectl.run('', ['create', 'namespace', namespace]),
        `namespace/${namespace} created\n`,
      );
      await kubectl.run(namespace, ['create', 'configmap', 'a']);
      const deleted = await kubectl.run('', ['delete', 'namespace', namespace]);
      assert.equal(deleted, `namespace "${namespace}" deleted\n`);
      const gone = await kubectl.try('', ['get', 'namespace', namespace]);
      assert.equal(gone.code, 1);
    },
  },
};
