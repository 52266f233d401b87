/**
 * `make simulate SEED=4711 COUNT=2000`: tells so many stories from that seed on, on all cores, and
 * says how they ended. One that breaks a law is made as short as it can be, and printed with the line
 * that tells it again; of many, the first `SHOWN`.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { retold } from './retold.ts';
import { runStory } from './run.ts';
import { shrink } from './shrink.ts';
import { storyOf } from './story.ts';

interface Told {
  readonly seed: number;
  readonly breach: string | undefined;
  readonly rollouts: number;
}

const seedDefault = 1;
const countDefault = 200;
const shownDefault = 5;

const numberFrom = (name: string, fallback: number): number => {
  const text = process.env[name] ?? '';
  if (text === '') return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) {
    process.stderr.write(`${name}=${text}: write a whole number\n`);
    process.exit(2);
  }
  return number;
};

if (process.send === undefined) await conduct();
else await tell();

/** A worker: tells the seeds that it is sent, one after the other. */
async function tell(): Promise<void> {
  process.on('message', (seed: number) => {
    runStory(storyOf(seed)).then(
      ({ breach, rollouts }) => process.send?.({ seed, breach, rollouts }),
      (error: unknown) =>
        process.send?.({ seed, breach: `crashed: ${String(error)}`, rollouts: 0 }),
    );
  });
}

async function conduct(): Promise<void> {
  const name = process.env['RETOLD'];
  if (name === undefined) await simulate();
  else await retell(name);
}

/** For `make mutants`: a story by its name. */
async function retell(name: string): Promise<void> {
  const story = retold[name];
  if (story === undefined) throw new Error(`no story is named ${name}`);
  const { breach } = await runStory(story);
  if (breach !== undefined) process.stdout.write(`seed ${story.seed}, retold: ${breach}\n`);
}

async function simulate(): Promise<void> {
  const first = numberFrom('SEED', seedDefault);
  const count = numberFrom('COUNT', countDefault);
  const shown = numberFrom('SHOWN', shownDefault);
  const beganMs = performance.now();
  const told = await tellAll(first, count);
  const seconds = (performance.now() - beganMs) / 1000;
  const broken = told.filter(({ breach }) => breach !== undefined);
  const rollouts = told.reduce((sum, it) => sum + it.rollouts, 0);
  for (const { seed } of broken.slice(0, shown)) await explain(seed);
  for (const { seed, breach } of broken) process.stdout.write(`seed ${seed}: ${breach}\n`);
  const pace = `${rollouts} rollouts in ${seconds.toFixed(1)} s`;
  process.stdout.write(`${told.length} stories, ${pace}, ${broken.length} broken\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

function tellAll(first: number, count: number): Promise<readonly Told[]> {
  return new Promise((resolve) => {
    const told: Told[] = [];
    let next = first;
    let working = Math.min(availableParallelism(), Math.max(1, count));
    const workers = Array.from({ length: working }, () => fork(import.meta.filename));
    for (const worker of workers) {
      const give = (): void => {
        if (next < first + count) {
          worker.send(next);
          next += 1;
          return;
        }
        worker.disconnect();
        working -= 1;
        if (working === 0) resolve(told.toSorted((one, other) => one.seed - other.seed));
      };
      worker.on('message', (answer: Told) => {
        told.push(answer);
        give();
      });
      give();
    }
  });
}

async function explain(seed: number): Promise<void> {
  const { story, outcome, tries } = await shrink(storyOf(seed));
  process.stdout.write(`\n--- seed ${seed}, the shortest story of ${tries} that breaks it\n`);
  process.stdout.write(`${JSON.stringify(story.spec.analysis)}\n`);
  process.stdout.write(`${outcome.trace.join('\n')}\n`);
  process.stdout.write(`--- again: make simulate SEED=${seed} COUNT=1\n\n`);
}
