import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { ApiError } from '../../src/kube/api-error.ts';
import { connect } from '../../src/kube/config.ts';
import type { ConnectOptions, Credentials, KubeConnection } from '../../src/kube/config.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aviary-config-'));
});
after(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();
let files = 0;

async function write(text: string, name = `file-${(files += 1)}`): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Parts {
  readonly server?: string;
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: string;
  readonly more?: object;
}

/** A kubeconfig (JSON is YAML) of one cluster, one user, one context. */
function kubeconfig({
  server = 'https://api.example:6443',
  cluster = {},
  user = { token: 'hunter2' },
  context = 'x',
  more = {},
}: Parts = {}): Promise<string> {
  return write(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
      'current-context': context,
      ...more,
    }),
  );
}

function connectTo(options: Partial<ConnectOptions>): KubeConnection {
  return connect({
    kubeconfig: '',
    master: '',
    environment: {},
    serviceAccountFolder: join(folder, 'no-pod'),
    clock: createVirtualClock(),
    ...options,
  });
}

const signed = (options: Partial<ConnectOptions>): Promise<Credentials> =>
  connectTo(options).sign(signal);

// A user of a kubeconfig, and what its requests carry.
const users: Record<string, [object, Credentials['headers']]> = {
  'a token': [{ token: 'hunter2' }, { authorization: 'Bearer hunter2' }],
  'a password': [
    { username: 'ann', password: 'pw' },
    { authorization: `Basic ${base64('ann:pw')}` },
  ],
  nobody: [{}, {}],
  'an impersonator': [
    { token: 't', as: 'ann' },
    { authorization: 'Bearer t', 'impersonate-user': 'ann' },
  ],
};
for (const [name, [user, headers]] of Object.entries(users)) {
  test(`signs as ${name}`, async () => {
    assert.deepEqual((await signed({ kubeconfig: await kubeconfig({ user }) })).headers, headers);
  });
}

test('signs with client certificates, inline and from files beside the kubeconfig', async () => {
  const cluster = { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'api.internal' };
  const inline = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
  const tls = { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'api.internal' };
  assert.deepEqual(
    (await signed({ kubeconfig: await kubeconfig({ cluster, user: inline }) })).tls,
    tls,
  );

  await write('CERT', 'client.crt');
  await write('KEY', 'client.key');
  const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };
  assert.deepEqual((await signed({ kubeconfig: await kubeconfig({ cluster, user }) })).tls, tls);
});

test('knows the cluster also where the context has no user', async () => {
  const cluster = { 'certificate-authority-data': base64('CA') };
  const contexts = [{ name: 'x', context: { cluster: 'c' } }];
  const { tls, headers } = await signed({
    kubeconfig: await kubeconfig({ cluster, more: { contexts } }),
  });
  assert.deepEqual({ tls, headers }, { tls: { ca: 'CA' }, headers: {} });
});

test('says which server and which namespace', async () => {
  const file = await kubeconfig({ server: 'https://rancher.example/k8s/clusters/c-1/' });
  const connection = connectTo({ kubeconfig: file });
  assert.equal(connection.server.href, 'https://rancher.example/k8s/clusters/c-1');
  assert.equal(connection.namespace, 'shop');
});

test('--master stands in for the address, and keeps the credentials', async () => {
  const connection = connectTo({
    kubeconfig: await kubeconfig(),
    master: 'https://other.example:1',
  });
  assert.equal(connection.server.href, 'https://other.example:1/');
  assert.equal((await connection.sign(signal)).headers['authorization'], 'Bearer hunter2');
  assert.equal(connectTo({ master: 'http://127.0.0.1:8001' }).server.port, '8001');
});

test('the flag goes before KUBECONFIG, and that before the pod', async () => {
  const flag = await kubeconfig({ server: 'https://flag' });
  const variable = await kubeconfig({ server: 'https://variable' });
  const environment = {
    KUBECONFIG: variable,
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    KUBERNETES_SERVICE_PORT: '443',
  };
  const serviceAccountFolder = await pod('token');
  const all = { kubeconfig: flag, environment, serviceAccountFolder };
  assert.equal(connectTo(all).server.hostname, 'flag');
  assert.equal(connectTo({ ...all, kubeconfig: '' }).server.hostname, 'variable');
  const { KUBECONFIG: _, ...bare } = environment;
  assert.equal(connectTo({ serviceAccountFolder, environment: bare }).server.hostname, '10.0.0.1');
});

