import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Canary, CanaryAnalysis } from '../../src/api/canary.ts';
import type { Json, KubeObject, ObjectMeta } from '../../src/api/kubernetes.ts';
import { istio } from '../../src/routing/istio.ts';
import type { Cookies, Split } from '../../src/routing/provider.ts';
import { canaryOf, liveOf, namespace, splitAt, stored } from './canaries.ts';
import { difference } from './conform.ts';

const original = 'flagger.kubernetes.io/original-configuration';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

type VirtualService = KubeObject & { readonly spec: Readonly<Record<string, Json>> };

function virtualService(
  spec: Readonly<Record<string, Json>>,
  metadata: Partial<ObjectMeta> = {},
): VirtualService {
  return {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'VirtualService',
    metadata: { name: 'podinfo', namespace, ...metadata },
    spec,
  };
}

function rendered(
  canary: Canary,
  split: Split,
  live: readonly KubeObject[] = [],
  cookies: Cookies = {},
) {
  const answer = istio.render(canary, split, cookies, liveOf(live));
  assert.ok(answer.ok, answer.ok ? '' : answer.error);
  return answer.objects;
}

/** The VirtualService alone, as it is stored. */
function written(...given: Parameters<typeof rendered>): VirtualService {
  const route = rendered(...given).find(({ wanted }) => wanted.kind === 'VirtualService');
  assert.ok(route !== undefined);
  return stored(route) as VirtualService;
}

const to = (host: string, weight?: number) => ({
  destination: { host },
  ...(weight === undefined ? {} : { weight }),
});
const primary = (weight?: number) => to('podinfo-primary', weight);
const canary = (weight?: number) => to('podinfo-canary', weight);

suite('reach', () => {
  const cases: Record<string, [Parameters<typeof canaryOf>[0], Json]> = {
    'is the apex in the mesh': [{}, { hosts: ['podinfo'], gateways: ['mesh'] }],
    'is the apex beside the hosts': [
      { hosts: ['a.io'], gateways: ['gw'] },
      { hosts: ['a.io', 'podinfo'], gateways: ['gw'] },
    ],
    'names the apex once': [
      { hosts: ['podinfo', 'a.io'] },
      { hosts: ['podinfo', 'a.io'], gateways: ['mesh'] },
    ],
    'is everything for *': [{ hosts: ['*'] }, { hosts: ['*'], gateways: ['mesh'] }],
    'of a delegate is none of its own': [{ delegation: true }, { hosts: [] }],
    'of a named apex is that name': [{ name: 'shop' }, { hosts: ['shop'], gateways: ['mesh'] }],
  };
  for (const [name, [service, expected]] of Object.entries(cases)) {
    test(name, () => {
      const { http: _, ...spec } = written(canaryOf(service), splitAt(0)).spec;
      assert.deepEqual(spec, expected);
    });
  }

  for (const service of [{ hosts: ['a.io'] }, { gateways: ['gw'] }]) {
    test(`of a delegate with ${Object.keys(service).join()} is refused`, () => {
      const delegate = canaryOf({ delegation: true, ...service });
      const answer = istio.render(delegate, splitAt(0), {}, liveOf([]));
      assert.match(answer.ok ? '' : answer.error, /^spec\.service\.delegation: .*remove them$/);
    });
  }
});

suite('port of destinations', () => {
  const cases: Record<string, [Parameters<typeof canaryOf>[0], boolean]> = {
    'is left out without port discovery': [{ gateways: ['gw'] }, false],
    'is left out in the mesh': [{ portDiscovery: true }, false],
    'is left out where the mesh is the first gateway': [
      { portDiscovery: true, gateways: ['mesh', 'gw'] },
      false,
    ],
    'is named where a gateway is the first': [
      { portDiscovery: true, gateways: ['gw', 'mesh'] },
      true,
    ],
    'is named in a delegate': [{ portDiscovery: true, delegation: true }, true],
  };
  for (const [name, [service, isNamed]] of Object.entries(cases)) {
    test(name, () => {
      const text = JSON.stringify(written(canaryOf(service), splitAt(30)).spec);
      assert.equal(text.split('"port":{"number":80}').length - 1, isNamed ? 2 : 0);
    });
  }
});

