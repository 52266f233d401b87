/**
 * Runs every test that needs nothing but Node in one process: a process for each file costs half a
 * second each. Tests on the real control plane (`*.cluster.test.ts`) and under real traffic
 * (`*.traffic.test.ts`) run apart.
 */
import { readdir } from 'node:fs/promises';

const files = await readdir(import.meta.dirname, { recursive: true });
const apart = ['.cluster.test.ts', '.traffic.test.ts'];
const tests = files.filter(
  (file) => file.endsWith('.test.ts') && !apart.some((ending) => file.endsWith(ending)),
);
for (const file of tests.toSorted()) await import(`./${file}`);
