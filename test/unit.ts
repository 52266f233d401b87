/**
 * Runs every test that needs nothing but Node in one process: a process for each file costs half a
 * second each. Tests on the real control plane (`*.cluster.test.ts`) and under real traffic
 * (`*.traffic.test.ts`) run apart.
 *
 * Properties draw from a fixed seed, so that a change fails by what it changes. `make fuzz` looks for
 * what other seeds find: there `SEED` is another for each run, and `PROPERTIES=1` runs no other tests.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import * as fc from 'fast-check';

const fixedSeed = 1;
fc.configureGlobal({ seed: Number(process.env['SEED'] ?? fixedSeed) });

const files = await readdir(import.meta.dirname, { recursive: true });
const apart = ['.cluster.test.ts', '.traffic.test.ts'];
const tests = files.filter(
  (file) => file.endsWith('.test.ts') && !apart.some((ending) => file.endsWith(ending)),
);

async function hasProperties(file: string): Promise<boolean> {
  const text = await readFile(join(import.meta.dirname, file), 'utf8');
  return text.includes("from 'fast-check'");
}

const everything = process.env['PROPERTIES'] === undefined;
for (const file of tests.toSorted()) {
  if (everything || (await hasProperties(file))) await import(`./${file}`);
}
