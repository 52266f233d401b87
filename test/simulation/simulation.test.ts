/** A fixed set of seeds. Those at the end have found defects, which are written beside them. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { retold } from './retold.ts';
import { runStory } from './run.ts';
import type { Story } from './story.ts';
import { storyOf } from './story.ts';

const first = Array.from({ length: 25 }, (_, at) => at + 1);

const found: Readonly<Record<number, string>> = {
  10010: 'a revision was ended by the deadline of the one before, which it had replaced',
  11815: 'the same',
  34: 'a wall clock that is hours ahead ended every rollout at once',
  5092: 'a new revision met the pods of the one before on their way out, and routed to them',
  12426: 'a process took the pods of a failed canary, did not hear that it did, and gave them back',
  50496: 'a restart took traffic to a primary whose pods had just been evicted',
  51733: 'a good revision did not replace a first one that never got ready',
  14380: 'what failed by its configuration succeeded when it was applied again',
  104009: 'a newer configuration took the traffic to a primary that somebody had deleted',
  131: 'a wall clock that is hours behind kept a rollout that never got ready',
};

async function holds(story: Story): Promise<void> {
  const { breach, trace } = await runStory(story);
  const again = `again: make simulate SEED=${story.seed} COUNT=1`;
  assert.equal(breach, undefined, `${trace.join('\n')}\n${again}`);
}

suite('whatever happens, the laws hold', () => {
  for (const seed of first) test(`seed ${seed}`, () => holds(storyOf(seed)));
  for (const [seed, defect] of Object.entries(found)) {
    test(`seed ${seed}: ${defect}`, () => holds(storyOf(Number(seed))));
  }
  for (const [sentence, story] of Object.entries(retold)) test(sentence, () => holds(story));
});

test('the same seed tells the same story to the letter', async () => {
  const [one, other] = [await runStory(storyOf(7)), await runStory(storyOf(7))];
  assert.deepEqual(other.trace, one.trace);
});
