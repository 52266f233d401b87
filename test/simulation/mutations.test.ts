/** `make mutants` takes minutes; whether its changes still fit the program is known at once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { mutations } from './mutations.ts';

const root = join(import.meta.dirname, '../..');

suite('what a mutation changes stands once in the program', () => {
  for (const { sentence, file, from } of mutations) {
    test(sentence, () => {
      assert.equal(readFileSync(join(root, file), 'utf8').split(from).length - 1, 1, file);
    });
  }
});
