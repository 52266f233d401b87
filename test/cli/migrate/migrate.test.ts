/**
 * `aviary migrate --check` on the embedded cluster over HTTPS, with the objects of the reference as
 * they stand at a phase: what it says, its exit codes, and that it writes nothing.
 */
import assert from 'node:assert/strict';
import { promises } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import type { Deployment, KubeObject } from '../../../src/api/kubernetes.ts';
import { issueLeaf, makeAuthority } from '../../../src/certs/x509.ts';
import { kubeconfigText } from '../../../src/cli/demo/demo-cluster.ts';
import { istioDefinitions } from '../../../src/cli/demo/istio-types.ts';
import type { Finding, Report } from '../../../src/cli/migrate/report.ts';
import type { MetricTemplate } from '../../../src/api/metric-template.ts';
import { providerOf } from '../../../src/metrics/registry.ts';
import { runMigrate } from '../../../src/cli/migrate/migrate-command.ts';
import type { ControllerApi } from '../../../src/cluster/controller-api.ts';
import { createCluster } from '../../../src/cluster/cluster.ts';
import { serveCluster } from '../../../src/cluster/http.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { microTime } from '../../../src/kube/lease.ts';
import { quietLog } from '../../../src/kube/quiet-log.ts';
import {
  canaries,
  customResourceDefinitions,
  deployments,
  destinationRules,
  leases,
  metricTemplates,
  resource,
  services,
  virtualServices,
} from '../../../src/kube/resources.ts';
import type { Left } from '../../support/reference-site.ts';
import { leave } from '../../support/reference-site.ts';
import { canaryOf, key, target } from '../../support/stage.ts';
import { until } from '../../support/until.ts';

const clusterRoles = resource<KubeObject>(
  'rbac.authorization.k8s.io/v1',
  'ClusterRole',
  'clusterroles',
  'Cluster',
);

interface Site {
  readonly api: ControllerApi;
  readonly kubeconfig: string;
  readonly check: (...argv: readonly string[]) => Promise<Told>;
}

interface Told {
  readonly code: number;
  readonly said: string;
  readonly complained: string;
}

interface Given {
  readonly left?: Left;
  /** Folder of the definitions: ours where absent. */
  readonly definitions?: string;
  readonly isPrepared?: boolean;
}

/** Made once: keys take their time. */
const identity = (async () => {
  const nowMs = Date.now();
  const authority = await makeAuthority(nowMs);
  const { certificate, key: privateKey } = await issueLeaf(authority, ['127.0.0.1'], nowMs);
  return { authority, certificate, privateKey };
})();

async function onSite(given: Given, shows: (site: Site) => Promise<void>): Promise<void> {
  const { authority, certificate, privateKey } = await identity;
  const cluster = createCluster({
    clock: systemClock,
    random: Math.random,
    log: quietLog,
    workloads: { plan: () => ({ readyMs: 1 }) },
  });
  const user = { username: 'admin', groups: ['system:masters'] };
  const served = await serveCluster({
    rest: cluster.rest,
    users: new Map([['secret', user]]),
    tls: { certificate, key: privateKey },
  });
  const folder = await promises.mkdtemp(join(tmpdir(), 'aviary-migrate-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const { api } = cluster;
  try {
    const access = { url: served.url, authority: authority.certificate, token: 'secret' };
    await promises.writeFile(kubeconfig, kubeconfigText({ ...access, namespace: 'default' }));
    await define(api, given.definitions ?? 'manifests/crds');
    if (given.isPrepared !== false) await prepare(api);
    if (given.left !== undefined) await settle(api, given.left);
    const check: Site['check'] = (...argv) => run(['--check', '--kubeconfig', kubeconfig, ...argv]);
    await shows({ api, kubeconfig, check });
  } finally {
    cluster.stop();
    await served.close();
    await promises.rm(folder, { recursive: true });
  }
}

async function define(api: ControllerApi, folder: string): Promise<void> {
  const files = await promises.readdir(folder);
  const own = await Promise.all(
    files.map(async (file): Promise<unknown> =>
      definitionIn(await promises.readFile(join(folder, file), 'utf8')),
    ),
  );
  const definitions = [...(own as KubeObject[]), ...istioDefinitions];
  for (const definition of definitions) {
    await api.create(customResourceDefinitions, definition as never);
  }
  await until('the definitions are served', () =>
    api.list(customResourceDefinitions).every((it) => isEstablished(it)),
  );
}

/** Quoted texts of the reference's go on at the indentation of their key, which Go's parser takes. */
function definitionIn(text: string): unknown {
  const fold = (quoted: string): string => `${quoted.trimEnd().replace(/\s+/g, ' ')}\n`;
  return parse(text.replace(/: '[^'\n]*\n[^']*'\n/g, fold));
}

const isEstablished = (it: KubeObject): boolean => {
  const { status } = it as {
    readonly status?: { readonly conditions?: { type: string; status: string }[] };
  };
  return (
    status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') === true
  );
};

/** What manifests/rbac.yaml says of routes. */
const prepare = (api: ControllerApi): Promise<unknown> =>
  api.create(clusterRoles, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'aviary' },
    rules: [
      {
        apiGroups: ['networking.istio.io'],
        resources: ['virtualservices', 'destinationrules'],
        verbs: ['list', 'watch', 'create', 'patch'],
      },
    ],
  } as KubeObject);

