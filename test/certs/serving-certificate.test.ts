import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type { Secret } from '../../src/api/kubernetes.ts';
import type { Bundle } from '../../src/certs/bundle.ts';
import { decodeBundle, encodeBundle } from '../../src/certs/bundle.ts';
import type {
  CertificateOptions,
  ServingCertificate,
} from '../../src/certs/serving-certificate.ts';
import { keepCertificate, loadCertificate } from '../../src/certs/serving-certificate.ts';
import { factsOf, isSignedBy, issueLeaf, makeAuthority } from '../../src/certs/x509.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import type { Log } from '../../src/kube/log.ts';
import type { ObjectStore } from '../support/object-store.ts';
import { createObjectStore } from '../support/object-store.ts';
import { until } from '../support/until.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const minuteMs = 60 * 1000;
const dayMs = 24 * 60 * minuteMs;
const secretName = 'aviary-webhook-certs';
const name = 'aviary.aviary-system.svc';
const { signal } = new AbortController();

/** Keys take most of the time of these tests: one bundle, made as the virtual clock begins. */
const startMs = createVirtualClock().now();
const authority = await makeAuthority(startMs);
const leaf = await issueLeaf(authority, [name], startMs);

let store: ObjectStore;
let clock: VirtualClock;
let logged: string[];
let options: CertificateOptions;

beforeEach(() => {
  store = createObjectStore();
  clock = createVirtualClock();
  logged = [];
  const say =
    (level: string): Log['info'] =>
    (_, message) =>
      void logged.push(`${level} ${message}`);
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  options = { kube: store, clock, log, namespace: 'aviary-system', names: [name] };
});

function put(bundle: Bundle): void {
  const metadata = { name: secretName, namespace: 'aviary-system' };
  const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: encodeBundle(bundle) };
  store.write('secrets', secret);
}

/** What a replica serves that began when the bundle was made. */
function start(): Promise<ServingCertificate> {
  put({ authority, leaf });
  return loadCertificate(options, signal);
}

const stored = (): Secret => store.read('secrets', secretName) as Secret;
const storedBundle = () => decodeBundle(stored()) ?? assert.fail('no whole bundle');

suite('loading', () => {
  test('makes the Secret where there is none, and serves what is in it', async () => {
    const served = await loadCertificate(options, signal);
    const { authority, leaf } = storedBundle();
    assert.deepEqual([served.certificate, served.key], [leaf.certificate, leaf.key]);
    assert.equal(served.caBundle, authority.certificate);
    assert.equal(served.expiresAtMs, clock.now() + 90 * dayMs);
    assert.equal(served.authorityExpiresAtMs, clock.now() + 3650 * dayMs);
    assert.equal(stored().type, 'Opaque');
    assert.equal(stored().metadata.namespace, 'aviary-system');
    assert.deepEqual(store.calls, ['get secrets', 'create secrets']);
  });

  test('reads once where everything is there', async () => {
    const first = await start();
    store.before = (call) => assert.equal(call, 'get secrets');
    assert.deepEqual(await loadCertificate(options, signal), first);
  });

  test('of replicas that start together serves the same, from one Secret', async () => {
    const served = await Promise.all([1, 2].map(() => loadCertificate(options, signal)));
    for (const { certificate } of served) assert.equal(certificate, served[0]?.certificate);
    assert.equal(store.calls.filter((call) => call === 'create secrets').length, 2);
    assert.equal(stored().metadata.resourceVersion, '1');
  });

  test('of replicas that renew together serves the same', async () => {
    put({ authority, leaf });
    await clock.advance(61 * dayMs);
    const served = await Promise.all([1, 2].map(() => loadCertificate(options, signal)));
    assert.equal(served[0]?.certificate, served[1]?.certificate);
    assert.equal(served[0]?.certificate, storedBundle().leaf.certificate);
    assert.equal(stored().metadata.resourceVersion, '2');
  });

  test('gives up after five conflicts, and at once on any other error', async () => {
    put({ authority, leaf });
    await clock.advance(61 * dayMs);
    for (const [reason, code, tries] of [
      ['Conflict', 409, 5],
      ['Forbidden', 403, 1],
    ] as const) {
      let writes = 0;
      store.before = (call) => {
        if (call === 'get secrets') return;
        writes += 1;
        throw new ApiError('patch', { code, reason });
      };
      await assert.rejects(loadCertificate(options, signal), { reason });
      assert.equal(writes, tries);
    }
  });

  const broken: Record<string, (secret: Secret) => Secret['data']> = {
    'without data': () => ({}),
    'without a key': ({ data }) => ({ ...data, 'tls.key': '' }),
    'of other things': () => ({ password: 'eA==' }),
    'that is no base64': ({ data }) => ({ ...data, 'tls.crt': '***' }),
    'with keys that fit nothing': ({ data = {} }) => ({ ...data, 'tls.key': data['ca.key'] ?? '' }),
  };
  for (const [sentence, breaking] of Object.entries(broken)) {
    test(`replaces a Secret ${sentence}, and the log says so`, async () => {
      put({ authority, leaf });
      const data = breaking(stored());
      store.write('secrets', { ...stored(), data } as Secret);
      const { certificate } = await loadCertificate(options, signal);
      const repaired = storedBundle();
      assert.equal(certificate, repaired.leaf.certificate);
      assert.ok(isSignedBy(certificate, repaired.authority.certificate));
      const replaced = logged.filter((line) => /Secret (is unusable|written)/.test(line));
      assert.ok(replaced.length > 0, logged.join('\n'));
      await loadCertificate(options, signal);
      assert.equal(store.calls.at(-1), 'get secrets', 'what was repaired is whole');
    });
  }

  test('never logs a key', async () => {
    const fields: unknown[] = [];
    const say: Log['info'] = (given) => void fields.push(given);
    const log = { debug: say, info: say, warn: say, error: say };
    put({ authority, leaf: { ...leaf, key: authority.key } });
    await loadCertificate({ ...options, log }, signal);
    assert.ok(fields.length > 0);
    assert.doesNotMatch(JSON.stringify(fields), /BEGIN/);
  });
});

