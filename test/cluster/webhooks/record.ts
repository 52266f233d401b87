/**
 * Writes `test/golden/cluster/webhooks.json`: what a real API server makes of the webhooks of
 * `cases.ts`. To be run by hand when the cases, or the version of Kubernetes, changed:
 *
 *   node --import tsx test/cluster/webhooks/record.ts
 */
import { writeFile } from 'node:fs/promises';
import { connectAsAdmin } from '../admin-calls.ts';
import type { AdminCalls, Reply } from '../admin-calls.ts';
import { startControlPlane } from '../control-plane.ts';
import type { ControlPlane } from '../control-plane.ts';
import { createAuthority } from '../identity.ts';
import { freePorts } from '../../support/ports.ts';
import { until } from '../../support/until.ts';
import { cases, namespaceLabels, objectOf, otherNamespace, webhooksOf } from './cases.ts';
import type { Hook, Place, Script, WebhookCase, Write } from './cases.ts';
import { goldenPath, lasting, portless } from './golden.ts';
import type { Recorded } from './golden.ts';
import { startWebhooks } from './server.ts';
import type { WebhookServer } from './server.ts';

type Send = AdminCalls['send'];

async function configure(
  send: Send,
  kind: 'Mutating' | 'Validating',
  hooks: Readonly<Record<string, Hook>> | undefined,
  place: Place,
): Promise<void> {
  const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`;
  for (const webhooks of webhooksOf(hooks, place)) {
    const name = webhooks[0]?.name;
    const reply = await send({
      method: 'POST',
      path,
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: `${kind}WebhookConfiguration`,
        metadata: { name: `${name}.${place.label}` },
        webhooks,
      },
    });
    if (reply.status !== 201) throw new Error(`${place.label}: ${JSON.stringify(reply.body)}`);
  }
}

async function write(send: Send, name: string, it: Partial<Write>): Promise<Reply> {
  const { verb = 'create', kind = 'ConfigMap', dryRun = false, namespace = 'default' } = it;
  const root = kind === 'ConfigMap' ? '/api/v1' : '/apis/apps/v1';
  const path = `${root}/namespaces/${namespace}/${kind.toLowerCase()}s`;
  const query = dryRun ? '?dryRun=All' : '';
  switch (verb) {
    case 'create':
      return send({ method: 'POST', path: `${path}${query}`, body: objectOf(name, it) });
    case 'update':
      return send({
        method: 'PUT',
        path: `${path}/${name}${query}`,
        body: { ...objectOf(name, it), data: { here: 'y' } },
      });
    case 'delete':
      return send({ method: 'DELETE', path: `${path}/${name}${query}` });
    case 'scale':
      return send({
        method: 'PUT',
        path: `${path}/${name}/scale`,
        body: {
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: { name, namespace },
          spec: { replicas: 3 },
        },
      });
  }
}

function recorded({ status, body, warnings }: Reply, asked: WebhookServer['questions']): Recorded {
  const { message, reason, details, code, data, spec } = body;
  const said = body['status'] === 'Failure' ? { message, reason, details, code } : { data, spec };
  const text = portless(JSON.stringify({ status, warnings, body: said }));
  return {
    ...(JSON.parse(text) as Omit<Recorded, 'asked'>),
    asked: asked.map(({ path, review }) => ({
      name: path.replace(/^.*\//, ''),
      request: lasting(review.request),
    })),
  };
}

async function record(plane: ControlPlane): Promise<Readonly<Record<string, Recorded>>> {
  const { send, close } = await connectAsAdmin(plane);
  const authority = await createAuthority();
  const scripts = new Map<string, Script>();
  const server = await startWebhooks(await authority.issueServing(), scripts);
  const [closedPort = 0] = await freePorts(1);
  const caBundle = Buffer.from(authority.certificatePem).toString('base64');
  const placeOf = (label: string): Place => ({
    label,
    caBundle,
    urlOf: (name, script) => {
      const path = `/${label}/${name}`;
      scripts.set(path, script);
      return `https://127.0.0.1:${script.kind === 'closed' ? closedPort : server.port}${path}`;
    },
  });
  const namespace = { metadata: { name: otherNamespace, labels: namespaceLabels } };
  await send({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
  const entries: readonly (readonly [string, WebhookCase])[] = Object.entries(cases);
  // What is updated, scaled or deleted is there before anybody listens.
  for (const [at, [, it]] of entries.entries()) {
    if ((it.write?.verb ?? 'create') !== 'create') {
      await write(send, `case-${at}`, { ...it.write, verb: 'create' });
    }
  }
  for (const [at, [, it]] of entries.entries()) {
    await configure(send, 'Mutating', it.mutating, placeOf(`case-${at}`));
    await configure(send, 'Validating', it.validating, placeOf(`case-${at}`));
  }
  const probe: Hook = { does: { kind: 'allow' } };
  await configure(send, 'Mutating', { 'probe.test.io': probe }, placeOf('probe'));
  await configure(send, 'Validating', { 'probe2.test.io': probe }, placeOf('probe'));
  await until('the webhooks are asked', async () => {
    await write(send, 'probe', { dryRun: true });
    const paths = new Set(server.questions.map(({ path }) => path));
    return paths.has('/probe/probe.test.io') && paths.has('/probe/probe2.test.io');
  });
  const results: Record<string, Recorded> = {};
  for (const [at, [title, it]] of entries.entries()) {
    server.questions.length = 0;
    const reply = await write(send, `case-${at}`, it.write ?? {});
    results[title] = recorded(reply, server.questions);
  }
  close();
  await server.close();
  return results;
}

const plane = await startControlPlane({ controllers: false, nodes: 0 });
try {
  const results = await record(plane);
  const lines = Object.entries(results).map(
    ([title, it]) => `${JSON.stringify(title)}: ${JSON.stringify(it)}`,
  );
  await writeFile(goldenPath, `{\n${lines.join(',\n')}\n}\n`);
} finally {
  await plane.stop();
}