/** Writes what the reference left, and waits for its pods. */
async function settle(api: ControllerApi, left: Left): Promise<void> {
  await leave(api, left);
  await until('the pods are there', () => {
    const primary = api.get(deployments, { ...key, name: 'web-primary' });
    const own = api.get(deployments, key);
    return (
      primary?.status?.availableReplicas === 1 &&
      (own?.status?.availableReplicas ?? 0) === left.replicas
    );
  });
}

async function run(argv: readonly string[]): Promise<Told> {
  let [said, complained] = ['', ''];
  const code = await runMigrate({
    argv,
    environment: {},
    version: 'test',
    clock: systemClock,
    write: (text) => (said += text),
    complain: (text) => (complained += text),
  });
  return { code, said, complained };
}

const attentionOf = (findings: readonly Finding[]): readonly string[] =>
  findings.filter(({ severity }) => severity === 'attention').map(({ code }) => code);

const reportOf = ({ said }: Told): Report & { readonly ok: boolean } => JSON.parse(said);

const everything = [canaries, deployments, services, virtualServices, destinationRules, leases];
const snapshot = (api: ControllerApi): readonly (readonly KubeObject[])[] =>
  everything.map((it) => api.list(it as never));

const resting: Left = {
  canary: canaryOf(),
  phase: 'Succeeded',
  images: { target: 'web:1', primary: 'web:1' },
  replicas: 0,
  routed: 0,
  applied: 'web:1',
  promoted: 'web:1',
};
const running: Left = {
  ...resting,
  phase: 'Progressing',
  images: { target: 'web:2', primary: 'web:1' },
  applied: 'web:2',
  replicas: 1,
  routed: 50,
  status: { canaryWeight: 50 },
};

const unasked = { get: () => assert.fail('asked'), close: async () => undefined };

