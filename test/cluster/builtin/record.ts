/**
 * `make record-builtin`: asks a real API server what it makes of each case, and writes it into
 * `test/golden/cluster/builtin.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Json } from '../../../src/api/kubernetes.ts';
import { builtInTypes } from '../../../src/cluster/builtin/types.ts';
import type { ResourceType } from '../../../src/cluster/resource-type.ts';
import { apiVersionOf } from '../../../src/cluster/resource-type.ts';
import { applyMergePatch } from '../../../src/kube/merge-patch.ts';
import type { ControlPlane } from '../control-plane.ts';
import { startControlPlane } from '../control-plane.ts';
import type { Case, JsonObject } from './cases.ts';
import { cases, goldenNamespace, nameOf } from './cases.ts';
import type { Answer, Recorded } from './golden.ts';
import { goldenPath, masked, maskedCells, without } from './golden.ts';

type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

interface CallOptions {
  readonly body?: JsonObject;
  readonly accept?: string;
}

const tableForm = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const types = builtInTypes();

const plane = await startControlPlane({
  controllers: false,
  nodes: 0,
  extraApiServerArgs: [
    '--service-cluster-ip-range=10.96.0.0/12',
    // Nobody would take its finalizers away.
    '--disable-admission-plugins=StorageObjectInUseProtection',
  ],
});
try {
  const call = callsOf(plane);
  await prepare(call);
  const recorded: Record<string, Recorded> = {};
  for (const [index, [name, it]] of Object.entries(cases).entries()) {
    recorded[name] = await record(call, it, nameOf(index));
  }
  const golden = {
    cases: recorded,
    columns: await columns(call),
    discovery: await discovery(call),
  };
  writeFileSync(goldenPath, `${JSON.stringify(golden, undefined, 1)}\n`);
} finally {
  await plane.stop();
}

/** What pods of the cases need, without tokens, whose volumes have random names. */
async function prepare(call: Call): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: goldenNamespace } };
  await call('POST', '/api/v1/namespaces', { body });
  for (const name of ['default', 'shop']) {
    await call('POST', `/api/v1/namespaces/${goldenNamespace}/serviceaccounts`, {
      body: {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name },
        automountServiceAccountToken: false,
      },
    });
  }
}

async function record(
  call: Call,
  { create, update, status }: Case,
  name: string,
): Promise<Recorded> {
  const type = typeOf(create);
  const named = { ...create, metadata: { name, ...(create['metadata'] as JsonObject) } };
  const created = await call('POST', `${pathOf(type)}?fieldValidation=Strict`, { body: named });
  const item = `${pathOf(type)}/${named.metadata.name}`;
  const shown = (answer: Answer): Answer => ({ ...answer, body: masked(answer.body, create) });
  if (created.code !== 201 || type.answer !== undefined) return { created: shown(created) };
  const replaced =
    update === undefined
      ? undefined
      : await call('PUT', item, { body: applyMergePatch(created.body, update) as JsonObject });
  const live = replaced?.code === 200 ? replaced.body : created.body;
  const withStatus =
    status === undefined
      ? undefined
      : await call('PUT', `${item}/status`, {
          body: { ...live, status: { ...(live['status'] as JsonObject), ...status } },
        });
  const row = await cells(call, item);
  // It would be asked about all that follows.
  if (type.plural.endsWith('webhookconfigurations')) await call('DELETE', item);
  return {
    created: shown(created),
    ...(replaced !== undefined && { updated: shown(replaced) }),
    ...(withStatus !== undefined && { withStatus: shown(withStatus) }),
    cells: row,
  };
}

async function cells(call: Call, path: string): Promise<readonly Json[]> {
  const { body } = await call('GET', `${path}?includeObject=None`, { accept: tableForm });
  const table = body as unknown as {
    readonly columnDefinitions: readonly { readonly name: string }[];
    readonly rows: readonly { readonly cells: readonly Json[] }[];
  };
  const names = table.columnDefinitions.map(({ name }) => name);
  return maskedCells(table.rows[0]?.cells ?? [], names);
}

async function columns(call: Call): Promise<Record<string, readonly Json[]>> {
  const found: Record<string, readonly Json[]> = {};
  for (const type of types) {
    if (type.answer !== undefined) continue;
    const { body } = await call('GET', pathOf(type), { accept: tableForm });
    const { columnDefinitions } = body as unknown as { readonly columnDefinitions: JsonObject[] };
    found[`${apiVersionOf(type)}/${type.plural}`] = columnDefinitions.map((it) =>
      without(it, 'description'),
    );
  }
  return found;
}

interface Resource extends JsonObject {
  readonly name: string;
}

/** Only of what we serve, too. */
async function discovery(call: Call): Promise<Record<string, JsonObject>> {
  const found: Record<string, JsonObject> = {};
  for (const root of new Set(types.map(rootOf))) {
    const { body } = await call('GET', root);
    const served = new Set(types.filter((it) => rootOf(it) === root).map(({ plural }) => plural));
    const resources = (body['resources'] as readonly Resource[]).filter(({ name }) => {
      const [plural = '', part = 'status'] = name.split('/');
      return served.has(plural) && ['status', 'scale', 'finalize'].includes(part);
    });
    found[root] = {
      ...body,
      resources: resources.map((it) => without(it, 'storageVersionHash')),
    };
  }
  return found;
}

function typeOf({ apiVersion, kind }: JsonObject): ResourceType {
  const type = types.find((it) => apiVersionOf(it) === apiVersion && it.kind === kind);
  if (type === undefined) throw new Error(`${JSON.stringify({ apiVersion, kind })} is not served`);
  return type;
}

function rootOf(type: ResourceType): string {
  return `/${type.group === '' ? 'api' : 'apis'}/${apiVersionOf(type)}`;
}

function pathOf(type: ResourceType): string {
  const home = type.namespaced ? `namespaces/${goldenNamespace}/` : '';
  return `${rootOf(type)}/${home}${type.plural}`;
}

function callsOf({ url, caFile, adminClientCertificate }: ControlPlane): Call {
  const identity = {
    ca: readFileSync(caFile),
    cert: readFileSync(adminClientCertificate.certificateFile),
    key: readFileSync(adminClientCertificate.keyFile),
  };
  return (method, path, { body, accept = 'application/json' } = {}) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', accept };
      const sent = request(new URL(path, url), { method, ...identity, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const parsed = JSON.parse(text) as JsonObject;
          resolve({ code: response.statusCode ?? 0, body: parsed });
        });
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
}
