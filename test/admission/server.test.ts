import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlainly } from 'node:net';
import { suite, test } from 'node:test';
import { connect } from 'node:tls';
import * as fc from 'fast-check';
import request from 'supertest';
import type { Lookup, Notice } from '../../src/admission/mutate.ts';
import type { AdmissionOptions } from '../../src/admission/server.ts';
import { createAdmissionApp, serveAdmission } from '../../src/admission/server.ts';
import { issueLeaf, makeAuthority } from '../../src/certs/x509.ts';
import type { AdmissionRecord } from '../../src/telemetry/telemetry.ts';
import type { ReviewName } from './podinfo.ts';
import { after, lookupOf, patchOf, patched, podinfoCanary, readReview } from './podinfo.ts';

interface Answer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patchType?: string;
    readonly patch?: string;
    readonly warnings?: readonly string[];
    readonly status?: { readonly code: number; readonly message: string };
  };
}

function appWith(lookup: Partial<Lookup> = {}, invalid: readonly string[] = []) {
  const notices: Notice[] = [];
  const records: AdmissionRecord[] = [];
  const logged: string[] = [];
  const say = (_: unknown, message: string): void => void logged.push(message);
  const options: AdmissionOptions = {
    lookup: { ...lookupOf(podinfoCanary()), ...lookup },
    validation: {
      validate: () => ({
        errors: invalid.map((message) => ({ path: 'spec', message })),
        warnings: [],
      }),
      canariesOf: () => [],
      canary: () => undefined,
      hasTarget: () => true,
    },
    noticed: (notice) => void notices.push(notice),
    telemetry: { admission: (record) => void records.push(record) },
    log: { debug: say, info: say, warn: say, error: say },
    now: () => Date.UTC(2026, 0, 1, 0, 1),
    steadyMs: () => 5,
  };
  return { app: createAdmissionApp(options), notices, records, logged };
}

async function post(
  app: ReturnType<typeof appWith>['app'],
  path: string,
  body: unknown,
): Promise<Answer> {
  const answer = await request(app)
    .post(path)
    .send(body as object)
    .expect(200);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  return answer.body as Answer;
}

suite('a recorded review is answered with its own UID', () => {
  const rows: Record<ReviewName, ['/mutate' | '/validate', 'patched' | 'allowed', number]> = {
    'set-image': ['/mutate', 'patched', 1],
    'set-image-dry-run': ['/mutate', 'patched', 0],
    'apply-replicas': ['/mutate', 'patched', 0],
    'rollout-restart': ['/mutate', 'patched', 1],
    create: ['/mutate', 'patched', 1],
    delete: ['/mutate', 'allowed', 0],
    'canary-create': ['/validate', 'allowed', 0],
    'canary-update': ['/validate', 'allowed', 0],
    'canary-delete': ['/validate', 'allowed', 0],
  };
  for (const [name, [path, outcome, noticed]] of Object.entries(rows)) {
    test(`${name}: ${outcome}`, async () => {
      const { app, notices } = appWith();
      const review = readReview(name as ReviewName);
      const { apiVersion, kind, response } = await post(app, path, review);
      assert.deepEqual([apiVersion, kind], ['admission.k8s.io/v1', 'AdmissionReview']);
      assert.equal(response.uid, review.request.uid);
      assert.equal(response.allowed, true);
      assert.equal(response.patchType, outcome === 'patched' ? 'JSONPatch' : undefined);
      assert.equal(response.patch === undefined, outcome === 'allowed');
      assert.equal(notices.length, noticed);
    });
  }

  test('the patch of set-image is small, and tests nothing that another webhook may change', async () => {
    const { response } = await post(appWith().app, '/mutate', readReview('set-image'));
    const operations = patchOf(response.patch ?? '');
    assert.ok(
      operations.every(({ path }) => path.startsWith('/metadata/annotations/aviary.dev~1')),
    );
    assert.deepEqual([...new Set(operations.map(({ op }) => op))], ['add']);
    const { metadata } = patched(after, response.patch ?? '');
    assert.equal(metadata.annotations?.['aviary.dev/changed-by'], 'alice@example.com');
  });

  test('the user is told what comes next', async () => {
    const { response } = await post(appWith().app, '/mutate', readReview('set-image'));
    assert.match(response.warnings?.[0] ?? '', /^podinfo: this starts a canary analysis/);
  });

  test('a Canary that can never work is refused with the reason', async () => {
    const { app, records } = appWith({}, ['is wrong']);
    const { response } = await post(app, '/validate', readReview('canary-create'));
    assert.equal(response.allowed, false);
    assert.equal(response.status?.code, 403);
    assert.match(response.status.message, /podinfo\.test cannot work: spec: is wrong/);
    assert.equal(records[0]?.outcome, 'denied');
  });
});

