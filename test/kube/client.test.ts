import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { ConfigMap, NamespacedName } from '../../src/api/kubernetes.ts';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isThrottled,
  isTimeout,
} from '../../src/kube/api-error.ts';
import type { KubeClient, Patch } from '../../src/kube/client.ts';
import { lineBytesMax } from '../../src/kube/json-lines.ts';
import {
  canaries,
  configMaps,
  deployments,
  namespaces,
  virtualServices,
} from '../../src/kube/resources.ts';
import { repeatAfterMs } from '../../src/kube/transport.ts';
import { until } from '../support/until.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import {
  clientFor,
  connectionTo,
  json,
  startScriptedServer,
  status,
  watchOf,
} from './scripted-server.ts';
import type { Answerer, Call, ScriptedServer } from './scripted-server.ts';

let api: ScriptedServer;
before(async () => {
  api = await startScriptedServer();
});
after(() => api.close());
const clients: KubeClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  api.requests.length = 0;
  api.script.length = 0;
});

const { signal } = new AbortController();
const key: NamespacedName = { namespace: 'shop', name: 'a' };
const found: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'shop', name: 'a', resourceVersion: '7' },
  data: { umlaut: 'grün' },
};

function setUp(...script: readonly Answerer[]): {
  client: KubeClient;
  calls: Call[];
  clock: ReturnType<typeof createVirtualClock>;
  connection: ReturnType<typeof connectionTo>;
} {
  api.script.push(...script);
  const clock = createVirtualClock();
  const connection = connectionTo(api.url);
  const { client, calls } = clientFor(connection, clock);
  clients.push(client);
  return { client, calls, clock, connection };
}

/** Breaks the connection without an answer. */
const cut: Answerer = (response) => void response.socket?.destroy();
const silence: Answerer = () => undefined;

function rejection(promise: Promise<unknown>): Promise<ApiError> {
  return promise.then(
    () => assert.fail('it should have been rejected'),
    (error: unknown) => {
      assert.ok(error instanceof ApiError, String(error));
      return error;
    },
  );
}

// Which request each call makes: method, path, query, content type, body.
type Wire = readonly [string, string, string, string | undefined, unknown];
const wires: Record<string, [(client: KubeClient) => Promise<unknown>, Wire]> = {
  'get in the core group': [
    (client) => client.get(configMaps, key, { signal }),
    ['GET', '/api/v1/namespaces/shop/configmaps/a', '', undefined, ''],
  ],
  'get in a group': [
    (client) => client.get(deployments, key, { signal }),
    ['GET', '/apis/apps/v1/namespaces/shop/deployments/a', '', undefined, ''],
  ],
  'get at cluster scope': [
    (client) => client.get(namespaces, { namespace: 'ignored', name: 'a' }, { signal }),
    ['GET', '/api/v1/namespaces/a', '', undefined, ''],
  ],
  'get by a name that needs escaping': [
    (client) => client.get(configMaps, { namespace: 'shop', name: 'a/../b' }, { signal }),
    ['GET', '/api/v1/namespaces/shop/configmaps/a%2F..%2Fb', '', undefined, ''],
  ],
  create: [
    (client) => client.create(configMaps, found, { signal }),
    [
      'POST',
      '/api/v1/namespaces/shop/configmaps',
      'fieldManager=aviary',
      'application/json',
      found,
    ],
  ],
  'merge patch of a status': [
    (client) =>
      client.patch(
        canaries,
        key,
        { type: 'merge', body: { status: {} } },
        { signal, subresource: 'status' },
      ),
    [
      'PATCH',
      '/apis/flagger.app/v1beta1/namespaces/shop/canaries/a/status',
      'fieldManager=aviary',
      'application/merge-patch+json',
      { status: {} },
    ],
  ],
  'server-side apply': [
    (client) =>
      client.patch(virtualServices, key, { type: 'apply', body: found, force: true }, { signal }),
    [
      'PATCH',
      '/apis/networking.istio.io/v1beta1/namespaces/shop/virtualservices/a',
      'fieldManager=aviary&force=true',
      'application/apply-patch+yaml',
      found,
    ],
  ],
  'JSON patch': [
    (client) =>
      client.patch(
        configMaps,
        key,
        { type: 'json', body: [{ op: 'remove', path: '/data/x' }] },
        { signal },
      ),
    [
      'PATCH',
      '/api/v1/namespaces/shop/configmaps/a',
      'fieldManager=aviary',
      'application/json-patch+json',
      [{ op: 'remove', path: '/data/x' }],
    ],
  ],
  'delete with its precondition': [
    (client) => client.delete(configMaps, key, { signal, uid: 'u', propagation: 'Background' }),
    [
      'DELETE',
      '/api/v1/namespaces/shop/configmaps/a',
      '',
      'application/json',
      {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: 'u' },
        propagationPolicy: 'Background',
      },
    ],
  ],
};
for (const [name, [call, [method, path, query, type, body]]] of Object.entries(wires)) {
  test(`sends: ${name}`, async () => {
    const { client } = setUp(json(found));
    await call(client);
    const [request] = api.requests;
    assert.equal(`${request?.method} ${request?.path}`, `${method} ${path}`);
    assert.equal(request?.query.toString(), query);
    assert.equal(request?.headers['content-type'], type);
    assert.deepEqual(body === '' ? request?.body : JSON.parse(request?.body ?? ''), body);
    assert.equal(request?.headers['user-agent'], 'aviary/test');
    assert.equal(request?.headers.authorization, 'Bearer secret-0');
  });
}

