/**
 * `make mutants`: each change of `mutations.ts` in a copy of the program, and the first seed whose
 * story breaks on it. Ends with 1 where one is not noticed, or not by the law that should.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Mutation } from './mutations.ts';
import { mutations } from './mutations.ts';

interface Verdict {
  readonly isNoticed: boolean;
  /** The seed, and what it broke. */
  readonly text: string;
}

const root = join(import.meta.dirname, '../..');
/** Stories at a time, and until nobody waits any more. */
const chunk = 50;
const storiesMax = 2_000;

let missed = 0;
const only = process.env['ONLY'];
for (const mutation of mutations) {
  if (only !== undefined && !mutation.sentence.includes(only)) continue;
  const { isNoticed, text } = await inCopy(mutation);
  if (!isNoticed) missed += 1;
  const { invariant, sentence, file } = mutation;
  process.stdout.write(
    `${isNoticed ? 'noticed' : 'MISSED '} ${invariant}: ${sentence} (${file})\n`,
  );
  process.stdout.write(`          ${text}\n`);
}
process.exitCode = missed === 0 ? 0 : 1;

async function inCopy(mutation: Mutation): Promise<Verdict> {
  const copy = await mkdtemp(join(tmpdir(), 'aviary-mutant-'));
  try {
    for (const part of ['src', 'test', 'package.json', 'tsconfig.json']) {
      await cp(join(root, part), join(copy, part), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    await mutate(join(copy, mutation.file), mutation);
    return await firstBreach(copy, mutation);
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function mutate(path: string, { from, to, file, sentence }: Mutation): Promise<void> {
  const parts = (await readFile(path, 'utf8')).split(from);
  if (parts.length !== 2) {
    throw new Error(`${sentence}: ${file} has the text ${parts.length - 1} times, not once`);
  }
  await writeFile(path, parts.join(to));
}

async function firstBreach(copy: string, mutation: Mutation): Promise<Verdict> {
  const { invariant, noticedBy = [invariant], noticedAs = '', seed: first = 1, retold } = mutation;
  let other: string | undefined;
  const last = retold === undefined ? first + storiesMax : first + 1;
  for (let seed = first; seed < last; seed += chunk) {
    for (const breach of await breaches(copy, seed, retold)) {
      other ??= breach;
      const isThatLaw = noticedBy.some((it) => breach.includes(`: invariant ${it},`));
      if (isThatLaw && breach.includes(noticedAs)) {
        return { isNoticed: true, text: breach };
      }
    }
  }
  return { isNoticed: false, text: other ?? `not in ${storiesMax} stories` };
}

/** Lines like `seed 7: invariant 3, ...`, by seed. */
function breaches(copy: string, seed: number, retold?: string): Promise<readonly string[]> {
  const chosen = retold === undefined ? {} : { RETOLD: retold };
  const env = { ...process.env, SEED: String(seed), COUNT: String(chunk), SHOWN: '0', ...chosen };
  const script = join(copy, 'test/simulation/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: copy,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(text.split('\n').filter((line) => line.startsWith('seed '))));
  });
}