suite('what cannot be read gets a 4xx with a reason', () => {
  const review = readReview('set-image');
  interface Row {
    readonly method?: 'get' | 'put' | 'post';
    readonly path?: string;
    readonly type?: string;
    readonly body?: string;
    readonly code: number;
    readonly reason: RegExp;
  }
  const rows: Record<string, Row> = {
    'no JSON': { body: '{"kind":', code: 400, reason: /entity.parse.failed/ },
    'an empty body': { body: '', code: 400, reason: /AdmissionReview/ },
    'a JSON word': { body: '"AdmissionReview"', code: 400, reason: /entity.parse.failed/ },
    'a JSON list': { body: '[]', code: 400, reason: /kind is not AdmissionReview/ },
    'another kind': { body: '{"kind":"Pod"}', code: 400, reason: /kind is not AdmissionReview/ },
    'another version': {
      body: JSON.stringify({ ...review, apiVersion: 'admission.k8s.io/v1beta1' }),
      code: 400,
      reason: /admission.k8s.io\/v1/,
    },
    'no request': {
      body: JSON.stringify({ ...review, request: undefined }),
      code: 400,
      reason: /request.uid is missing/,
    },
    'no UID': {
      body: JSON.stringify({ ...review, request: { ...review.request, uid: undefined } }),
      code: 400,
      reason: /request.uid is missing/,
    },
    'a UID that is no text': {
      body: JSON.stringify({ ...review, request: { ...review.request, uid: 7 } }),
      code: 400,
      reason: /request.uid is missing/,
    },
    'another content type': {
      type: 'text/plain',
      body: 'x',
      code: 415,
      reason: /application\/json/,
    },
    'a form': {
      type: 'application/x-www-form-urlencoded',
      body: 'a=b',
      code: 415,
      reason: /application\/json/,
    },
    'another character set': {
      type: 'application/json; charset=latin1',
      body: '{}',
      code: 415,
      reason: /charset.unsupported/,
    },
    'more than two objects can be': {
      body: JSON.stringify({ ...review, padding: 'x'.repeat(7 * 1024 * 1024) }),
      code: 413,
      reason: /entity.too.large/,
    },
    'a GET': { method: 'get', code: 405, reason: /only POST/ },
    'a PUT': { method: 'put', body: '{}', code: 405, reason: /only POST/ },
    'another path': { path: '/', body: '{}', code: 404, reason: /nothing here/ },
    'a path that is no text': { path: '/%E0%A4%A', body: '{}', code: 404, reason: /nothing here/ },
  };
  for (const [name, row] of Object.entries(rows)) {
    for (const path of row.path === undefined ? ['/mutate', '/validate'] : [row.path]) {
      test(`${name}, at ${path}`, async () => {
        const { app, notices } = appWith();
        const call = request(app)[row.method ?? 'post'](path);
        const sent =
          row.body === undefined
            ? call
            : call.set('Content-Type', row.type ?? 'application/json').send(row.body);
        const answer = await sent.expect(row.code);
        assert.match((answer.body as { error: string }).error, row.reason);
        assert.equal(notices.length, 0);
        if (row.code === 405) assert.equal(answer.headers['allow'], 'POST');
      });
    }
  }

  test('two objects of 3 MiB each are no more than there can be', async () => {
    const padding = 'x'.repeat(3 * 1024 * 1024);
    const { request: given } = review;
    const big = { ...review, request: { ...given, options: { padding, more: padding } } };
    assert.equal((await post(appWith().app, '/mutate', big)).response.allowed, true);
  });
});

suite('a failure of ours', () => {
  const failing: Partial<Lookup> = {
    canaryOf: () => {
      throw new Error('the cache is on fire');
    },
  };

  test('allows, says so in the log, and counts', async () => {
    const { app, records, logged } = appWith(failing);
    const review = readReview('set-image');
    const { response } = await post(app, '/mutate', review);
    assert.deepEqual(response, { uid: review.request.uid, allowed: true });
    assert.deepEqual(logged, ['admission failed, allowed']);
    assert.equal(records[0]?.outcome, 'failed');
  });

  test('allows an object that is nested deeper than our stack', async () => {
    const depth = 20_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const review = readReview('set-image') as unknown as {
      request: { object: { spec: object } };
    };
    const { object } = review.request;
    const text = JSON.stringify({
      ...review,
      request: { ...review.request, object: { ...object, spec: { ...object.spec, deep: '?' } } },
    });
    const answer = await request(appWith().app)
      .post('/mutate')
      .set('Content-Type', 'application/json')
      .send(text.replace('"?"', deep))
      .expect(200);
    assert.equal((answer.body as Answer).response.allowed, true);
  });
});

