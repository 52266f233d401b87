import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../support/until.ts';
import { findBinaries } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import { startControlPlane } from './control-plane.ts';
import { isAlive } from './lock.ts';
import { controlPlaneOrSkip } from './require.ts';

const execute = promisify(execFile);

const skip = await controlPlaneOrSkip();

interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly level: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string };
}

const deployment = (name: string, annotations: Record<string, string> = {}): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, annotations },
        spec: {
          initContainers: [{ name: 'first', image: 'busybox:1' }],
          containers: [{ name: 'main', image: 'podinfo:6.0.0' }],
        },
      },
    },
  });

/** What kubectl printed; fails the test if kubectl fails. */
async function run(cluster: ControlPlane, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args, { input });
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe('two control planes side by side', { skip, timeout: 120_000 }, () => {
  let one: ControlPlane;
  let two: ControlPlane;
  const inOne = (args: readonly string[], input?: string) => run(one, args, input);
  const podState = (app: string): Promise<string> => {
    const waiting = '{.items[0].status.containerStatuses[0].state.waiting.reason}';
    const ready = '{.items[0].status.conditions[?(@.type=="Ready")].status}';
    return inOne(['get', 'pods', '-l', `app=${app}`, '-o', `jsonpath=${ready} ${waiting}`]);
  };

  before(async () => {
    [one, two] = await Promise.all([
      startControlPlane({ audit: true, nodes: 2 }),
      startControlPlane({ nodes: 0, controllers: false }),
    ]);
  });
  after(() => Promise.all([one?.stop(), two?.stop()]));

  test('is of the version that the clients expect, and ready to be used', async () => {
    const version = JSON.parse(await inOne(['version', '-o', 'json'])) as {
      serverVersion: { major: string; minor: string };
    };
    assert.equal(version.serverVersion.major, '1');
    assert.equal(version.serverVersion.minor, '36');
    assert.match(await inOne(['get', 'nodes']), /node-0 +Ready[^]*node-1 +Ready/);
  });

  test('a Deployment becomes available, and only in the one it was applied to', async () => {
    await inOne(['apply', '-f', '-'], deployment('podinfo'));
    await inOne(['wait', '--for=condition=Available', 'deployment/podinfo', '--timeout=30s']);
    await inOne(['expose', 'deployment/podinfo', '--port=80']);
    await until('the Service has both endpoints', async () => {
      const path = 'jsonpath={.items[*].endpoints[*].addresses[0]}';
      const slices = ['get', 'endpointslices', '-l', 'kubernetes.io/service-name=podinfo'];
      const addresses = (await inOne([...slices, '-o', path])).split(' ');
      return new Set(addresses).size === 2;
    });
    assert.equal(await run(two, ['get', 'deployments', '-o', 'name']), '');
  });

  test('a deleted Deployment goes with all its pods', async () => {
    await inOne(['apply', '-f', '-'], deployment('passing'));
    await inOne(['wait', '--for=condition=Available', 'deployment/passing', '--timeout=30s']);
    await inOne(['delete', 'deployment/passing']);
    await inOne(['wait', '--for=delete', 'pods', '-l', 'app=passing', '--timeout=30s']);
  });

  test('a pod that is told not to become ready does not, until it is told otherwise', async () => {
    await inOne(['apply', '-f', '-'], deployment('never', { 'aviary.test/ready': 'false' }));
    await until('it runs', async () => (await podState('never')).startsWith('False'));
    const wait = ['wait', '--for=condition=Available', 'deployment/never', '--timeout=1s'];
    assert.equal((await one.kubectl(wait)).code, 1);

    await inOne(['annotate', 'pods', '-l', 'app=never', '--overwrite', 'aviary.test/ready=true']);
    await inOne(['wait', '--for=condition=Available', 'deployment/never', '--timeout=30s']);
    await inOne(['annotate', 'pods', '-l', 'app=never', '--overwrite', 'aviary.test/ready=false']);
    await inOne(['wait', '--for=condition=Available=False', 'deployment/never', '--timeout=30s']);
  });

  test('a pod that is told to crash is in CrashLoopBackOff', async () => {
    await inOne(['apply', '-f', '-'], deployment('crash', { 'aviary.test/ready': 'crash' }));
    await until('it crashes', async () => (await podState('crash')) === 'False CrashLoopBackOff');
  });

  test('a pod that is told to take its time becomes ready after it', async () => {
    const startedAtMs = performance.now();
    await inOne(['apply', '-f', '-'], deployment('slow', { 'aviary.test/ready-after': '1500ms' }));
    await inOne(['wait', '--for=condition=Available', 'deployment/slow', '--timeout=30s']);
    assert.ok(performance.now() - startedAtMs > 1_500);
  });

  test('a kubeconfig for a ServiceAccount has the rights of the account and no others', async () => {
    await inOne(['create', 'serviceaccount', 'reader']);
    await inOne(['create', 'role', 'reader', '--verb=get', '--resource=configmaps']);
    await inOne([
      'create',
      'rolebinding',
      'reader',
      '--role=reader',
      '--serviceaccount=default:reader',
    ]);
    const path = await one.kubeconfigFor({ namespace: 'default', name: 'reader' });
    const asReader = (args: readonly string[]) => one.kubectl(['--kubeconfig', path, ...args]);
    assert.equal((await asReader(['get', 'configmap', 'kube-root-ca.crt'])).code, 0);
    assert.match((await asReader(['get', 'secrets'])).stderr, /Forbidden.*default:reader/);
    const nobody = { namespace: 'default', name: 'nobody' };
    await assert.rejects(one.kubeconfigFor(nobody), /default\/nobody.*not found/);
  });

  test('the audit log has one line per request: who did what', async () => {
    await inOne(['create', 'configmap', 'audited']);
    const lines = (await readFile(one.auditLogPath ?? '', 'utf8')).trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line) as AuditEvent);
    const creations = events.filter(
      ({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'audited',
    );
    assert.deepEqual(
      creations.map(({ stage, level, user }) => [stage, level, user.username]),
      [['ResponseComplete', 'Metadata', 'kubernetes-admin']],
    );
    assert.ok(events.every(({ stage }) => stage !== 'RequestReceived'));
    const users = new Set(events.map(({ user }) => user.username));
    assert.ok(users.has('system:serviceaccount:kube-system:deployment-controller'));
    assert.equal(two.auditLogPath, undefined);
  });
});

