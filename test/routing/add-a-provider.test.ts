/** docs/add-a-provider.md is true: its files are there, and its example is a provider. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { conform } from './conform.ts';
import { example } from './example-provider.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/add-a-provider.md');

/** Names in backquotes that are paths of this repository. */
const paths = [...page.matchAll(/`((?:src|test|docs|manifests)\/[\w./-]+)`/g)].map(
  ([, path = '']) => path,
);

conform(example);

test('every file that the page names is there', () => {
  assert.ok(paths.length >= 15, `only ${paths.length} paths are found`);
  assert.deepEqual(
    paths.filter((path) => !existsSync(join(root, path))),
    [],
  );
});

test('the page shows the example as it is compiled and tested', () => {
  const [, shown = ''] = /```ts\n(.*?)```/s.exec(page) ?? [];
  const file = read('test/routing/example-provider.ts');
  // Below the imports, which lie elsewhere for a provider of the house.
  const begin = file.indexOf('const splits');
  assert.equal(shown, file.slice(begin));
});

test('the interface names the same places', () => {
  const header = read('src/routing/provider.ts').split('*/', 1)[0] ?? '';
  for (const place of [
    'registry.ts',
    'api/providers.ts',
    'test/golden/routing',
    'docs/add-a-provider.md',
  ]) {
    assert.ok(header.includes(place), place);
    if (!place.startsWith('docs')) assert.ok(page.includes(place), place);
  }
});
