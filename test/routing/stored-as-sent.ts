/**
 * The laws that the API server's answer to a provider's objects obeys, whichever server it is and
 * whichever CRDs it has: they are accepted, nothing of them is lost, and what users add to them
 * survives our next write.
 */
import assert from 'node:assert/strict';
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import { mergePatchBetween } from '../../src/kube/merge-patch.ts';
import type { Resource } from '../../src/kube/resources.ts';
import { pathOf, services } from '../../src/kube/resources.ts';
import type {
  LiveRoutes,
  RenderedRoute,
  RoutingProvider,
  Split,
} from '../../src/routing/provider.ts';
import type { AdminCalls } from '../cluster/admin-calls.ts';
import { difference } from './conform.ts';
import type { GoldenCase } from './golden-cases.ts';

/** Fields of users, by kind (with its group where two have one name), that no provider writes and every version of the CRD knows. */
const usersFields: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  VirtualService: { exportTo: ['.'] },
  DestinationRule: { exportTo: ['.'] },
  HTTPProxy: { includes: [{ name: 'shop' }] },
  TraefikService: { weighted: { sticky: { cookie: { name: 'lb' } } } },
  RouteTable: { weight: 5 },
  Upstream: { useHttp2: true },
  'appmesh.k8s.aws/VirtualService': {},
};
const usersMetadata = {
  labels: { 'example.com/team': 'shop' },
  annotations: { 'example.com/note': 'ours' },
};

type Send = AdminCalls['send'];
type Body = KubeObject & { readonly spec?: Json };

/** Checks one golden case in a namespace of its own. Answers the refusal, if there is one. */
export async function checkStored(
  provider: RoutingProvider,
  golden: GoldenCase,
  namespace: string,
  send: Send,
): Promise<string | undefined> {
  const { metadata, ...rest } = golden.canary;
  const canary = { ...rest, metadata: { ...metadata, namespace } };
  const keys = [...provider.routeKeys(canary), ...(provider.sourceKeys?.(canary) ?? [])];
  const render = (split: Split, live: LiveRoutes): readonly RenderedRoute[] => {
    const rendered = provider.render(canary, split, golden.cookies, live);
    assert.ok(rendered.ok, rendered.ok ? '' : rendered.error);
    return rendered.objects;
  };
  const sources = golden.live.map((object) => ({
    resource: resourceOf(object, keys),
    name: object.metadata.name,
  }));
  const stored = () => readAll([...keys, ...sources], namespace, send);
  const write = async (split: Split): Promise<string | undefined> => {
    const routes = render(split, await stored());
    for (const route of routes) {
      const refusal = await writeRoute(route, send);
      if (refusal !== undefined) return refusal;
    }
    const live = await stored();
    for (const { resource, wanted } of routes) {
      const found = live({ resource, name: wanted.metadata.name });
      assert.deepEqual(missingIn(found, ours(wanted)), [], 'what is stored is what was sent');
    }
    const again = render(split, live);
    assert.deepEqual(again.map(difference), again.map(nothing), 'there is nothing left to write');
    assert.deepEqual(provider.read(canary, live), split);
    return undefined;
  };

  await send({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  });
  await supply(golden.live, keys, namespace, send);
  const refusal = await write(golden.split);
  if (refusal !== undefined) return refusal;

  const routes = render(golden.split, await stored());
  for (const { resource, wanted } of routes) await editAsUser(resource, wanted, send);
  assert.equal(await write(otherThan(golden.split)), undefined);
  const live = await stored();
  for (const { resource, wanted } of routes) {
    const found = live({ resource, name: wanted.metadata.name });
    assert.deepEqual(missingIn(found, editOf(wanted)), [], 'what users set survives');
  }
  for (const { resource, wanted } of routes) {
    await send({ method: 'DELETE', path: pathFor(resource, wanted.metadata) });
  }
  return undefined;
}

/** Without what the API server keeps account of. */
function ours(object: KubeObject): object {
  const {
    managedFields: _,
    resourceVersion: __,
    generation: ___,
    ...metadata
  } = object.metadata as KubeObject['metadata'] & { readonly managedFields?: unknown };
  return { ...object, metadata };
}

const nothing = (): undefined => undefined;

const otherThan = ({ canary }: Split): Split =>
  canary === 0
    ? { primary: 0, canary: 100, mirrored: false }
    : { primary: 100, canary: 0, mirrored: false };