suite('rules', () => {
  test('have no rewrite of nothing', () => {
    const { spec } = written(canaryOf({ rewrite: { type: 'ReplacePrefixMatch' } }), splitAt(0));
    assert.doesNotMatch(JSON.stringify(spec), /rewrite/);
  });

  // The reference leaves `=VALUE` in the status of a canary without primaryCookieName.
  const withoutPrimary: Record<string, [string | undefined, string]> = {
    'has no name': ['pp', '=b'],
    'is no longer asked for': [undefined, 'pp=b'],
    'was never asked for': [undefined, '=b'],
  };
  for (const [name, [primaryCookieName, cookie]] of Object.entries(withoutPrimary)) {
    test(`do not stick to the primary where its cookie ${name}`, () => {
      const named = primaryCookieName === undefined ? {} : { primaryCookieName };
      const sessionAffinity = { cookieName: 'cc', ...named };
      const given = canaryOf({}, { stepWeight: 30, sessionAffinity });
      const cookies = { canary: 'cc=a', primary: cookie };
      const { http } = written(given, splitAt(30), [], cookies).spec;
      assert.equal((http as readonly Json[]).length, 2);
      assert.doesNotMatch(JSON.stringify(http), /=b/);
    });
  }

  test('of an A/B test ask for the parameters of both lists', () => {
    const match = [{ queryParams: { tenant: { exact: 'acme' }, mode: { exact: 'any' } } }];
    const users = [{ queryParams: { canary: { exact: 'yes' }, mode: { exact: 'new' } } }];
    const given = canaryOf({ match }, { iterations: 2, match: users });
    const { http } = written(given, splitAt(100)).spec;
    const queryParams = {
      tenant: { exact: 'acme' },
      canary: { exact: 'yes' },
      mode: { exact: 'new' },
    };
    assert.deepEqual((http as readonly { readonly match?: Json }[])[0]?.match, [{ queryParams }]);
  });

  test('R12: recognise a bearer under the conditions of the service', () => {
    const match = [{ headers: { 'x-tenant': { exact: 'acme' } } }, { uri: { prefix: '/b' } }];
    const sessionAffinity = { cookieName: 'cc' };
    const given = canaryOf({ match }, { stepWeight: 30, sessionAffinity });
    const { http } = written(given, splitAt(30), [], { canary: 'cc=a' }).spec;
    const Cookie = { regex: '.*cc.*a.*' };
    assert.deepEqual((http as readonly { readonly match?: Json }[])[0]?.match, [
      { headers: { 'x-tenant': { exact: 'acme' }, Cookie } },
      { uri: { prefix: '/b' }, headers: { Cookie } },
    ]);
  });

  test('of TCP know no conditions but ports', () => {
    const given = canaryOf({ appProtocol: 'tcp', match: [{ uri: { exact: '/' } }] });
    assert.deepEqual(written(given, splitAt(30)).spec['tcp'], [
      { route: [primary(70), canary(30)] },
    ]);
  });

  for (const [before, after] of [
    ['http', 'tcp'],
    ['tcp', 'http'],
  ] as const) {
    test(`of ${before} are gone when the protocol becomes ${after}`, () => {
      const live = written(canaryOf({ appProtocol: before }), splitAt(30));
      const { spec } = written(canaryOf({ appProtocol: after }), splitAt(30), [live]);
      assert.deepEqual(Object.keys(spec).toSorted(), ['gateways', 'hosts', after].toSorted());
    });
  }
});