test('answers plain JSON with its kind, whatever the answer calls itself', async () => {
  const { client, calls } = setUp(
    json({ ...found, kind: 'PartialObjectMetadata', brandNew: { x: 1 } }),
  );
  assert.deepEqual(await client.get(configMaps, key, { signal }), { ...found, brandNew: { x: 1 } });
  assert.deepEqual(calls, [{ verb: 'get', resource: 'configmaps', code: 200 }]);
});

test('lists by page, with kinds put back into items', async () => {
  const { apiVersion: _, kind: __, ...item } = found;
  const { client } = setUp(
    json({ items: [item], metadata: { resourceVersion: '9', continue: 'a&b' } }),
    json({ items: null, metadata: { resourceVersion: '9' } }),
  );
  const options = { labelSelector: 'app in (a, b)', limit: 1, signal };
  const first = await client.list(configMaps, options);
  assert.deepEqual(first, { items: [found], resourceVersion: '9', continueToken: 'a&b' });
  const last = await client.list(configMaps, { ...options, continueToken: first.continueToken });
  assert.deepEqual(last, { items: [], resourceVersion: '9', continueToken: undefined });
  assert.equal(api.requests[0]?.path, '/api/v1/configmaps');
  assert.equal(api.requests[1]?.query.get('continue'), 'a&b');
  assert.equal(api.requests[1]?.query.get('labelSelector'), 'app in (a, b)');
});

