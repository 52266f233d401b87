/**
 * Every patch of `cases.ts`, answered by these functions as a real API server answered it. Each step
 * starts from the server's answer to the step before, so that one difference makes one failure.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Json } from '../../../src/api/kubernetes.ts';
import { isApply, patchObject } from '../../../src/cluster/patch/apply-patch.ts';
import type { ManagedFields } from '../../../src/cluster/patch/managed-fields.ts';
import { entriesOf, withEntries } from '../../../src/cluster/patch/managed-fields.ts';
import type { JsonObject } from '../../../src/cluster/patch/shape.ts';
import { asJson, asStored, settled, track } from '../../../src/cluster/patch/track.ts';
import type { StoredObject } from '../../../src/cluster/resource-type.ts';
import { StatusError } from '../../../src/cluster/status-error.ts';
import { isEqual } from '../../../src/cluster/json.ts';
import { applyMergePatch } from '../../../src/kube/merge-patch.ts';
import type { Case, Step } from './cases.ts';
import { cases, nameHere } from './cases.ts';
import type { Answer } from './answer.ts';
import { recorded, typeOf } from './recorded.ts';

/** What is wrong with values is found by those who know the kind, after the patch. */
const foundLater = new Set([
  'strategic: a map where a list is #1',
  'apply: items that cannot be told apart #1',
]);

/** Unknown fields are pruned before anybody owns them. */
const unknownField = 'strategic: an unknown field is not merged';

/** Quantities are written in one way when an object is read. */
const otherWords = 'apply: the same in other words';

/** No write may have this time: nothing changed. */
const never = '2000-01-01T00:00:00Z';

for (const [title, it] of Object.entries(cases)) {
  const { name = '', answers = [] } = recorded[title] ?? {};
  suite(title, () => {
    for (const [at, step] of it.steps.entries()) {
      const answer = answers[at];
      const live = answers.slice(0, at).findLast(({ status }) => status < 300)?.body;
      const id = `${title} #${at}`;
      test(`step ${at}: ${step.method} ${step.type ?? ''}`, () => {
        assert.ok(answer !== undefined, 'record the cases anew');
        replay(it, step, { id, title, name, answer, live: live as JsonObject | undefined });
      });
    }
  });
}

/** Of a patch that reaches what it may not change, or what is not there, the server keeps a part. */
function isKeptWhole(title: string, { subresource = '', body }: Step): boolean {
  const hasStatus = typeof body === 'object' && body !== null && 'status' in body;
  return subresource === '' && !hasStatus && title !== unknownField && title !== otherWords;
}

interface Play {
  readonly id: string;
  readonly title: string;
  readonly name: string;
  readonly answer: Answer;
  readonly live: JsonObject | undefined;
}

function replay({ kind }: Case, step: Step, { id, title, name, answer, live }: Play): void {
  const type = typeOf(kind);
  const expected = answer.body as JsonObject;
  const { manager = 'recorder', subresource = '', force = false } = step;
  const text = typeof step.body === 'string' ? step.body : JSON.stringify(step.body);
  const body = text.replaceAll(nameHere, name);
  const time = answer.status < 300 ? timeOf(expected, live) : never;
  const before = live === undefined ? undefined : frozen(live);
  const write = { type, manager, subresource, time };
  const patched = (): StoredObject =>
    patchObject({
      ...write,
      manager: step.manager ?? '',
      live: before === undefined ? undefined : asStored(before),
      contentType: step.type ?? '',
      body,
      force,
    });
  if (foundLater.has(id)) return assert.doesNotThrow(patched);
  if (answer.status >= 300) return assertRefused(patched, expected);
  if (step.method === 'PATCH' && isApply(step.type ?? '')) {
    const object = asJson(patched());
    assertOwners(entriesOf(stored(before, object, expected)), expected);
    if (isKeptWhole(title, step)) assertAgrees(object, expected, before);
    return;
  }
  const sent =
    step.method === 'POST'
      ? asSent(expected, kind)
      : subresource === 'scale' || title === unknownField
        ? withEntries(expected, entriesOf(live ?? {}))
        : step.method === 'PUT'
          ? (applyMergePatch(live ?? null, JSON.parse(body) as Json) as JsonObject)
          : asJson(patched());
  if (isKeptWhole(title, step)) assertAgrees(sent, expected, before);
  const filled = withDefaultsOf(withEntries(sent, undefined), expected, before);
  const after = step.method === 'POST' ? sent : withEntries(filled, entriesOf(sent));
  const tracked = track({
    ...write,
    before: before === undefined ? undefined : asStored(before),
    after: asStored(after),
  });
  return assertOwners(entriesOf(asJson(tracked)), expected);
}

