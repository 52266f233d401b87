/** Objects of custom resources, as a real API server treats them (`cases.ts`, `record.ts`). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { typesOf } from '../../../src/cluster/crd.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { apiVersionOf } from '../../../src/cluster/resource-type.ts';
import { prune } from '../../../src/cluster/schema/prune.ts';
import { applyMergePatch } from '../../../src/kube/merge-patch.ts';
import { definitions, objects } from './cases.ts';
import type { ObjectCase } from './cases.ts';
import { readGolden } from './golden.ts';
import type { Answer } from './golden.ts';

const golden = readGolden();
const types = new Map(definitions.map((it) => [it.metadata.name, typesOf(it)] as const));

function typeOf({ of, version }: ObjectCase): ResourceType {
  const type = types.get(of)?.find((it) => it.version === version);
  assert.ok(type, `${of} has ${version}`);
  return type;
}

interface Result {
  readonly object?: StoredObject;
  readonly warnings: readonly string[];
  /** `field: message`, in alphabetical order: Go's order is another one each time. */
  readonly errors: readonly string[];
}

function write(it: ObjectCase, given: object, before: StoredObject | undefined): Result {
  const type = typeOf(it);
  const { object, unknown } = prune(type.schema, given as StoredObject, { isStructural: true });
  const unknownFields = unknown.map((path) => `unknown field "${path}"`);
  if (it.fieldValidation === 'Strict' && unknown.length > 0) {
    return { warnings: [], errors: [`strict decoding error: ${unknownFields.join(', ')}`] };
  }
  const complete = type.withDefaults(object);
  const errors = type
    .validate(complete, before)
    .map(({ field, message }) => `${field}: ${message}`);
  return { object: complete, warnings: unknownFields, errors: errors.toSorted() };
}

function check({ object, warnings, errors }: Result, answer: Answer | undefined): void {
  assert.ok(answer);
  const causes = (answer.body['details'] as { readonly causes?: readonly Cause[] } | undefined)
    ?.causes;
  const expected =
    answer.status < 300
      ? []
      : (causes?.map(({ field, message }) => `${field}: ${message}`) ?? [strictness(answer)]);
  assert.deepEqual(errors, expected.toSorted());
  if (answer.status >= 300) return;
  assert.deepEqual(warnings, answer.warnings ?? []);
  const { metadata: _, ...others } = object ?? {};
  assert.deepEqual(others, answer.body);
}

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** `Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: …`. */
const strictness = ({ body }: Answer): string =>
  String(body['message']).replace(/^.*(?=strict decoding error)/, '');

suite('custom resources, as the API server has them', () => {
  for (const [title, it] of Object.entries(objects)) {
    test(title, () => {
      const [made, changed] = golden.objects[title] ?? [];
      const type = typeOf(it);
      const meta = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { name: 'x' } };
      const creation = write(it, { ...meta, ...it.body }, undefined);
      check(creation, made);
      const change = it.status === undefined ? it.update : { status: it.status };
      if (change === undefined) return;
      assert.ok(creation.object);
      const wanted = applyMergePatch(creation.object as never, change as never);
      check(write(it, wanted as object, creation.object), changed);
    });
  }
});