suite('the split read', () => {
  const abTesting: CanaryAnalysis = {
    iterations: 10,
    match: [{ headers: { 'x-canary': { exact: 'insider' } } }],
  };
  const rule = (...route: readonly Json[]) => ({ route });
  const cases: Record<string, [readonly Json[], Split | undefined, CanaryAnalysis?]> = {
    'is none without rules': [[], undefined],
    'is none of rules that lead elsewhere': [[rule(to('podinfo', 100))], undefined],
    'is none of rules without destinations': [[{ redirect: { uri: '/' } }], undefined],
    'is none where both weights are 0': [[rule(primary(0), canary(0))], undefined],
    'is none where no weight is given': [[rule(primary(), canary())], undefined],
    'is all of a canary that is alone': [[rule(canary())], splitAt(100)],
    'is nothing where the canary was taken out': [[rule(primary(70))], splitAt(0)],
    'is that of the last rule': [
      [rule(primary(0), canary(100)), rule(primary(80), canary(20))],
      splitAt(20),
    ],
    'is that of users without a cookie, also where it was edited': [
      [rule(primary(0), canary(100)), rule(primary(100))],
      splitAt(0),
    ],
    'is not that of rules which others added': [
      [rule(primary(80), canary(20)), rule(to('other', 100))],
      splitAt(20),
    ],
    'is the share of weights that sum to something else': [
      [rule(primary(1), canary(1))],
      splitAt(50),
    ],
    'is the share beside a third destination': [
      [rule(primary(50), canary(30), to('other', 20))],
      splitAt(30),
    ],
    'never makes nothing of a little': [[rule(primary(999), canary(1))], splitAt(1)],
    'is mirrored where the weighted rule mirrors to the canary': [
      [{ ...rule(primary(100), canary(0)), mirror: { host: 'podinfo-canary' } }],
      splitAt(0, true),
    ],
    'is not mirrored where something else is': [
      [{ ...rule(primary(100), canary(0)), mirror: { host: 'shadow' } }],
      splitAt(0),
    ],
    'of an A/B test is that of the users who match': [
      [rule(primary(0), canary(100)), rule(primary(100))],
      splitAt(100),
      abTesting,
    ],
  };
  for (const [name, [http, expected, analysis]] of Object.entries(cases)) {
    test(name, () => {
      const live = liveOf([virtualService({ http })]);
      assert.deepEqual(istio.read(canaryOf({}, analysis), live), expected);
    });
  }

  test('of TCP is that of its rules', () => {
    const tcp = [rule(primary(60), canary(40))];
    const live = liveOf([virtualService({ tcp, http: [rule(canary(100))] })]);
    assert.deepEqual(istio.read(canaryOf({ appProtocol: 'TCP' }), live), splitAt(40));
  });
});

suite('drift', () => {
  const given = canaryOf({ timeout: '5s' });

  test('R1: of a rule is put right at the intended split, not at 100/0', () => {
    const live = written(given, splitAt(30));
    const edited = { ...live, spec: { ...live.spec, http: [{ route: [primary(100)] }] } };
    assert.deepEqual(written(given, splitAt(30), [edited]).spec, live.spec);
  });

  test('of a label touches nothing else', () => {
    const live = rendered(given, splitAt(30)).map((route) => stored(route));
    const [, , virtual] = live;
    assert.ok(virtual !== undefined);
    const metadata = { ...virtual.metadata, labels: { by: 'hand' } };
    const changed = rendered(given, splitAt(30), [...live.slice(0, 2), { ...virtual, metadata }]);
    assert.deepEqual(changed.map(difference), [undefined, undefined, undefined]);
  });

  test('of an empty map of labels is none', () => {
    const bare = canaryOf({ apex: { labels: {}, annotations: {} } });
    const live = rendered(bare, splitAt(0)).map((route) => stored(route));
    assert.deepEqual(
      rendered(bare, splitAt(0), live).map(difference),
      live.map(() => undefined),
    );
  });

  test('of a traffic policy that the canary no longer has is removed', () => {
    const policy = canaryOf({ trafficPolicy: { tls: { mode: 'DISABLE' } } });
    const live = rendered(policy, splitAt(0)).map((route) => stored(route));
    const [first] = rendered(canaryOf(), splitAt(0), live);
    assert.ok(first !== undefined);
    assert.deepEqual(difference(first), { spec: { trafficPolicy: null } });
  });
});

