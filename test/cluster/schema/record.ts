/**
 * Writes `test/golden/cluster/schema.json`: what a real API server answers to the objects and the
 * definitions of `cases.ts`. To be run by hand when the cases, or the version of Kubernetes, changed:
 *
 *   node --import tsx test/cluster/schema/record.ts
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsAdmin } from '../admin-calls.ts';
import type { AdminCalls, Reply } from '../admin-calls.ts';
import type { ControlPlane } from '../control-plane.ts';
import { startControlPlane } from '../control-plane.ts';
import { until } from '../../support/until.ts';
import { badDefinitions, definitions, objects } from './cases.ts';
import type { ObjectCase } from './cases.ts';
import type { Answer, Golden, Table } from './golden.ts';

type Body = Readonly<Record<string, unknown>>;
type Send = AdminCalls['send'];

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function collectionOf({ of, version }: ObjectCase): string {
  const [plural = '', ...group] = of.split('.');
  return `/apis/${group.join('.')}/${version}/namespaces/default/${plural}`;
}

/** Without what differs from run to run. */
function lasting(body: Body): Body {
  if (body['kind'] === 'Status') {
    const { message, reason, details, code } = body;
    return { message, reason, details, code };
  }
  const { metadata: _, ...others } = body;
  return others;
}

const answered = ({ status, body, warnings }: Reply): Answer => ({
  status,
  ...(warnings.length > 0 && { warnings }),
  body: lasting(body),
});

async function play(send: Send, it: ObjectCase, name: string): Promise<readonly Answer[]> {
  const definition = definitions.find(({ metadata }) => metadata.name === it.of);
  const [, ...group] = it.of.split('.');
  const object = {
    apiVersion: `${group.join('.')}/${it.version}`,
    kind: definition?.spec.names.kind,
    metadata: { name },
    ...it.body,
  };
  const path = collectionOf(it);
  const query = `?fieldValidation=${it.fieldValidation ?? 'Warn'}`;
  const made = await send({ method: 'POST', path: `${path}${query}`, body: object });
  const change = it.status === undefined ? it.update : { status: it.status };
  if (change === undefined) return [answered(made)];
  const type = 'application/merge-patch+json';
  const part = it.status === undefined ? '' : '/status';
  const patch = { method: 'PATCH', path: `${path}/${name}${part}${query}`, type, body: change };
  return [answered(made), answered(await send(patch))];
}

async function tableOf(send: Send, path: string): Promise<Table> {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const { body } = await send({ method: 'GET', path, accept });
  const { columnDefinitions, rows } = body as {
    readonly columnDefinitions: Table['columns'];
    readonly rows: readonly { readonly cells: Table['cells'] }[];
  };
  return { columns: columnDefinitions, cells: rows[0]?.cells ?? [] };
}

async function record(plane: ControlPlane): Promise<Golden> {
  const { send, close } = await connectAsAdmin(plane);
  const refusals: Record<string, Answer> = {};
  for (const [title, body] of Object.entries(badDefinitions)) {
    refusals[title] = answered(await send({ method: 'POST', path: definitionsPath, body }));
  }
  const statuses: Record<string, unknown> = {};
  for (const body of definitions) {
    const { name } = body.metadata;
    const made = await send({ method: 'POST', path: definitionsPath, body });
    if (made.status !== 201) throw new Error(`${name}: ${JSON.stringify(made.body)}`);
    const { status } = await until(`${name} is served`, async () => {
      const reply = await send({ method: 'GET', path: `${definitionsPath}/${name}` });
      const found = reply.body as { readonly status?: { readonly conditions?: readonly object[] } };
      const isServed = JSON.stringify(found.status).includes('"InitialNamesAccepted"');
      return isServed ? found : undefined;
    });
    statuses[name] = status;
  }
  const answers: Record<string, readonly Answer[]> = {};
  let at = 0;
  for (const [title, it] of Object.entries(objects)) {
    const path = collectionOf(it);
    await until(
      `${it.of} is served`,
      async () => (await send({ method: 'GET', path })).status === 200,
    );
    answers[title] = await play(send, it, `case-${at}`);
    at += 1;
  }
  const full = Object.keys(objects).indexOf('a gadget that is full');
  const gadgets = '/apis/schema.test/v1/namespaces/default/gadgets';
  const least = Object.keys(objects).indexOf('the least gadget');
  const tables = {
    full: await tableOf(send, `${gadgets}/case-${full}`),
    least: await tableOf(send, `${gadgets}/case-${least}`),
  };
  close();
  return { objects: answers, definitions: refusals, statuses, tables };
}

function linesOf(golden: Golden): string {
  const parts = Object.entries(golden).map(([name, part]) => {
    const lines = Object.entries(part as Body).map(
      ([title, it]) => `${JSON.stringify(title)}: ${JSON.stringify(it)}`,
    );
    return `${JSON.stringify(name)}: {\n${lines.join(',\n')}\n}`;
  });
  return `{\n${parts.join(',\n')}\n}\n`;
}

const plane = await startControlPlane({ controllers: false, nodes: 0 });
try {
  const path = join(import.meta.dirname, '../../golden/cluster/schema.json');
  await writeFile(path, linesOf(await record(plane)));
} finally {
  await plane.stop();
}
