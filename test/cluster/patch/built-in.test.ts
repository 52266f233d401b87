/**
 * The stories of `cases.ts` on the built-in kinds as this house has them: decoded and completed,
 * each answer is the real one as a whole, and so are the owners.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Json } from '../../../src/api/kubernetes.ts';
import { builtInTypes } from '../../../src/cluster/builtin/types.ts';
import { isApply, patchObject } from '../../../src/cluster/patch/apply-patch.ts';
import { entriesOf } from '../../../src/cluster/patch/managed-fields.ts';
import type { JsonObject } from '../../../src/cluster/patch/shape.ts';
import { asJson, asStored, settled, track } from '../../../src/cluster/patch/track.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import type { Answer } from './answer.ts';
import type { Step } from './cases.ts';
import { cases, nameHere } from './cases.ts';
import { recorded, schemas, typeOf } from './recorded.ts';

const types = builtInTypes();

const builtIn = (kind: string, version: string): ResourceType => {
  const type = types.find((it) => it.kind === kind && it.version === version);
  assert.ok(type !== undefined);
  return type;
};

/** Dropped with a warning, by those who know all fields. */
const prunes = new Set(['strategic: an unknown field is not merged']);

for (const [title, { kind, steps }] of Object.entries(cases)) {
  if (kind === 'Widget' || prunes.has(title)) continue;
  const { name = '', answers = [] } = recorded[title] ?? {};
  suite(title, () => {
    for (const [at, step] of steps.entries()) {
      const answer = answers[at];
      const live = answers.slice(0, at).findLast(({ status }) => status < 300)?.body;
      if (answer === undefined || answer.status >= 300) continue;
      // The rest of the write path has a part in these.
      if (step.subresource !== undefined || step.method === 'PUT' || sendsStatus(step)) continue;
      test(`step ${at}: ${step.method} ${step.type ?? ''}`, () => {
        const type = builtIn(kind, typeOf(kind).version);
        replay(type, step, { name, answer, live: live as JsonObject | undefined });
      });
    }
  });
}

function sendsStatus({ body }: Step): boolean {
  return typeof body === 'object' && body !== null && 'status' in body;
}

interface Play {
  readonly name: string;
  readonly answer: Answer;
  readonly live: JsonObject | undefined;
}

function replay(type: ResourceType, step: Step, { name, answer, live }: Play): void {
  const expected = answer.body as JsonObject;
  const text = typeof step.body === 'string' ? step.body : JSON.stringify(step.body);
  const body = text.replaceAll(nameHere, name);
  const time = latest(expected);
  const before = live === undefined ? undefined : asStored(live);
  const { manager = 'recorder', force = false, type: contentType = '' } = step;
  const write = { type, manager, subresource: '', time };
  const wanted =
    step.method === 'POST'
      ? asStored(JSON.parse(body) as JsonObject)
      : patchObject({ ...write, live: before, contentType, body, force });
  const completed = type.withDefaults(wanted);
  const after = isApply(contentType) ? completed : track({ ...write, before, after: completed });
  const found = before === undefined ? after : settled(before, after);
  assert.deepEqual(entriesOf(asJson(found)), entriesOf(expected));
  assert.deepEqual(userPart(found), userPart(asStored(expected)));
}

const latest = (object: JsonObject): string =>
  (entriesOf(object) ?? [])
    .map(({ time = '' }) => time)
    .toSorted()
    .at(-1) ?? '';

/** What the server sets when it stores the object. */
const stamps = ['namespace', 'resourceVersion', 'uid', 'generation', 'creationTimestamp'];
const allocated = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'];

function userPart(object: StoredObject): JsonObject {
  const { metadata, spec, status: _, ...others } = asJson(object);
  return {
    ...others,
    metadata: lacking(metadata, [...stamps, 'managedFields']),
    spec: lacking(spec, allocated),
  };
}

const lacking = (value: Json | undefined, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => !names.includes(name)));

test('what nobody gave to an object is nobody’s', () => {
  for (const [kind, schema] of Object.entries(schemas)) {
    if (kind === 'Widget') continue;
    const known = typeOf(kind as keyof typeof schemas);
    assert.ok(schema.type === 'object');
    assert.deepEqual(builtIn(kind, known.version).empty, known.empty);
  }
});