test('merges the files of KUBECONFIG: first come, first kept; missing ones are left out', async () => {
  const first = await kubeconfig({ server: 'https://first', context: '' });
  const second = await kubeconfig({
    server: 'https://second',
    more: { users: [{ name: 'v', user: {} }] },
  });
  const environment = { KUBECONFIG: [join(folder, 'nowhere'), first, second].join(delimiter) };
  const connection = connectTo({ environment });
  assert.equal(connection.server.hostname, 'first');
  assert.equal((await connection.sign(signal)).headers['authorization'], 'Bearer hunter2');
});

async function pod(token: string): Promise<string> {
  const account = join(folder, `pod-${(files += 1)}`);
  await mkdir(account);
  await Promise.all([
    writeFile(join(account, 'token'), token),
    writeFile(join(account, 'ca.crt'), 'CA'),
    writeFile(join(account, 'namespace'), 'aviary\n'),
  ]);
  return account;
}

test('in a pod: its token, trimmed, its authority, its namespace, an IPv6 address', async () => {
  const serviceAccountFolder = await pod('hunter2\n');
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
  const connection = connectTo({ serviceAccountFolder, environment });
  assert.equal(connection.server.href, 'https://[fd00::1]:6443/');
  assert.equal(connection.namespace, 'aviary');
  const { headers, tls } = await connection.sign(signal);
  assert.deepEqual(headers, { authorization: 'Bearer hunter2' });
  assert.deepEqual(tls, { ca: 'CA' });
});

test('reads a refused token again', async () => {
  const serviceAccountFolder = await pod('old');
  const environment = { KUBERNETES_SERVICE_HOST: 'h', KUBERNETES_SERVICE_PORT: '1' };
  const connection = connectTo({ serviceAccountFolder, environment });
  const old = await connection.sign(signal);
  await writeFile(join(serviceAccountFolder, 'token'), 'new');
  assert.equal(await connection.sign(signal), old, 'it is kept for some seconds');
  connection.rejected(old);
  assert.equal((await connection.sign(signal)).headers['authorization'], 'Bearer new');
  // Somebody else's refusal of what is long replaced.
  const current = await connection.sign(signal);
  connection.rejected(old);
  assert.equal(await connection.sign(signal), current);
});

test('reads the tokenFile of a kubeconfig, beside it, instead of its token', async () => {
  await write('from-file\n', 'token.txt');
  const user = { tokenFile: 'token.txt', token: 'stale' };
  const { headers } = await signed({ kubeconfig: await kubeconfig({ user }) });
  assert.deepEqual(headers, { authorization: 'Bearer from-file' });
});

/** A plugin that notes each run, and prints what `answer` evaluates to. */
async function plugin(
  script: string,
): Promise<{ readonly user: object; readonly runs: () => Promise<number> }> {
  const log = join(folder, `runs-${(files += 1)}`);
  const file = await write(`#!/bin/sh\necho run >> '${log}'\n${script}\n`, `plugin-${files}`);
  await chmod(file, 0o755);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: `./${file.slice(folder.length + 1)}`,
    interactiveMode: 'Never',
  };
  return {
    user: { exec },
    runs: async () => (await readFile(log, 'utf8')).split('\n').length - 1,
  };
}
const credential = (status: object): string => `echo '${JSON.stringify({ status })}'`;

test('runs an exec plugin that names no expiry once, not for each request', async () => {
  const { user, runs } = await plugin(credential({ token: 'from-plugin' }));
  const connection = connectTo({ kubeconfig: await kubeconfig({ user }) });
  const all = await Promise.all([1, 2, 3].map(() => connection.sign(signal)));
  all.push(await connection.sign(signal));
  assert.ok(all.every(({ headers }) => headers['authorization'] === 'Bearer from-plugin'));
  assert.equal(await runs(), 1);
});

test('runs an exec plugin again when its token is refused, though it claims to live', async () => {
  const { user, runs } = await plugin(
    credential({ token: 't', expirationTimestamp: '2099-01-01T00:00:00Z' }),
  );
  const clock = createVirtualClock();
  const connection = connectTo({ kubeconfig: await kubeconfig({ user }), clock });
  connection.rejected(await connection.sign(signal));
  await connection.sign(signal);
  assert.equal(await runs(), 2);
  connection.rejected(await connection.sign(signal));
  await connection.sign(signal);
  assert.equal(await runs(), 2, 'but not for each refusal');
  await clock.advance(10_000);
  await connection.sign(signal);
  assert.equal(await runs(), 3);
});

