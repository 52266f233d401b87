/**
 * The registration on a real API server: its conditions compile, send what they should and nobody
 * else's objects, and cost nobody anything when no replica answers.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { WebhookAddress } from '../../src/admission/registration.ts';
import { ensureRegistration } from '../../src/admission/registration.ts';
import type { AdmissionServer } from '../../src/admission/server.ts';
import { createAdmissionApp, serveAdmission } from '../../src/admission/server.ts';
import type { Canary } from '../../src/api/canary.ts';
import type { Deployment } from '../../src/api/kubernetes.ts';
import {
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../../src/api/providers.ts';
import { validateCanary } from '../../src/api/validate.ts';
import { caBundleOf } from '../../src/certs/bundle.ts';
import { issueLeaf, makeAuthority } from '../../src/certs/x509.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { connect } from '../../src/kube/config.ts';
import { deployments, mutatingWebhookConfigurations } from '../../src/kube/resources.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import type { Kubectl } from '../e2e/kubectl.ts';
import { kubectlOf, repository } from '../e2e/kubectl.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { podinfoCanary } from './podinfo.ts';

const { signal } = new AbortController();
const controller = { namespace: 'default', name: 'aviary' };
const user = 'system:serviceaccount:default:aviary';
const stamp = { 'aviary.dev/canary': 'podinfo' };

function manifest(name: string, annotations: Record<string, string>, replicas = 0): Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default', annotations },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'app', image: 'app:1' }] },
      },
    },
  };
}

suite('on a real API server', { skip: await controlPlaneOrSkip() }, () => {
  let cluster: ControlPlane;
  let kubectl: Kubectl;
  let admin: KubeClient;
  let own: KubeClient;
  let server: AdmissionServer;
  let address: WebhookAddress;
  const reviewed: string[] = [];
  const noticed: string[] = [];
  const key = { namespace: 'default', name: 'podinfo' };

  const clientOf = (kubeconfig: string): KubeClient =>
    createKubeClient(connect({ kubeconfig, master: '', environment: {}, clock: systemClock }), {
      qps: 100,
      burst: 100,
      userAgent: 'aviary/test',
      clock: systemClock,
      onCall: () => undefined,
    });
  const authorityMade = makeAuthority(Date.now());

  async function trust(caBundle: string): Promise<void> {
    await ensureRegistration(admin, { address, user, caBundle }, signal);
  }

  before(async () => {
    cluster = await startControlPlane({ nodes: 0, controllers: false });
    kubectl = kubectlOf(cluster, 'default');
    await kubectl(['apply', '--server-side', '-f', repository('manifests/crds')]);
    await kubectl(['create', 'serviceaccount', controller.name]);
    const role = ['--clusterrole=cluster-admin', '--serviceaccount=default:aviary'];
    await kubectl(['create', 'clusterrolebinding', 'aviary', ...role]);
    admin = clientOf(cluster.kubeconfigPath);
    own = clientOf(await cluster.kubeconfigFor(controller));
    await listen();
    const authority = await authorityMade;
    await trust(authority.certificate);
    await kubectl(['create', '-f', '-'], JSON.stringify(manifest('podinfo', stamp)));
    // Configurations reach admission by a watch of the API server.
    await until('reviews come', async () => {
      await kubectl(['set', 'image', 'deployment/podinfo', 'app=app:0', '--dry-run=server']);
      return reviewed.length > 0;
    });
  });
  after(async () => {
    admin?.close();
    own?.close();
    await server?.close();
    await cluster?.stop();
  });

  async function listen(): Promise<void> {
    const canary: Canary = podinfoCanary();
    const app = createAdmissionApp({
      lookup: {
        configTracking: true,
        isKnownGood: () => false,
        config: () => undefined,
        canaryOf: (_, { name }) => {
          reviewed.push(name);
          return name === 'podinfo' ? canary : undefined;
        },
      },
      validation: {
        validate: (given) =>
          validateCanary(given, {
            providers: supportedProviders,
            targetKinds: supportedTargetKinds,
            autoscalerKinds: supportedAutoscalerKinds,
            noCrossNamespaceRefs: false,
            meshProvider: 'istio',
          }),
        canariesOf: () => [],
        canary: () => undefined,
        hasTarget: (_, { name }) => name === 'podinfo',
      },
      noticed: (notice) => void noticed.push(notice.canary),
      telemetry: { admission: () => undefined },
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: (fields) => assert.fail(JSON.stringify(fields)),
      },
      now: () => systemClock.now(),
      steadyMs: () => systemClock.monotonic(),
    });
    const leaf = await issueLeaf(await authorityMade, ['127.0.0.1'], Date.now());
    const [port = 0] = await freePorts(1);
    server = await serveAdmission(app, port, leaf);
    address = { kind: 'Url', url: `https://127.0.0.1:${port}` };
  }

  /** The names of the Deployments that were sent while something was done. */
  async function sentBy(change: () => Promise<unknown>): Promise<readonly string[]> {
    reviewed.length = 0;
    await change();
    return [...reviewed];
  }
  const live = (name = 'podinfo'): Promise<Deployment> =>
    admin.get(deployments, { ...key, name }, { signal });
  let images = 1;
  const setImage = (name = 'podinfo', ...flags: string[]) => {
    images += 1;
    return kubectl(['set', 'image', `deployment/${name}`, `app=app:${images}`, ...flags]);
  };

  test('a change is stamped, and kubectl shows what comes next', async () => {
    const { stderr } = await setImage();
    assert.match(stderr, /^Warning: podinfo: this starts a canary analysis/);
    const { metadata } = await live();
    assert.match(metadata.annotations?.['aviary.dev/revision'] ?? '', /^[0-9a-f]{10}$/);
    assert.equal(metadata.annotations?.['aviary.dev/changed-by'], 'kubernetes-admin');
    assert.match(metadata.annotations?.['aviary.dev/change-cause'] ?? '', /^image app: app:1 -> /);
  });

  test('nobody else’s Deployment is sent, whatever happens to it', async () => {
    const sent = await sentBy(async () => {
      await kubectl(['create', '-f', '-'], JSON.stringify(manifest('other', {})));
      await setImage('other');
      await kubectl(['annotate', 'deployment/other', 'a=b']);
      await kubectl(['patch', 'deployment/other', '-p', '{"spec":{"replicas":3}}']);
      await kubectl(['delete', 'deployment/other']);
    });
    assert.deepEqual(sent, []);
  });

  const changes: Record<string, [readonly string[], number]> = {
    'of its image is sent': [['set', 'image', 'deployment/podinfo', 'app=app:again'], 1],
    'of its replicas is sent': [
      ['patch', 'deployment/podinfo', '-p', '{"spec":{"replicas":2}}'],
      1,
    ],
    'by rollout restart is sent': [['rollout', 'restart', 'deployment/podinfo'], 1],
    'of a label of its own is not': [['label', 'deployment/podinfo', 'team=a'], 0],
    'of its strategy is not': [
      ['patch', 'deployment/podinfo', '-p', '{"spec":{"minReadySeconds":3}}'],
      0,
    ],
    'to what it is already is not': [['set', 'env', 'deployment/podinfo', 'GONE-'], 0],
    'through the scale subresource is not: who types it means it': [
      ['scale', 'deployment/podinfo', '--replicas=1'],
      0,
    ],
    'of its status is not': [
      ['patch', 'deployment/podinfo', '--subresource=status', '-p', '{"status":{"replicas":1}}'],
      0,
    ],
  };
  for (const [what, [args, count]] of Object.entries(changes)) {
    test(`a change ${what}`, async () => {
      const sent = await sentBy(() => kubectl(args));
      assert.deepEqual(
        sent,
        Array.from({ length: count }, () => 'podinfo'),
      );
    });
  }

  test('our own writes are not sent', async () => {
    const patch = (replicas: number) =>
      own.patch(deployments, key, { type: 'merge', body: { spec: { replicas } } }, { signal });
    const sent = await sentBy(async () => {
      assert.equal((await patch(4)).spec.replicas, 4);
      assert.equal((await patch(0)).spec.replicas, 0);
    });
    assert.deepEqual(sent, []);
  });

  test('a replacement that drops the stamp is still sent, and keeps it', async () => {
    const replaced = manifest('podinfo', {});
    const sent = await sentBy(() => kubectl(['replace', '-f', '-'], JSON.stringify(replaced)));
    assert.deepEqual(sent, ['podinfo']);
    const { metadata } = await live();
    assert.equal(metadata.annotations?.['aviary.dev/changed-by'], 'kubernetes-admin');
    assert.equal(metadata.annotations?.['aviary.dev/canary'], 'podinfo', 'it is put back');
  });

  test('a stamp without a Canary is taken off at the first change', async () => {
    const orphan = manifest('orphan', stamp);
    await own.create(deployments, orphan, { signal });
    assert.deepEqual(await sentBy(() => setImage('orphan')), ['orphan']);
    assert.equal((await live('orphan')).metadata.annotations?.['aviary.dev/canary'], undefined);
    assert.deepEqual(await sentBy(() => setImage('orphan')), []);
  });

  test('a dry run shows what would be stored, and nobody is told', async () => {
    noticed.length = 0;
    const { stdout } = await setImage('podinfo', '--dry-run=server', '-o', 'json');
    const shown = JSON.parse(stdout) as Deployment;
    assert.match(shown.metadata.annotations?.['aviary.dev/revision'] ?? '', /^[0-9a-f]{10}$/);
    assert.deepEqual(noticed, []);
    const before = await live();
    await setImage();
    assert.deepEqual(noticed, ['podinfo']);
    assert.notEqual((await live()).metadata.resourceVersion, before.metadata.resourceVersion);
  });

  for (const [what, flags] of [
    ['kubectl apply', []],
    ['server-side apply, as Flux does', ['--server-side', '--force-conflicts']],
  ] as const) {
    test(`${what} of a manifest with replicas, again and again, writes nothing after the first`, async () => {
      const text = JSON.stringify(manifest('podinfo', stamp, 3));
      const apply = () => kubectl(['apply', ...flags, '-f', '-'], text);
      await apply();
      // API servers sort managedFields by whole seconds: an apply in a later second than the write of
      // another manager moves its entry, once.
      const second = () => Math.floor(Date.now() / 1000);
      const appliedAt = second();
      await until('the next second', () => second() > appliedAt);
      await apply();
      const first = await live();
      assert.equal(first.spec.replicas, 0);
      assert.equal(first.metadata.annotations?.['aviary.dev/replicas'], '3');
      const { stderr } = await apply();
      assert.match(stderr, /Warning: podinfo: replicas stay at 0/);
      assert.deepEqual(await live(), first);
    });
  }

  test('a Canary that can never work is refused, one that may come to work is stored', async () => {
    const { status: _, ...canary } = podinfoCanary();
    const { name } = canary.metadata;
    const fresh = (spec: object) =>
      JSON.stringify({ ...canary, metadata: { name }, spec: { ...canary.spec, ...spec } });
    const falling = { analysis: { interval: '1m', threshold: 1, stepWeights: [20, 10] } };
    await assert.rejects(kubectl(['apply', '-f', '-'], fresh(falling)), /weights must rise/);
    const absent = { targetRef: { ...canary.spec.targetRef, name: 'later' } };
    const { stderr } = await kubectl(['apply', '-f', '-'], fresh(absent));
    assert.match(stderr, /Warning: spec\.targetRef: there is no Deployment later/);
  });

  test('asked again, it finds nothing to write: the API server’s defaults are no difference', async () => {
    const find = () =>
      admin.get(mutatingWebhookConfigurations, { namespace: '', name: 'aviary' }, { signal });
    const found = await find();
    await trust((await authorityMade).certificate);
    assert.equal((await find()).metadata.resourceVersion, found.metadata.resourceVersion);

    const { certificate: caBundle } = await authorityMade;
    const service = { kind: 'Service', namespace: 'default', name: 'aviary', port: 443 } as const;
    await ensureRegistration(admin, { address: service, user, caBundle }, signal);
    const [inCluster] = (await find())['webhooks'] as { clientConfig: Record<string, unknown> }[];
    assert.deepEqual(Object.keys(inCluster?.clientConfig ?? {}).toSorted(), [
      'caBundle',
      'service',
    ]);
    await trust(caBundle);
    const [outside] = (await find())['webhooks'] as { clientConfig: Record<string, unknown> }[];
    assert.deepEqual(Object.keys(outside?.clientConfig ?? {}).toSorted(), ['caBundle', 'url']);
    await until('reviews come again', async () => (await sentBy(() => setImage())).length > 0);
  });

  test('no change is missed while the CA is replaced', async () => {
    const former = await authorityMade;
    const authority = await makeAuthority(Date.now());
    const leaf = await issueLeaf(authority, ['127.0.0.1'], Date.now());
    const bundle = { authority, leaf, formerAuthority: former.certificate };
    await trust(caBundleOf(bundle));
    assert.deepEqual(await sentBy(() => setImage()), ['podinfo']);
    server.useCertificate(leaf);
    assert.deepEqual(await sentBy(() => setImage()), ['podinfo']);
    await trust(authority.certificate);
    assert.deepEqual(await sentBy(() => setImage()), ['podinfo']);
  });

  test('with nobody listening a change passes, and without a word', async () => {
    await server.close();
    const { stderr } = await setImage();
    assert.equal(stderr, '');
  });
});
