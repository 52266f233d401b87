/**
 * `build`: the programs that carry real traffic. `run`: the tests under real traffic, in a network of
 * their own; where that cannot be, says why and does nothing, and under `CI=true` fails.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { prometheusOrSkip } from '../support/real-prometheus.ts';
import { findWay, runInside } from './namespace.ts';
import { buildTrafficPrograms, findTrafficPrograms } from './programs.ts';

const isCi = process.env['CI'] === 'true';
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const commands: Readonly<Record<string, () => Promise<number>>> = { build, run };

const [name = ''] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  say('usage: node --import tsx test/traffic/main.ts build|run');
  process.exitCode = 2;
} else {
  process.exitCode = await command().catch((error: unknown) => {
    say(chainOf(error));
    return 1;
  });
}

/** What went wrong and, line by line, what made it so: of pip or Go that is what they said. */
function chainOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${chainOf(error.cause)}`;
}

async function build(): Promise<number> {
  await buildTrafficPrograms(say);
  return 0;
}

async function run(): Promise<number> {
  const way = await findWay();
  const lacking = way.found ? await whatIsLacking() : way.reason;
  if (!way.found || lacking !== false) {
    say(`tests under real traffic ${isCi ? 'cannot run' : 'are skipped'}: ${lacking}`);
    return isCi ? 1 : 0;
  }
  const folder = import.meta.dirname;
  const files = (await readdir(folder)).filter((file) => file.endsWith('.traffic.test.ts'));
  const paths = files.toSorted().map((file) => join(folder, file));
  // What is killed in there removes nothing; whatever it left goes with this directory.
  const scratch = await mkdtemp(join(tmpdir(), 'aviary-traffic-'));
  try {
    const node = [process.execPath, '--import', 'tsx', '--test', '--test-concurrency=1'];
    return await runInside(way.flags, [...node, '--test-reporter=spec', ...paths], {
      ...process.env,
      TMPDIR: scratch,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function whatIsLacking(): Promise<string | false> {
  const lacking = (await controlPlaneOrSkip()) || (await prometheusOrSkip());
  if (lacking !== false) return lacking;
  if (isCi) await buildTrafficPrograms(say);
  const search = await findTrafficPrograms();
  if (search.found) return false;
  return `needs ${search.missing.join(', ')}: \`make traffic-build\` builds them once, in 7 minutes`;
}