suite('the VirtualService of a user', () => {
  const spec = {
    hosts: ['app.example.com'],
    gateways: ['istio-system/gw'],
    exportTo: ['.'],
    http: [{ name: 'theirs', route: [to('podinfo')], fault: { abort: { httpStatus: 500 } } }],
  };
  const given = canaryOf();
  const revert = (live: KubeObject) => istio.revert(given, liveOf([live]));

  test('is kept whole when it is taken over, and comes back as it was', () => {
    const taken = written(given, splitAt(0), [virtualService(spec)]);
    assert.deepEqual(JSON.parse(taken.metadata.annotations?.[original] ?? ''), spec);
    const [back] = revert(taken);
    assert.ok(back !== undefined);
    assert.equal(back.live, taken);
    assert.deepEqual((back.wanted as VirtualService).spec, spec);
    assert.equal(back.wanted.metadata.annotations?.[original], undefined);
  });

  test('R10: is kept once: no later spec takes its place', () => {
    const taken = written(given, splitAt(0), [virtualService(spec)]);
    const kept = taken.metadata.annotations?.[original];
    const edited = { ...taken, spec: { ...taken.spec, http: [{ route: [to('podinfo')] }] } };
    const repaired = written(given, splitAt(30), [edited]);
    assert.equal(repaired.metadata.annotations?.[original], kept);
  });

  test('is kept by kubectl where kubectl applied it', () => {
    const annotations = { [lastApplied]: JSON.stringify({ ...virtualService(spec) }) };
    const taken = written(given, splitAt(0), [virtualService(spec, { annotations })]);
    assert.equal(taken.metadata.annotations?.[original], undefined);
    const [back] = revert(taken);
    assert.deepEqual((back?.wanted as VirtualService | undefined)?.spec, spec);
    assert.equal(back?.wanted.metadata.annotations?.[lastApplied], annotations[lastApplied]);
  });

  test('is not kept where it leads to Services that go with the canary', () => {
    const http = [{ route: [primary(100), canary(0)] }];
    const taken = written(given, splitAt(0), [virtualService({ ...spec, http })]);
    assert.equal(taken.metadata.annotations?.[original], undefined);
  });

  test('is not kept where it is ours, whatever was made of its rules', () => {
    const made = written(given, splitAt(0));
    const edited = { ...made, spec: { ...made.spec, http: [{ route: [to('podinfo')] }] } };
    const repaired = written(given, splitAt(0), [edited]);
    assert.equal(repaired.metadata.annotations?.[original], undefined);
  });

  test('is kept also where it has no spec, or the annotations of Flux', () => {
    const annotations = {
      'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
      'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
    };
    const fromGit = written(given, splitAt(0), [virtualService(spec, { annotations })]);
    assert.ok(fromGit.metadata.annotations?.[original]);
    const { spec: _, ...empty } = virtualService({});
    const taken = written(given, splitAt(0), [empty]);
    assert.equal(taken.metadata.annotations?.[original], '{}');
  });

  const unreadable: Record<string, Record<string, string>> = {
    'what was kept is no JSON': { [original]: '{"hosts":' },
    'what was kept is no spec': { [original]: '[]' },
    'what kubectl kept has no spec': { [lastApplied]: '{"spec":null}' },
    'nothing was kept': {},
  };
  for (const [name, annotations] of Object.entries(unreadable)) {
    test(`is left as it is where ${name}`, () => {
      assert.deepEqual(revert(virtualService(spec, { annotations })), []);
    });
  }

  test('comes back from what was kept where what kubectl kept cannot be read', () => {
    const annotations = { [lastApplied]: 'broken', [original]: JSON.stringify(spec) };
    const [back] = revert(virtualService({}, { annotations }));
    assert.deepEqual((back?.wanted as VirtualService | undefined)?.spec, spec);
  });
});
