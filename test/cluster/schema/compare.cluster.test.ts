/**
 * Random objects, as a real API server judges them in dry runs: the same errors, warnings and
 * defaults as ours. `SEED` and `COUNT` (objects of each definition and sort) choose others:
 *
 *   SEED=7 COUNT=200 node --import tsx --test test/cluster/schema/compare.cluster.test.ts
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import * as fc from 'fast-check';
import { typesOf } from '../../../src/cluster/crd.ts';
import type { ResourceType, StoredObject } from '../../../src/cluster/resource-type.ts';
import { prune } from '../../../src/cluster/schema/prune.ts';
import { until } from '../../support/until.ts';
import type { AdminCalls, Reply } from '../admin-calls.ts';
import { connectAsAdmin } from '../admin-calls.ts';
import type { ControlPlane } from '../control-plane.ts';
import { startControlPlane } from '../control-plane.ts';
import { controlPlaneOrSkip } from '../require.ts';
import { definitions } from './cases.ts';
import { randomObjects } from './random-objects.ts';

const seed = Number(process.env['SEED'] ?? 1);
const count = Number(process.env['COUNT'] ?? 40);
/** Of more, the API server leaves some out: all of them may have 4 KiB. */
const warningsMax = 15;

interface Judgement {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly object: unknown;
}

function ours(type: ResourceType, given: StoredObject): Judgement {
  const { object, unknown } = prune(type.schema, given, { isStructural: true });
  const { status: _, ...others } = type.withDefaults(object);
  const bare: StoredObject = type.hasStatus ? others : type.withDefaults(object);
  const made = type.prepare?.(bare, undefined) ?? bare;
  const errors = type.validate(made, undefined).map(({ field, message }) => `${field}: ${message}`);
  if (errors.length > 0) return { errors: errors.toSorted(), warnings: [], object: undefined };
  const warnings = unknown.map((path) => `unknown field "${path}"`);
  return { errors: [], warnings, object: withoutMetadata(made) };
}

function theirs({ status, body, warnings }: Reply): Judgement {
  if (status === 201) return { errors: [], warnings, object: withoutMetadata(body) };
  const { causes = [] } = body['details'] as {
    readonly causes?: readonly { readonly field: string; readonly message: string }[];
  };
  const errors = causes.map(({ field, message }) => `${field}: ${message}`);
  return { errors: errors.toSorted(), warnings: [], object: undefined };
}

const withoutMetadata = (object: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== 'metadata'));

suite('random objects', { skip: await controlPlaneOrSkip() }, () => {
  let plane: ControlPlane;
  let calls: AdminCalls;
  const pathOf = (type: ResourceType): string => {
    const place = type.namespaced ? 'namespaces/default/' : '';
    return `/apis/${type.group}/${type.version}/${place}${type.plural}`;
  };

  before(async () => {
    plane = await startControlPlane({ controllers: false, nodes: 0 });
    calls = await connectAsAdmin(plane);
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    for (const body of definitions) {
      const { status } = await calls.send({ method: 'POST', path, body });
      assert.equal(status, 201, body.metadata.name);
    }
    for (const [type] of definitions.map(typesOf)) {
      assert.ok(type);
      await until(`${type.plural} are served`, async () => {
        const { status } = await calls.send({ method: 'GET', path: pathOf(type) });
        return status === 200;
      });
    }
  });
  after(async () => {
    calls.close();
    await plane.stop();
  });

  for (const definition of definitions) {
    const [type] = typesOf(definition);
    assert.ok(type);
    for (const [sort, faultsPerMille] of Object.entries({
      'mostly right': 4,
      'often wrong': 120,
    })) {
      test(`${sort} objects of ${definition.metadata.name}`, async () => {
        const samples = fc.sample(randomObjects(type, { faultsPerMille }), {
          seed,
          numRuns: count,
        });
        for (const body of samples) {
          const query = '?dryRun=All&fieldValidation=Warn';
          const reply = await calls.send({ method: 'POST', path: `${pathOf(type)}${query}`, body });
          // Malformed metadata of embedded objects is refused before anything is looked at.
          if (reply.status === 400) continue;
          const mine = ours(type, body);
          const real = theirs(reply);
          assert.deepEqual(mine.errors, real.errors, JSON.stringify(body));
          assert.deepEqual(mine.object, real.object, JSON.stringify(body));
          if (mine.warnings.length > warningsMax) continue;
          assert.deepEqual(mine.warnings, real.warnings, JSON.stringify(body));
        }
      });
    }
  }
});