describe('the end of a control plane', { skip, timeout: 60_000 }, () => {
  test('stop leaves no process and no file', async () => {
    const cluster = await startControlPlane();
    const pids = Object.values(cluster.pids);
    assert.equal(pids.length, 5);
    assert.ok(pids.every(isAlive));
    await cluster.stop();
    await cluster.stop();
    assert.ok(!pids.some(isAlive));
    await assert.rejects(access(cluster.directory));
  });

  test('what does not start is named, with its log, and leaves no process', async () => {
    const extraApiServerArgs = ['--no-such-flag'];
    const error = await startControlPlane({ nodes: 0, extraApiServerArgs }).then(
      () => assert.fail('it started'),
      (reason: Error) => reason,
    );
    const [, directory = ''] = /logs: (\S+)/.exec(error.message) ?? [];
    await rm(directory, { recursive: true });
    assert.match(error.message, /kube-apiserver ended with code 1.*kube-apiserver\.log/);
    assert.match(error.message, /unknown flag: --no-such-flag/);
  });
});

describe('a control plane in the background', { skip, timeout: 60_000 }, () => {
  test('up starts one, once; env names it; down ends it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'aviary-background-'));
    const search = await findBinaries();
    assert.ok(search.found);
    for (const [name, path] of Object.entries(search.binaries)) {
      await symlink(path, join(directory, name));
    }
    const env = { ...process.env, KUBEBUILDER_ASSETS: directory, AVIARY_CACHE: directory };
    const main = async (command: string): Promise<string> => {
      const path = join(import.meta.dirname, 'main.ts');
      const { stdout } = await execute(process.execPath, ['--import', 'tsx', path, command], {
        env,
      });
      return stdout;
    };
    await assert.rejects(main('env'), /none runs/);
    const line = await main('up');
    const [, kubeconfig = ''] = /^export KUBECONFIG=(\S+)\n$/.exec(line) ?? [];
    try {
      assert.equal(await main('up'), line);
      assert.equal(await main('env'), line);
      const args = ['--kubeconfig', kubeconfig, 'get', 'nodes', '-o', 'name'];
      assert.equal((await execute(search.binaries.kubectl, args)).stdout, 'node/node-0\n');
    } finally {
      assert.equal(await main('down'), 'stopped\n');
    }
    await assert.rejects(access(kubeconfig));
    assert.equal(await main('down'), 'none runs\n');
    await rm(directory, { recursive: true });
  });
});