suite('a CA that is replaced', () => {
  test('is trusted beside the new one, until its last leaf has ended', async () => {
    put({ authority, leaf });
    await clock.advance(3300 * dayMs);

    const served = await loadCertificate(options, signal);
    assert.ok(served.caBundle.includes(authority.certificate.trim()), 'the old CA');
    assert.ok(served.caBundle.includes(storedBundle().authority.certificate.trim()), 'the new CA');
    assert.ok(!isSignedBy(served.certificate, authority.certificate));

    await clock.advance(90 * dayMs);
    assert.ok(
      (await loadCertificate(options, signal)).caBundle.includes(authority.certificate.trim()),
    );
    await clock.advance(1);
    const after = await loadCertificate(options, signal);
    assert.equal(after.caBundle, storedBundle().authority.certificate);
    assert.equal(stored().data?.['former-ca.crt'], undefined);
  });
});

suite('keeping', () => {
  interface Kept {
    readonly steps: string[];
    readonly served: ServingCertificate[];
    readonly stop: () => Promise<void>;
  }

  function keep(first: ServingCertificate, failures: Error[] = []): Kept {
    const steps: string[] = [];
    const served: ServingCertificate[] = [];
    const ended = new AbortController();
    const presentation = {
      trust: async (caBundle: string) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        steps.push(`trust ${caBundle.split('BEGIN').length - 1}`);
      },
      serve: (given: ServingCertificate) => {
        served.push(given);
        steps.push('serve');
      },
    };
    const done = keepCertificate(options, first, presentation, ended.signal);
    const stop = (): Promise<void> => {
      ended.abort();
      return done;
    };
    return { steps, served, stop };
  }

  /** Waits for keys, which are made outside of the virtual time. */
  const seen = (what: string, steps: readonly string[], count: number): Promise<boolean> =>
    until(what, () => steps.length >= count, { describe: () => steps.join(', ') });

  test('registers anew at every look, and serves nothing anew where nothing differs', async () => {
    const { steps, stop } = keep(await loadCertificate(options, signal));
    await clock.advance(30 * minuteMs);
    assert.deepEqual(steps, ['trust 1', 'trust 1', 'trust 1']);
    await stop();
  });

  test('hands over a leaf that is renewed, at once, since its CA is trusted', async () => {
    const first = await start();
    await clock.advance(60 * dayMs);
    const { steps, served, stop } = keep(first);
    await clock.advance(10 * minuteMs);
    await seen('the renewed leaf', steps, 2);
    assert.deepEqual(steps, ['trust 1', 'serve']);
    const facts = factsOf(served[0]?.certificate ?? '') ?? assert.fail();
    assert.equal(facts.notAfterMs, clock.now() + 90 * dayMs);
    await stop();
  });

  test('serves a leaf of a new CA a minute after both are trusted, and asserts the trust', async () => {
    const first = await start();
    await clock.advance(3286 * dayMs);
    const { steps, served, stop } = keep(first);
    await clock.advance(10 * minuteMs);
    await seen('the trust', steps, 1);
    await clock.advance(minuteMs - 1);
    assert.deepEqual(steps, ['trust 2']);
    await clock.advance(1);
    assert.deepEqual(steps, ['trust 2', 'trust 2', 'serve']);
    assert.equal(served[0]?.certificate, storedBundle().leaf.certificate);
    await stop();
  });

  test('hands over what another replica has renewed', async () => {
    const first = await start();
    const renewed = await issueLeaf(authority, [name], clock.now());
    put({ authority, leaf: renewed });
    const { served, stop } = keep(first);
    await clock.advance(10 * minuteMs);
    assert.deepEqual(
      served.map(({ certificate }) => certificate),
      [renewed.certificate],
    );
    await stop();
  });

  test('serves nothing that could not be registered; the log says so; and tries again', async () => {
    const first = await start();
    await clock.advance(60 * dayMs);
    const { steps, stop } = keep(first, [new Error('the API server is down')]);
    await clock.advance(10 * minuteMs);
    await until('the failure is logged', () => logged.some((line) => line.startsWith('error')));
    assert.deepEqual(steps, []);
    await clock.advance(10 * minuteMs);
    await seen('the renewed leaf', steps, 2);
    assert.deepEqual(steps, ['trust 1', 'serve']);
    await stop();
  });

  test('ends without a word when it is told to, also in the minute of waiting', async () => {
    const first = await start();
    await clock.advance(3286 * dayMs);
    const { steps, stop } = keep(first);
    await clock.advance(10 * minuteMs);
    await seen('the trust', steps, 1);
    await stop();
    assert.deepEqual(steps, ['trust 2']);
    assert.ok(!logged.some((line) => line.startsWith('error')), logged.join('\n'));
    assert.deepEqual(clock.timers(), []);
  });
});