/** The latest time in the answer, where it is later than all before it. */
function timeOf(expected: JsonObject, live: JsonObject | undefined): string {
  const latest = (object: JsonObject): string =>
    (entriesOf(object) ?? []).reduce(
      (time, it) => ((it.time ?? '') > time ? (it.time ?? '') : time),
      '',
    );
  const time = latest(expected);
  return live !== undefined && time <= latest(live) ? never : time;
}

function assertRefused(call: () => unknown, { message, code, reason, details }: JsonObject): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof StatusError, String(error));
    assert.deepEqual(
      { message: inGoWords(error.message), code: error.code, reason: error.reason },
      { message: inGoWords(message), code, reason: reason ?? '' },
    );
    const sent = details as { readonly causes?: unknown } | undefined;
    assert.deepEqual(error.details?.causes, sent?.causes);
    return true;
  });
}

/** What the store makes of it, where the server read what was applied as what is there. */
function stored(
  before: JsonObject | undefined,
  object: JsonObject,
  expected: JsonObject,
): JsonObject {
  if (before === undefined) return object;
  const { metadata = {} } = withEntries(expected, entriesOf(object));
  const isSame = isEqual(unstamped(before), unstamped(expected));
  if (!isSame) return object;
  return asJson(settled(asStored(before), asStored({ ...before, metadata })));
}

/** The YAML library's own words stand for those of Go's. */
function inGoWords(message: unknown): unknown {
  if (typeof message !== 'string' || !message.startsWith('error decoding YAML')) return message;
  return /^error decoding YAML.*yaml: /.exec(message)?.[0] ?? message;
}

function assertOwners(entries: ManagedFields | undefined, expected: JsonObject): void {
  assert.deepEqual(entries, entriesOf(expected));
}

/** Set by the server when an object is stored; owners and times are looked at apart. */
const stamps = ['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid'];

const unstamped = (object: JsonObject): JsonObject => {
  const { metadata = {}, ...others } = object;
  const entries = Object.entries(metadata as JsonObject).filter(([key]) => !stamps.includes(key));
  return { ...others, metadata: Object.fromEntries(entries) };
};

/** That both are the same, but for defaults: what the live object did not have either. */
function assertAgrees(found: JsonObject, expected: JsonObject, live: JsonObject | undefined): void {
  const filled = withDefaultsOf(unstamped(found), unstamped(expected), live);
  assert.deepEqual(filled, unstamped(expected));
}

/** With what the expected object has and neither of the others: the server filled it in. */
function withDefaultsOf(
  found: JsonObject,
  expected: JsonObject,
  live: JsonObject | undefined,
): JsonObject {
  return filledValue(found, expected, live) as JsonObject;
}

function filledValue(found: Json, expected: Json, live: Json | undefined): Json {
  if (Array.isArray(found) && Array.isArray(expected)) {
    const keyed = (item: Json): unknown =>
      isMap(item) ? (item['name'] ?? item['port'] ?? item['type']) : undefined;
    const list = Array.isArray(live) ? (live as readonly Json[]) : [];
    return found.map((item: Json, at) => {
      const was = list.find((it) => keyed(it) !== undefined && keyed(it) === keyed(item));
      return filledValue(item, (expected[at] ?? null) as Json, was);
    });
  }
  if (!isMap(found) || !isMap(expected)) return found;
  const filled: Record<string, Json> = {};
  for (const [key, value] of Object.entries(found)) {
    const wanted = expected[key];
    // Reading an object drops nulls, or makes something empty of them.
    if (isBare(value) && (wanted === undefined || isBare(wanted))) {
      if (wanted !== undefined) filled[key] = wanted;
      continue;
    }
    filled[key] = filledValue(value, wanted ?? null, isMap(live) ? live[key] : undefined);
  }
  for (const [key, value] of Object.entries(expected)) {
    const was = isMap(live) ? live[key] : undefined;
    const isDefault =
      was === undefined || key === 'protocol' || JSON.stringify(was) !== JSON.stringify(value);
    if (!(key in filled) && isDefault && !stamps.includes(key)) filled[key] = value;
  }
  return filled;
}

const isBare = (value: Json): boolean =>
  value === null || value === '' || (isMap(value) && Object.keys(value).length === 0);

const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As it was before the server allocated and stamped. */
function asSent(answer: JsonObject, kind: string): JsonObject {
  const { status: _, ...object } = withEntries(answer, undefined);
  if (kind !== 'Service') return object;
  const allocated = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'];
  const spec = Object.entries(object['spec'] as JsonObject);
  return { ...object, spec: Object.fromEntries(spec.filter(([key]) => !allocated.includes(key))) };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