test('asks for metadata only', async () => {
  const { client } = setUp(json({ items: [], metadata: { resourceVersion: '1' } }), watchOf([]));
  await client.list(configMaps, { metadataOnly: true, signal });
  await client.watch(configMaps, {
    metadataOnly: true,
    resourceVersion: '1',
    timeoutSeconds: 1,
    signal,
  });
  const accepts = api.requests.map(({ headers }) => headers.accept);
  assert.deepEqual(accepts, [
    'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
    'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  ]);
});

// Answers, and the predicate that holds of the error. Only that one holds.
const predicates = {
  isNotFound,
  isConflict,
  isAlreadyExists,
  isGone,
  isThrottled,
  isInvalid,
  isForbidden,
  isTimeout,
};
const refusals: Record<string, [Answerer, keyof typeof predicates | undefined, string]> = {
  'no such object': [
    json(status(404, 'NotFound', { message: 'configmaps "a" not found' }), 404),
    'isNotFound',
    'get configmaps: configmaps "a" not found',
  ],
  'no such API, in plain text': [
    (response) => void response.writeHead(404).end('404 page not found\n'),
    'isNotFound',
    'get configmaps: 404 page not found',
  ],
  'a conflict': [
    json(status(409, 'Conflict', { message: 'modified' }), 409),
    'isConflict',
    'get configmaps: modified',
  ],
  'an object that exists': [
    json(status(409, 'AlreadyExists'), 409),
    'isAlreadyExists',
    'get configmaps: HTTP 409',
  ],
  'a version that is too old': [
    json(status(410, 'Expired'), 410),
    'isGone',
    'get configmaps: HTTP 410',
  ],
  'an invalid object': [json(status(422, 'Invalid'), 422), 'isInvalid', 'get configmaps: HTTP 422'],
  'a right that is missing': [
    json(status(403, 'Forbidden'), 403),
    'isForbidden',
    'get configmaps: HTTP 403',
  ],
  'a timeout of the server': [
    json(status(504, 'Timeout'), 504),
    'isTimeout',
    'get configmaps: HTTP 504',
  ],
  'a page of a proxy': [
    (response) => void response.writeHead(502).end(`<html>${'x'.repeat(1000)}`),
    undefined,
    `get configmaps: <html>${'x'.repeat(250)}`,
  ],
  'an answer that is not JSON': [
    (response) => void response.writeHead(200).end('password: hunter2'),
    undefined,
    'get configmaps: the answer is not JSON',
  ],
  'an answer that is no object': [
    json({ hello: 'world' }),
    undefined,
    'configmaps: the answer is not an object with a name',
  ],
};
for (const [name, [answer, predicate, message]] of Object.entries(refusals)) {
  test(`an error says what it is: ${name}`, async () => {
    const { client } = setUp(answer);
    const error = await rejection(client.get(configMaps, key, { signal }));
    assert.equal(error.message, message);
    for (const [it, holds] of Object.entries(predicates))
      assert.equal(holds(error), it === predicate, it);
  });
}

test('no error holds a credential', async () => {
  const answers = [cut, json({}, 403), json('nonsense')];
  for (const answer of answers) {
    const { client } = setUp(answer);
    const error = await rejection(client.create(configMaps, found, { signal }));
    const { inspect } = await import('node:util');
    assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /secret-|grün/);
  }
});

test('keeps its connection', async () => {
  const { client } = setUp(...Array.from({ length: 5 }, () => json(found)));
  for (let call = 0; call < 5; call += 1) await client.get(configMaps, key, { signal });
  assert.equal(new Set(api.requests.map(({ port }) => port)).size, 1);
});

test('a call that hangs ends at its deadline, and is not repeated', async () => {
  const { client, clock, calls } = setUp(silence);
  const failed = rejection(client.get(configMaps, key, { signal }));
  await until('the request is there', () => api.requests.length === 1);
  await clock.advance(29_999);
  assert.equal(calls.length, 0);
  await clock.advance(1);
  const error = await failed;
  assert.ok(isTimeout(error));
  assert.equal(error.code, 0);
  assert.deepEqual(calls, [{ verb: 'get', resource: 'configmaps', code: 'timeout' }]);
  assert.deepEqual(clock.timers(), []);
});

test('a body that hangs ends at the deadline, too', async () => {
  const { client, clock } = setUp((response) => void response.writeHead(200).write('{"a":'));
  const failed = rejection(client.get(configMaps, key, { signal }));
  await until('the request is there', () => api.requests.length === 1);
  await clock.advance(30_000);
  assert.ok(isTimeout(await failed));
});

test('an abort ends a call with its reason', async () => {
  const { client, calls } = setUp(silence);
  const controller = new AbortController();
  const call = client.get(configMaps, key, { signal: controller.signal });
  await until('the request is there', () => api.requests.length === 1);
  const reason = new Error('going down');
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  assert.deepEqual(calls, [{ verb: 'get', resource: 'configmaps', code: 'aborted' }]);
  await assert.rejects(
    client.get(configMaps, key, { signal: controller.signal }),
    (error) => error === reason,
  );
  assert.equal(api.requests.length, 1);
});

test('nothing is left behind by calls that ended', async () => {
  const { client, clock } = setUp(json(found), json(status(404, 'NotFound'), 404), cut);
  const controller = new AbortController();
  let listeners = 0;
  const { signal: counted } = controller;
  const add = counted.addEventListener.bind(counted);
  const remove = counted.removeEventListener.bind(counted);
  counted.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  counted.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  await client.get(configMaps, key, { signal: counted });
  await rejection(client.get(configMaps, key, { signal: counted }));
  await rejection(client.create(configMaps, found, { signal: counted }));
  await until('all is closed', () => listeners === 0 && clock.timers().length === 0);
});

test('401 renews the credentials, once', async () => {
  const unauthorized = json(status(401, 'Unauthorized'), 401);
  const { client, connection } = setUp(unauthorized, json(found));
  await client.create(configMaps, found, { signal });
  assert.deepEqual(
    api.requests.map(({ headers }) => headers.authorization),
    ['Bearer secret-0', 'Bearer secret-1'],
  );
  assert.equal(connection.refused.length, 1);

  api.script.push(unauthorized, unauthorized);
  assert.equal((await rejection(client.get(configMaps, key, { signal }))).code, 401);
  assert.equal(api.requests.length, 4);
});

test('429 is waited out as the server asks, for a write, too', async () => {
  const busy = json(status(429, 'TooManyRequests'), 429, { 'retry-after': '2' });
  const { client, clock, calls } = setUp(busy, json(found));
  const created = client.create(configMaps, found, { signal });
  await until('the first is answered', () => calls.length === 1);
  await clock.settle();
  assert.deepEqual(clock.timers(), [2000]);
  await clock.advance(2000);
  await created;
  assert.equal(api.requests.length, 2);
});

test('a stale connection is tried again, where twice is no more than once', async () => {
  const { client } = setUp(json(found), cut, json(found));
  await client.get(configMaps, key, { signal });
  await client.get(configMaps, key, { signal });
  assert.equal(api.requests.length, 3);
});

test('a stale connection is not tried again for a create', async () => {
  const { client } = setUp(json(found), cut, json(found));
  await client.get(configMaps, key, { signal });
  const error = await rejection(client.create(configMaps, found, { signal }));
  assert.equal(error.reason, 'ConnectionFailed');
  assert.equal(api.requests.length, 2);
});

test('a fresh connection that breaks is an answer', async () => {
  const { client, calls } = setUp(cut);
  const error = await rejection(client.get(configMaps, key, { signal }));
  assert.equal(error.reason, 'ConnectionFailed');
  assert.equal(api.requests.length, 1);
  assert.deepEqual(
    calls.map(({ code }) => code),
    ['error'],
  );
});

test('a server that is not there is counted as refused', async () => {
  const { client, calls } = clientFor(connectionTo('http://127.0.0.1:1'), createVirtualClock());
  const error = await rejection(client.get(configMaps, key, { signal }));
  assert.match(error.message, /ECONNREFUSED/);
  assert.deepEqual(
    calls.map(({ code }) => code),
    ['refused'],
  );
});

// Which patches are sent again over a stale connection.
const patches: Record<string, [Patch, boolean]> = {
  'a merge patch says what shall be': [{ type: 'merge', body: {} }, true],
  'an apply says what shall be': [{ type: 'apply', body: {}, force: false }, true],
  'a JSON patch may append': [
    { type: 'json', body: [{ op: 'add', path: '/x/-', value: 1 }] },
    false,
  ],
  'a JSON patch with a version fails the second time': [
    { type: 'json', body: [{ op: 'test', path: '/metadata/resourceVersion', value: '1' }] },
    true,
  ],
};
for (const [name, [patch, isRepeated]] of Object.entries(patches)) {
  test(`stale: ${name}`, async () => {
    const { client } = setUp(json(found), cut, json(found));
    await client.get(configMaps, key, { signal });
    const patched = client.patch(configMaps, key, patch, { signal });
    await (isRepeated ? patched : rejection(patched));
    assert.equal(api.requests.length, isRepeated ? 3 : 2);
  });
}

const first = { tries: 1, mended: false, repeatable: true };
const error = (code: number, retryAfterMs?: number): ApiError =>
  new ApiError('', { code, reason: '', retryAfterMs });
// The error, what went before; milliseconds to the repetition.
const repetitions: Record<
  string,
  [unknown, Parameters<typeof repeatAfterMs>[1], number | undefined]
> = {
  '401 at once': [error(401), first, 0],
  '401 not twice': [error(401), { ...first, mended: true }, undefined],
  '429 after the time that is named': [error(429, 5000), first, 5000],
  '429 after a second where none is named': [error(429), first, 1000],
  '429 also for what is not repeatable': [error(429, 5000), { ...first, repeatable: false }, 5000],
  '429 not for the fourth time': [error(429, 5000), { ...first, tries: 4 }, undefined],
  'not in half a minute and more': [error(429, 30_001), first, undefined],
  '503 after the time that is named': [error(503, 1000), first, 1000],
  '503 not where none is named': [error(503), first, undefined],
  '503 not for what is not repeatable': [
    error(503, 1000),
    { ...first, repeatable: false },
    undefined,
  ],
  '404 never': [error(404, 1000), first, undefined],
  'other errors never': [new TypeError(), first, undefined],
};
for (const [name, [failure, past, expected]] of Object.entries(repetitions)) {
  test(`repeats ${name}`, () => assert.equal(repeatAfterMs(failure, past), expected));
}

async function eventsOf(client: KubeClient): Promise<string[]> {
  const events = await client.watch(configMaps, {
    resourceVersion: '5',
    timeoutSeconds: 290,
    signal,
  });
  const seen: string[] = [];
  for await (const event of events) {
    seen.push(
      event.kind === 'Bookmark'
        ? `Bookmark ${event.resourceVersion}`
        : `${event.kind} ${event.object.kind} ${event.object.metadata.resourceVersion} ${JSON.stringify(event.object.data)}`,
    );
  }
  return seen;
}

test('a watch asks for bookmarks and an end, and yields typed events', async () => {
  const { kind: _, ...item } = found;
  const { client, calls } = setUp(
    watchOf([
      { type: 'ADDED', object: item },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '8' } } },
      {
        type: 'DELETED',
        object: { ...item, metadata: { ...item.metadata, resourceVersion: '9' } },
      },
    ]),
  );
  assert.deepEqual(await eventsOf(client), [
    'Applied ConfigMap 7 {"umlaut":"grün"}',
    'Bookmark 8',
    'Deleted ConfigMap 9 {"umlaut":"grün"}',
  ]);
  assert.deepEqual(calls, [{ verb: 'watch', resource: 'configmaps', code: 200 }]);
  assert.equal(
    api.requests[0]?.query.toString(),
    'watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=290',
  );
});

