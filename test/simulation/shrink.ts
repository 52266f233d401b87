/** Takes things out of a story that breaks a law, for as long as it still breaks one. */
import type { Outcome } from './run.ts';
import { runStory } from './run.ts';
import type { Story } from './story.ts';

export interface Shrunk {
  readonly story: Story;
  readonly outcome: Outcome;
  /** Stories that were told. */
  readonly tries: number;
}

const triesMax = 60;

/** Without what is different each time. */
const lawOf = ({ breach }: Outcome): string | undefined => breach?.split(':')[0];

export async function shrink(story: Story): Promise<Shrunk> {
  let best = { story, outcome: await runStory(story) };
  let tries = 1;
  const attempt = async (smaller: Story): Promise<boolean> => {
    if (tries >= triesMax) return false;
    tries += 1;
    const outcome = await runStory(smaller);
    if (lawOf(outcome) === undefined || lawOf(outcome) !== lawOf(best.outcome)) return false;
    best = { story: smaller, outcome };
    return true;
  };
  for (const rate of Object.keys(story.rates)) {
    await attempt({ ...best.story, rates: { ...best.story.rates, [rate]: 0 } });
  }
  if (best.story.processes > 1) await attempt({ ...best.story, processes: 1 });
  for (let at = best.story.acts.length - 1; at >= 0; at -= 1) {
    // Without its end, every story that somebody suspended would be broken.
    if (best.story.acts[at]?.act.kind === 'Resume') continue;
    const acts = best.story.acts.filter((_, index) => index !== at);
    await attempt({ ...best.story, acts });
  }
  return { ...best, tries };
}
