/**
 * Runs every test that needs nothing but Node in one process: a process for each file costs half a
 * second each. Tests on the real control plane (`*.cluster.test.ts`) run apart.
 */
import { readdir } from 'node:fs/promises';

const files = await readdir(import.meta.dirname, { recursive: true });
const tests = files.filter(
  (file) => file.endsWith('.test.ts') && !file.endsWith('.cluster.test.ts'),
);
for (const file of tests.toSorted()) await import(`./${file}`);