function pathFor(
  resource: Resource<KubeObject>,
  { name, namespace }: { readonly name: string; readonly namespace?: string | undefined },
): string {
  return pathOf(resource, { namespace, name });
}

async function readAll(
  keys: ReturnType<RoutingProvider['routeKeys']>,
  namespace: string,
  send: Send,
): Promise<LiveRoutes> {
  const found = new Map<string, KubeObject>();
  for (const { resource, name } of keys) {
    const reply = await send({ method: 'GET', path: pathFor(resource, { name, namespace }) });
    if (reply.status === 200) {
      found.set(`${resource.plural}/${name}`, reply.body as unknown as KubeObject);
    }
  }
  return ({ resource, name }) => found.get(`${resource.plural}/${name}`);
}

/** As the controller writes; refused are also fields that the server does not know. */
async function writeRoute(
  { resource, live, wanted }: RenderedRoute,
  send: Send,
): Promise<string | undefined> {
  const { namespace, name } = wanted.metadata;
  const strict = '?fieldValidation=Strict';
  const patch = live && mergePatchBetween(asJson(live), asJson(wanted));
  if (live !== undefined && patch === undefined) return undefined;
  const reply =
    patch === undefined
      ? await send({
          method: 'POST',
          path: `${pathOf(resource, { namespace })}${strict}`,
          body: wanted,
        })
      : await send({
          method: 'PATCH',
          path: `${pathOf(resource, { namespace, name })}${strict}`,
          body: patch,
          type: 'application/merge-patch+json',
        });
  if (reply.status >= 400) return String(reply.body['message']);
  assert.deepEqual(reply.warnings, []);
  return undefined;
}

function resourceOf(
  { apiVersion, kind }: KubeObject,
  keys: ReturnType<RoutingProvider['routeKeys']>,
): Resource<KubeObject> {
  if (kind === services.kind && apiVersion === 'v1') return services;
  const key = keys.find(({ resource }) => resource.kind === kind);
  assert.ok(key, `no key of the provider is of kind ${kind}`);
  return key.resource;
}

/** What was there before: of the provider's own kinds, and of others that it reads. */
async function supply(
  objects: readonly KubeObject[],
  keys: ReturnType<RoutingProvider['routeKeys']>,
  namespace: string,
  send: Send,
): Promise<void> {
  for (const object of objects) {
    const metadata = { ...object.metadata, namespace };
    const path = pathOf(resourceOf(object, keys), { namespace });
    const reply = await send({ method: 'POST', path, body: { ...object, metadata } });
    assert.ok(reply.status < 300, String(reply.body['message']));
  }
}

function editOf(object: KubeObject) {
  const { apiVersion, kind, metadata } = object;
  const [group = ''] = apiVersion.split('/');
  const own = (object as Body).spec as Readonly<Record<string, Json>>;
  const spec = Object.fromEntries(
    Object.entries(usersFields[`${group}/${kind}`] ?? usersFields[kind] ?? {}).filter(
      ([field, value]) => own[field] === undefined || !Array.isArray(value),
    ),
  );
  const { name, namespace } = metadata;
  return { kind, metadata: { name, namespace, ...usersMetadata }, spec };
}

async function editAsUser(
  resource: Resource<KubeObject>,
  wanted: KubeObject,
  send: Send,
): Promise<void> {
  const { metadata, spec } = editOf(wanted);
  const type = 'application/merge-patch+json';
  const body = { metadata: usersMetadata, spec };
  const path = `${pathFor(resource, metadata)}?fieldValidation=Strict`;
  const reply = await send({ method: 'PATCH', path, body, type });
  assert.equal(reply.status, 200, String(reply.body['message']));
}

/** Paths of what `sent` has and `found` has not, or has otherwise. */
function missingIn(found: unknown, sent: unknown, path = ''): readonly string[] {
  if (typeof sent !== 'object' || sent === null) return Object.is(found, sent) ? [] : [path];
  if (typeof found !== 'object' || found === null) return isEmpty(sent) ? [] : [path];
  const fields = found as Readonly<Record<string, unknown>>;
  const isShorter = Array.isArray(sent) && (found as readonly unknown[]).length !== sent.length;
  const inside = Object.entries(sent).flatMap(([key, value]) =>
    value === undefined ? [] : missingIn(fields[key], value, `${path}.${key}`),
  );
  return isShorter ? [path, ...inside] : inside;
}

/** The API server stores no empty labels. */
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

const asJson = (object: KubeObject): Json => object as unknown as Json;
