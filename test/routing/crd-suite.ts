/**
 * Every golden object of every provider under every version of the real CRDs that we have: accepted,
 * stored as it was sent, and users' own fields in it survive. For any API server.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { Resource } from '../../src/kube/resources.ts';
import type { RoutingProvider } from '../../src/routing/provider.ts';
import type { AdminCalls } from '../cluster/admin-calls.ts';
import { until } from '../support/until.ts';
import type { CrdFile } from './crd-files.ts';
import { crdChoices } from './crd-files.ts';
import { goldenCases, goldenProviders } from './golden-cases.ts';
import { checkStored } from './stored-as-sent.ts';

/** What a version of a CRD does not have, by provider, golden file and CRD; and its answer. */
const refusals: Readonly<Record<string, RegExp>> = {
  // CORS came to the standard channel with v1.5.
  'gatewayapi:v1 cors gateway-api-v1.4/standard.httproutes.gateway.networking.k8s.io.yaml':
    /strict decoding error: unknown field "spec\.rules\[0\]\.filters\[0\]\.cors"/,
};

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export async function checkAll(send: AdminCalls['send'], context: TestContext): Promise<void> {
  for (const provider of goldenProviders()) {
    for (const choice of choicesOf(provider)) {
      await context.test(nameOf(provider, choice), (inner) =>
        checkUnder(choice, provider, send, inner),
      );
    }
  }
}

/** Where the resources are the same for all files, as they are today. */
function choicesOf(provider: RoutingProvider): readonly (readonly CrdFile[])[] {
  const resources = new Set<Resource<KubeObject>>();
  for (const { canary } of goldenCases(provider.name)) {
    for (const { resource } of provider.routeKeys(canary)) resources.add(resource);
  }
  const choices = crdChoices([...resources]);
  assert.ok(choices.length > 0, `test/crds lacks a CRD of provider ${provider.name}`);
  return choices;
}

const nameOf = ({ name }: RoutingProvider, choice: readonly CrdFile[]): string =>
  `${name} under ${choice.map(({ path }) => path).join(', ') || 'what is built in'}`;

let serial = 0;

async function checkUnder(
  choice: readonly CrdFile[],
  provider: RoutingProvider,
  send: AdminCalls['send'],
  context: TestContext,
): Promise<void> {
  for (const file of choice) await install(file, send);
  for (const golden of goldenCases(provider.name)) {
    await context.test(golden.name, async () => {
      serial += 1;
      const refusal = await checkStored(provider, golden, `golden-${serial}`, send);
      const expected = choice
        .map(({ path }) => refusals[`${provider.name} ${golden.name} ${path}`])
        .find((it) => it !== undefined);
      if (expected === undefined) assert.equal(refusal, undefined);
      else assert.match(refusal ?? 'accepted', expected);
    });
  }
  for (const file of choice) await remove(file, send);
}

async function install({ definition }: CrdFile, send: AdminCalls['send']): Promise<void> {
  const reply = await send({ method: 'POST', path: definitions, body: definition });
  assert.equal(reply.status, 201, String(reply.body['message']));
  const { group, names, versions } = definition.spec;
  for (const { name, served } of versions) {
    if (!served) continue;
    await until(`${names.plural} of ${group}/${name} served`, async () => {
      const { status } = await send({
        method: 'GET',
        path: `/apis/${group}/${name}/${names.plural}`,
      });
      return status === 200;
    });
  }
}

async function remove({ definition }: CrdFile, send: AdminCalls['send']): Promise<void> {
  const path = `${definitions}/${definition.metadata.name}`;
  await send({ method: 'DELETE', path });
  await until(`${path} removed`, async () => (await send({ method: 'GET', path })).status === 404);
}