suite('what it says of a canary', () => {
  test('at rest: it would be taken over as it is, and nothing is written', () =>
    onSite({ left: resting }, async ({ api, check }) => {
      const before = snapshot(api);
      const told = await check('-o', 'json');
      assert.equal(told.complained, '');
      const report = reportOf(told);
      assert.equal(told.code, 0, told.said);
      assert.equal(report.ok, true);
      const [canary] = report.canaries;
      assert.equal(canary?.phase, 'Succeeded');
      const codes = canary.findings.map(({ code }) => code);
      assert.ok(codes.includes('StatusTakenOver'));
      assert.ok(codes.includes('TargetMarked'));
      assert.deepEqual(snapshot(api), before);
      const text = await check();
      assert.match(text.said, /1 canary: each would be taken over as it is/);
    }));

  test('mid-rollout: that it is under way, and nothing of it would be rewritten', () =>
    onSite({ left: running }, async ({ api, check }) => {
      const before = snapshot(api);
      const told = await check('-o', 'json');
      assert.equal(told.code, 1, told.said);
      const [canary] = reportOf(told).canaries;
      assert.deepEqual(attentionOf(canary?.findings ?? []), ['RolloutInFlight']);
      assert.deepEqual(snapshot(api), before);
    }));

  test('changed while nobody looked: a rollout would start', () =>
    onSite(
      { left: { ...resting, images: { target: 'web:2', primary: 'web:1' } } },
      async ({ check }) => {
        const told = await check('-o', 'json');
        assert.equal(told.code, 1);
        const [canary] = reportOf(told).canaries;
        assert.ok(attentionOf(canary?.findings ?? []).includes('RolloutStarts'), told.said);
      },
    ));

  const refused: Readonly<Record<string, { readonly left: Left; readonly says: RegExp }>> = {
    'a provider whose API the cluster does not have': {
      left: { ...resting, canary: canaryOf({}, { provider: 'gatewayapi:v1' }) },
      says: /RoutingApiMissing: provider gatewayapi:v1 needs HTTPRoute/,
    },
    'a target that is not there': {
      left: {
        ...resting,
        canary: canaryOf(
          {},
          { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'elsewhere' } },
        ),
      },
      says: /! TargetNotFound/,
    },
    'an autoscaler that is not there': {
      left: {
        ...resting,
        canary: canaryOf(
          {},
          {
            autoscalerRef: {
              apiVersion: 'autoscaling/v2',
              kind: 'HorizontalPodAutoscaler',
              name: 'web',
            },
          },
        ),
      },
      says: /AutoscalerNotFound/,
    },
  };
  for (const [name, { left, says }] of Object.entries(refused)) {
    test(`${name} needs attention`, () =>
      onSite({ left }, async ({ check }) => {
        const told = await check();
        assert.equal(told.code, 1, told.said);
        assert.match(told.said, says);
      }));
  }

  test('a metric provider that this version does not have needs attention', (t) => {
    const provider = (type: string) => ({ type, address: 'http://metrics' });
    const template = (type: string): MetricTemplate => ({
      apiVersion: 'flagger.app/v1beta1',
      kind: 'MetricTemplate',
      metadata: { ...key, name: 'errors' },
      spec: { provider: provider(type), query: 'errors' },
    });
    const missing = ['keptn', 'splunk', 'graphite'].find((type) => {
      const made = providerOf(template(type), {}, unasked);
      return !made.ok && made.error.includes('does not support');
    });
    if (missing === undefined) return t.skip('this version has them all');
    const metrics = [{ name: 'errors', templateRef: { name: 'errors' }, threshold: 1 }];
    const left = { ...resting, canary: canaryOf({ metrics }) };
    return onSite({ left }, async ({ api, check }) => {
      await api.create(metricTemplates, template(missing));
      const told = await check();
      assert.equal(told.code, 1);
      assert.match(told.said, /MetricProvider: metric template default\/errors: /);
    });
  });

  test('a metric template that is not there needs attention', () => {
    const metrics = [{ name: 'errors', templateRef: { name: 'errors' }, threshold: 1 }];
    const left = { ...resting, canary: canaryOf({ metrics }) };
    return onSite({ left }, async ({ check }) => {
      const told = await check();
      assert.equal(told.code, 1);
      assert.match(told.said, /NoMetricTemplate: there is no metric template default\/errors/);
    });
  });

  test('rows of the defect tables that concern it are notes', () => {
    const alerts = [{ name: 'team', providerRef: { name: 'team' } }];
    const left = { ...resting, canary: canaryOf({ alerts }, { skipAnalysis: true }) };
    return onSite({ left }, async ({ check }) => {
      const told = await check('-o', 'json');
      const codes = reportOf(told).canaries[0]?.findings.map(({ code }) => code) ?? [];
      assert.ok(codes.includes('D6') && codes.includes('D34'), told.said);
      assert.equal(told.code, 0);
    });
  });

  test('a Service that somebody changed would be put right, by its path', () =>
    onSite({ left: resting }, async ({ api, check }) => {
      const apex = api.get(services, key) ?? assert.fail();
      await api.update(services, { ...apex, spec: { ...apex.spec, selector: { app: 'web' } } });
      const told = await check();
      assert.equal(told.code, 1);
      assert.match(told.said, /ObjectChanged: Service web would be changed: spec.selector/);
    }));
});