test('a watch survives chunks that are cut anywhere, also inside a character', async () => {
  const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: found })}\n`.repeat(2));
  const { client } = setUp(async (response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    response.end();
  });
  assert.equal(
    (await eventsOf(client)).join('; '),
    Array(2).fill('Applied ConfigMap 7 {"umlaut":"grün"}').join('; '),
  );
});

// What a watch may send instead of events; the error's reason and message.
const broken: Record<string, [Answerer, string, RegExp]> = {
  'an ERROR event': [
    watchOf([
      { type: 'ERROR', object: status(410, 'Expired', { message: 'too old resource version' }) },
    ]),
    'Expired',
    /^watch configmaps: too old resource version$/,
  ],
  'half a line': [
    (response) => void response.writeHead(200).end('{"type":"ADDED","obj'),
    'ConnectionFailed',
    /ended inside a line/,
  ],
  'a connection that is cut': [
    (response) => {
      response.writeHead(200).write('{"type":"ADDED","obj', () => response.socket?.destroy());
    },
    'ConnectionFailed',
    /^watch configmaps: /,
  ],
  'a line that is not JSON': [
    (response) => void response.writeHead(200).end('hunter2\n'),
    'BadAnswer',
    /^watch: a line is not JSON$/,
  ],
  'an event of no known type': [watchOf([{ type: 'MOVED' }]), 'BadAnswer', /type MOVED/],
  'an event without an object': [watchOf([{ type: 'ADDED' }]), 'BadAnswer', /not an object/],
  'a line without an end': [
    (response) => {
      const part = Buffer.alloc(1024 * 1024, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(part));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    },
    'TooLarge',
    new RegExp(`${lineBytesMax} bytes`),
  ],
};
for (const [name, [answer, reason, message]] of Object.entries(broken)) {
  test(`a watch breaks with ${name}`, async () => {
    const { client } = setUp(answer);
    const error = await rejection(eventsOf(client));
    assert.equal(error.reason, reason);
    assert.match(error.message, message);
  });
}

test('an abort ends a watch, and its connection', async () => {
  let isClosed = false;
  const { client } = setUp((response, request) => {
    response.once('close', () => {
      isClosed = true;
    });
    return watchOf([{ type: 'ADDED', object: found }], { stay: true })(response, request);
  });
  const controller = new AbortController();
  const options = { resourceVersion: '5', timeoutSeconds: 290, signal: controller.signal };
  const events = await client.watch(configMaps, options);
  const reason = new Error('enough');
  await assert.rejects(
    async () => {
      for await (const event of events) {
        assert.equal(event.kind, 'Applied');
        controller.abort(reason);
      }
    },
    (error) => error === reason,
  );
  await until('the server sees it', () => isClosed);
});
