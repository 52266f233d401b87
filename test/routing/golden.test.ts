/** `UPDATE_GOLDEN=1` rewrites the files from what the code renders: review the difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { providerFor } from '../../src/routing/registry.ts';
import { liveOf } from './canaries.ts';
import { goldenCases } from './golden-cases.ts';

const updates = process.env['UPDATE_GOLDEN'] === '1';

for (const golden of goldenCases('istio')) {
  test(`golden file istio/${golden.name}`, () => {
    const { canary, split, cookies, live, expected } = golden;
    const rendered = providerFor('istio')?.render(canary, split, cookies, liveOf(live));
    assert.ok(rendered?.ok === true);
    const objects = rendered.objects.map(({ wanted }) => wanted);
    if (updates && !isDeepStrictEqual(objects, expected)) golden.rewrite(objects);
    else assert.deepEqual(objects, expected);
  });
}