const reference = (replicas: number, args: readonly string[] = []): Deployment => {
  const words = { command: ['./flagger'], args };
  return {
    ...target,
    metadata: { namespace: 'kube-system', name: 'flagger' },
    spec: {
      ...target.spec,
      replicas,
      template: {
        ...target.spec.template,
        spec: {
          containers: [
            {
              name: 'flagger',
              image: 'ghcr.io/fluxcd/flagger:1.42.0',
              ...words,
            },
          ],
        },
      },
    },
  };
};

suite('what it says of the cluster', () => {
  test('two controllers at once: a Deployment that runs, and a lease that is held', () =>
    onSite({ left: resting }, async ({ api, check }) => {
      await api.create(deployments, reference(1));
      const now = microTime(Date.now());
      await api.create(leases, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace: 'kube-system', name: 'flagger-leader-election' },
        spec: { holderIdentity: 'flagger-1', leaseDurationSeconds: 60, renewTime: now },
      });
      const told = await check('-o', 'json');
      assert.equal(told.code, 1);
      assert.deepEqual(attentionOf(reportOf(told).cluster), ['TwoControllers', 'LeaseHeld']);
    }));

  test('a reference that is scaled to zero, and a lease that has run out, are none', () =>
    onSite({ left: resting }, async ({ api, check }) => {
      await api.create(deployments, reference(0));
      await api.create(leases, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace: 'kube-system', name: 'flagger-leader-election' },
        spec: {
          holderIdentity: 'flagger-1',
          leaseDurationSeconds: 60,
          renewTime: microTime(Date.now() - 120_000),
        },
      });
      const told = await check('-o', 'json');
      assert.equal(told.code, 0, told.said);
    }));

  test('the arguments of its Deployment are taken over', () =>
    onSite({ left: resting }, async ({ api, check }) => {
      await api.create(
        deployments,
        reference(0, ['-mesh-provider=gatewayapi:v1', '-log-level=info']),
      );
      const told = await check();
      assert.equal(told.code, 1);
      assert.match(told.said, /provider gatewayapi:v1 needs HTTPRoute/);
      const other = await check('--mesh-provider', 'istio');
      assert.equal(other.code, 0, other.said);
    }));

  test('definitions of the reference would drop what the controller writes', () =>
    onSite({ left: resting, definitions: 'test/crds/flagger' }, async ({ check }) => {
      const told = await check('-o', 'json');
      assert.equal(told.code, 1);
      assert.deepEqual(attentionOf(reportOf(told).cluster), ['OldDefinition']);
    }));

  test('rights that nobody has given', () =>
    onSite({ left: resting, isPrepared: false }, async ({ check }) => {
      const told = await check();
      assert.equal(told.code, 1);
      assert.match(
        told.said,
        /NoRights: there is no ClusterRole aviary: apply manifests\/rbac.yaml/,
      );
    }));

  test('no canary at all is nothing to worry about', () =>
    onSite({}, async ({ check }) => {
      const told = await check();
      assert.equal(told.code, 0, told.said);
      assert.match(told.said, /0 canaries/);
    }));
});

suite('the command line', () => {
  const cases: Readonly<Record<string, readonly [readonly string[], number, RegExp]>> = {
    'help is printed': [['--help'], 0, /Exit codes: 0 nothing to worry about/],
    'without --check nothing is done': [[], 2, /say --check/],
    'an unknown format is refused': [['--check', '-o', 'xml'], 2, /use text or json/],
    'an unknown flag is refused': [['--check', '--fix'], 2, /--fix/],
    'no configuration: could not look': [['--check'], 2, /could not look/],
    'a cluster that does not answer': [
      ['--check', '--kubeconfig', '/nonexistent/kubeconfig'],
      2,
      /could not look/,
    ],
  };
  for (const [name, [argv, code, says]] of Object.entries(cases)) {
    test(name, async () => {
      const told = await run(argv);
      assert.equal(told.code, code);
      assert.match(told.said + told.complained, says);
    });
  }
});
