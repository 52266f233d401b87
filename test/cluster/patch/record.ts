/**
 * Writes `test/golden/cluster/patch.json`: what a real API server answers to the patches of
 * `cases.ts`; and `patch-schemas.json`: how it describes the kinds of the cases. To be run by hand
 * when the cases, or the version of Kubernetes, changed:
 *
 *   node --import tsx test/cluster/patch/record.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane.ts';
import { startControlPlane } from '../control-plane.ts';
import { until } from '../../support/until.ts';
import { applyMergePatch } from '../../../src/kube/merge-patch.ts';
import type { Answer, Recorded } from './answer.ts';
import type { Case, Step } from './cases.ts';
import { cases, kinds, nameHere, widgetDefinition } from './cases.ts';

/** Owners' times are whole seconds: two steps must not fall into one. */
const stepMs = 1_100;
const casesAtOnce = 40;

const golden = join(import.meta.dirname, '../../golden/cluster');

type Call = (method: string, path: string, options?: Body) => Promise<Answer>;

interface Body {
  readonly type?: string;
  readonly body?: string;
}

async function connect(plane: ControlPlane): Promise<Call> {
  const { certificateFile, keyFile } = plane.adminClientCertificate;
  const [ca, cert, key] = await Promise.all(
    [plane.caFile, certificateFile, keyFile].map((path) => readFile(path)),
  );
  return (method, path, { type = 'application/json', body } = {}) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'user-agent': 'recorder/1' };
      const url = new URL(path, plane.url);
      const call = request(url, { method, ca, cert, key, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const isJson = response.headers['content-type']?.startsWith('application/json') === true;
          const answer: unknown = isJson ? JSON.parse(text) : text;
          resolve({ status: response.statusCode ?? 0, body: answer });
        });
      });
      call.on('error', reject);
      call.end(body);
    });
}

async function play(call: Call, { kind, steps }: Case, name: string): Promise<readonly Answer[]> {
  const { apiVersion, plural } = kinds[kind];
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const collection = `${root}/namespaces/default/${plural}`;
  const answers: Answer[] = [];
  for (const step of steps) {
    if (answers.length > 0) await sleep(stepMs);
    const last = answers.findLast(({ status }) => status < 300)?.body;
    const object = step.method === 'POST' ? '' : `/${name}`;
    const path = `${collection}${object}${subpath(step)}${query(step)}`;
    const answer = await call(step.method, path, {
      ...(step.type !== undefined && { type: step.type }),
      body: bodyOf(step, last, name),
    });
    // What a write to the scale did shows on the object.
    const shown =
      step.subresource === 'scale' && answer.status < 300
        ? { ...(await call('GET', `${collection}/${name}`)) }
        : answer;
    answers.push(shown);
  }
  return answers;
}

const subpath = ({ subresource }: Step): string =>
  subresource === undefined ? '' : `/${subresource}`;

function query({ manager, force }: Step): string {
  const parameters = new URLSearchParams({
    ...(manager !== undefined && { fieldManager: manager }),
    ...(force === true && { force: 'true' }),
  });
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function bodyOf({ method, body }: Step, last: unknown, name: string): string {
  const sent = method === 'PUT' ? applyMergePatch(last as never, body as never) : body;
  const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
  return text.replaceAll(nameHere, name);
}

async function record(plane: ControlPlane): Promise<void> {
  const call = await connect(plane);
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await call('POST', path, { body: JSON.stringify(widgetDefinition) });
  await until('Widgets are served', async () => {
    const { status } = await call('GET', '/apis/patch.test/v1/namespaces/default/widgets');
    if (status !== 200) return false;
    const { body } = await call('GET', '/openapi/v2');
    return 'test.patch.v1.Widget' in (body as Document).definitions;
  });
  const queue = Object.entries(cases).map(([title, it], at) => ({ title, it, name: `case-${at}` }));
  const recorded: [string, Recorded][] = [];
  await Promise.all(
    Array.from({ length: casesAtOnce }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { title, it, name } = next;
        recorded.push([title, { name, answers: await play(call, it, name) }]);
      }
    }),
  );
  const order = Object.keys(cases);
  recorded.sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
  const lines = recorded.map(([title, it]) => `${JSON.stringify(title)}: ${JSON.stringify(it)}`);
  await writeFile(join(golden, 'patch.json'), `{\n${lines.join(',\n')}\n}\n`);
  const { body } = await call('GET', '/openapi/v2');
  await writeFile(join(golden, 'patch-schemas.json'), schemasOf(body as Document));
}

interface Document {
  readonly definitions: Readonly<Record<string, unknown>>;
}

const wanted = [
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ConfigMap',
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'test.patch.v1.Widget',
];

/** The definitions that the kinds reach, without descriptions, a line each. */
function schemasOf({ definitions }: Document): string {
  const found = new Map<string, string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const text = JSON.stringify(undescribed(definitions[name], true));
    found.set(name, text);
    for (const [, target = ''] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) visit(target);
  };
  wanted.forEach(visit);
  const lines = [...found]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function undescribed(value: unknown, isSchema: boolean): unknown {
  if (Array.isArray(value)) return value.map((it) => undescribed(it, isSchema));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isSchema || key !== 'description')
      .map(([key, it]) => [key, undescribed(it, !(isSchema && key === 'properties'))]),
  );
}

const plane = await startControlPlane({ controllers: false, nodes: 0 });
try {
  await record(plane);
} finally {
  await plane.stop();
}