const failing: Record<string, [string, RegExp]> = {
  fails: [
    'echo no such profile >&2; exit 1',
    /^get credentials of the kubeconfig: no such profile$/,
  ],
  'prints no JSON': ['echo "token: hunter2"', /the plugin did not print a JSON object$/],
};
for (const [name, [script, message]] of Object.entries(failing)) {
  test(`an exec plugin that ${name} is an ApiError without a secret`, async () => {
    const { user } = await plugin(script);
    const signing = signed({ kubeconfig: await kubeconfig({ user }) });
    await assert.rejects(signing, (error) => {
      assert.ok(error instanceof ApiError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2/);
      return error.reason === 'NoCredentials';
    });
  });
}

test('an exec plugin that hangs is waited for only so long, and not started again', async () => {
  const gate = join(folder, 'gate');
  const { user, runs } = await plugin(
    `while [ ! -e '${gate}' ]; do sleep 0.05; done; ${credential({ token: 't' })}`,
  );
  const clock = createVirtualClock();
  const connection = connectTo({ kubeconfig: await kubeconfig({ user }), clock });
  const first = assert.rejects(connection.sign(signal), /no answer within 30 s/);
  await clock.advance(30_000);
  await first;
  const controller = new AbortController();
  const second = assert.rejects(connection.sign(controller.signal), /enough/);
  controller.abort(new Error('enough'));
  await second;
  const third = connection.sign(signal);
  await writeFile(gate, '');
  await third;
  assert.equal(await runs(), 1);
});

// What cannot work, and the error that says what to do.
const refusals: Record<string, [() => Promise<Partial<ConnectOptions>>, RegExp]> = {
  'nothing at all': [
    async () => ({}),
    /pass --kubeconfig FILE \(or set KUBECONFIG\), or run in a pod/,
  ],
  'a file that does not exist': [
    async () => ({ kubeconfig: '/nowhere/config' }),
    /^Error: \/nowhere\/config \(--kubeconfig\) does not exist: name a kubeconfig/,
  ],
  'a KUBECONFIG that does not exist': [
    async () => ({ environment: { KUBECONFIG: '/nowhere/config' } }),
    /\/nowhere\/config \(KUBECONFIG\) does not exist/,
  ],
  'a file that is not YAML': [
    async () => ({ kubeconfig: await write('token: [hunter2') }),
    /is not a kubeconfig: it is not YAML$/,
  ],
  'a file that is empty': [async () => ({ kubeconfig: await write('') }), /is not a kubeconfig/],
  'a cluster without a server': [
    async () => ({ kubeconfig: await write('clusters: [{name: c, cluster: {}}]') }),
    /clusters\[0\]\.cluster\.server is missing$/,
  ],
  'no current context': [
    async () => ({ kubeconfig: await kubeconfig({ context: '' }) }),
    /kubectl config use-context/,
  ],
  'a context that is not there': [
    async () => ({ kubeconfig: await kubeconfig({ context: 'y' }) }),
    /no context y$/,
  ],
  'a cluster that is not there': [
    async () => ({ kubeconfig: await kubeconfig({ more: { clusters: [] } }) }),
    /no cluster c \(context x\)$/,
  ],
  'a user that is not there': [
    async () => ({ kubeconfig: await kubeconfig({ more: { users: [] } }) }),
    /no user u \(context x\)$/,
  ],
  'an address that is no URL': [
    async () => ({ kubeconfig: await kubeconfig(), master: 'api' }),
    /not a URL: api$/,
  ],
  'plain HTTP to another machine': [
    async () => ({ kubeconfig: await kubeconfig({ server: 'http://10.0.0.1' }) }),
    /must be reached by https/,
  ],
  'plain HTTP to what only looks like loopback': [
    async () => ({ kubeconfig: await kubeconfig({ server: 'http://127.0.0.1.example' }) }),
    /must be reached by https/,
  ],
  'a proxy': [
    async () => ({ kubeconfig: await kubeconfig({ cluster: { 'proxy-url': 'http://p' } }) }),
    /proxy-url is not supported$/,
  ],
  'groups to impersonate': [
    async () => ({ kubeconfig: await kubeconfig({ user: { 'as-groups': ['g'] } }) }),
    /as-groups is not supported$/,
  ],
  'a pod without an address': [
    async () => ({ serviceAccountFolder: await pod('t') }),
    /KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set/,
  ],
};
for (const [name, [options, message]] of Object.entries(refusals)) {
  test(`refuses ${name}`, async () => {
    const given = await options();
    assert.throws(
      () => connectTo(given),
      (error) => {
        assert.doesNotMatch(String(error), /hunter2/);
        assert.match(String(error), message);
        return true;
      },
    );
  });
}
