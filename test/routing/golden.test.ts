/** `UPDATE_GOLDEN=1` rewrites the files from what the code renders: review the difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { liveOf } from './canaries.ts';
import { goldenCases, goldenProviders } from './golden-cases.ts';

const updates = process.env['UPDATE_GOLDEN'] === '1';

for (const provider of goldenProviders()) {
  for (const golden of goldenCases(provider.name)) {
    test(`golden file of ${provider.name}: ${golden.name}`, () => {
      const { canary, split, cookies, live, expected } = golden;
      const rendered = provider.render(canary, split, cookies, liveOf(live));
      assert.ok(rendered.ok, rendered.ok ? '' : rendered.error);
      const objects = rendered.objects.map(({ wanted }) => wanted);
      if (updates && !isDeepStrictEqual(objects, expected)) golden.rewrite(objects);
      else assert.deepEqual(objects, expected);
    });
  }
}