test('callers cannot make series: kinds and paths that they invent are counted as unknown', async () => {
  const { app, records } = appWith();
  const review = readReview('set-image');
  const kind = { group: 'apps', version: 'v1', kind: 'Invented' };
  await post(app, '/mutate', { ...review, request: { ...review.request, kind } });
  await request(app).post('/mutate').set('Content-Type', 'application/json').send('{').expect(400);
  assert.deepEqual(
    records.map((record) => [record.webhook, record.kind, record.outcome]),
    [
      ['mutate', 'unknown', 'allowed'],
      ['mutate', 'unknown', 'malformed'],
    ],
  );
});

test('health is answered to whoever asks', async () => {
  for (const path of ['/healthz', '/readyz']) {
    await request(appWith().app).get(path).expect(200, 'OK');
  }
});

suite('whatever is posted', () => {
  const { app } = appWith();
  const json = fc.jsonValue({ maxDepth: 4 });

  test('any JSON gets a 2xx or a 4xx', async () => {
    const body = fc.oneof(json, fc.record({ kind: fc.constant('AdmissionReview'), request: json }));
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom('/mutate', '/validate'), async (value, path) => {
        const { status } = await request(app)
          .post(path)
          .set('Content-Type', 'application/json')
          .send(JSON.stringify(value));
        assert.ok(Math.floor(status / 100) === 2 || Math.floor(status / 100) === 4, String(status));
      }),
      { numRuns: 200 },
    );
  });

  test('any review with a UID is answered with it, and allowed, whatever its parts are', async () => {
    const real = readReview('set-image') as unknown as {
      request: { object: { spec: { template: object }; metadata: object } };
    };
    const { object } = real.request;
    const template = fc.record({
      metadata: json,
      spec: fc.record({ containers: json, volumes: json }),
    });
    const damaged = fc.oneof(
      json.map((spec) => ({ ...object, spec })),
      json.map((metadata) => ({ ...object, metadata })),
      template.map((it) => ({ ...object, spec: { ...object.spec, template: it } })),
      json,
    );
    await fc.assert(
      fc.asyncProperty(fc.uuid(), damaged, damaged, json, async (uid, now, old, userInfo) => {
        const given = { ...real.request, uid, object: now, oldObject: old, userInfo };
        const { response } = await post(app, '/mutate', { ...real, request: given });
        assert.equal(response.uid, uid);
        assert.equal(response.allowed, true);
      }),
      { numRuns: 300 },
    );
  });
});

suite('closing', async () => {
  const authority = await makeAuthority(Date.now());
  const leaf = await issueLeaf(authority, ['127.0.0.1'], Date.now());
  const body = JSON.stringify(readReview('set-image'));
  const head = `POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;

  async function open() {
    const server = await serveAdmission(appWith().app, 0, leaf);
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: authority.certificate });
    await once(socket, 'secureConnect');
    return { server, socket };
  }

  /** Else a server that waits for its clients waits for ever. */
  const timeout = 60_000;

  test('answers what is under way, and keeps no connection after it', async () => {
    const { server, socket } = await open();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(head + body);
    await once(socket, 'data');
    // The server says when it has seen the head.
    socket.write(head.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    await once(socket, 'data');
    socket.write(body.slice(0, 10));
    text = '';
    const closed = server.close();
    socket.write(body.slice(10));
    await Promise.all([closed, once(socket, 'close')]);
    assert.match(text, /^HTTP\/1.1 200 OK/);
    assert.match(text, /\r\nConnection: close\r\n/i);
  });

  test('waits for no client that stalls', { timeout }, async () => {
    const { server, socket } = await open();
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.write(head + body.slice(0, 10), resolve));
    await server.close();
  });

  test('waits for no client that never begins its handshake', { timeout }, async () => {
    const { server, socket } = await open();
    const silent = connectPlainly(server.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    socket.destroy();
    await server.close();
  });

  test('a port that is taken is an error, not a second try', async () => {
    const { server, socket } = await open();
    await assert.rejects(serveAdmission(appWith().app, server.port, leaf), { code: 'EADDRINUSE' });
    socket.destroy();
    await server.close();
  });
});
