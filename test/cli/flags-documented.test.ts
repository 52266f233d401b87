import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { flagTable, ignoredFlags } from '../../src/cli/flag-table.ts';

const text = readFileSync(new URL('../../docs/flags.md', import.meta.url), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| `-'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('`', '')));

test('docs/flags.md is the table of flags', () => {
  const documented = rows.map(([, name, , fallback, meaning]) => [name, fallback, meaning]);
  const flags = Object.entries(flagTable).map(([name, { fallback, meaning }]) => [
    `-${name}`,
    fallback,
    meaning,
  ]);
  assert.deepEqual(documented, flags);
});

test('docs/flags.md names what is ignored', () => {
  for (const name of ignoredFlags.keys()) assert.ok(text.includes(`\`-${name}\``), name);
});
