/** The schema of `status.journal`: what became of the last rollouts. */
import type { CheckRecord, RolloutRecord, StepRecord } from '../canary.ts';
import { array, enumOf, integer, object, string } from './builders.ts';
import type { Schema } from './builders.ts';

const check = object(
  'A check that the step rests on.',
  {
    name: string('Name of the metric or of the hook.'),
    value: string('What was measured.'),
    threshold: string('What would have been good.'),
    verdict: enumOf('What it came to.', ['Passed', 'Failed', 'NoData', 'Unmeasured', 'Refused']),
  } satisfies Readonly<Record<keyof CheckRecord, Schema>>,
  ['name', 'verdict'],
);

const step = object(
  'A step, or what kept the rollout from one.',
  {
    at: string('When.', { format: 'date-time' }),
    event: enumOf('What happened.', [
      'Started',
      'Waiting',
      'Approved',
      'Rejected',
      'Advanced',
      'Halted',
      'Lowered',
      'Promoting',
      'Finalising',
    ]),
    weight: integer('Percent of traffic on the canary from then on.'),
    iteration: integer('Iterations that were passed.'),
    checks: array('Checks that it rests on.', check),
    why: string('In the words of the event.'),
  } satisfies Readonly<Record<keyof StepRecord, Schema>>,
  ['at', 'event', 'weight'],
);

const rollout = object(
  'What became of one revision.',
  {
    revision: string('The revision.'),
    by: string('Who made the change.'),
    cause: string('What changed.'),
    startedAt: string('When it began.', { format: 'date-time' }),
    endedAt: string('When it ended.', { format: 'date-time' }),
    outcome: enumOf('How it ended.', [
      'Promoted',
      'PromotedUnanalysed',
      'Failed',
      'Canceled',
      'Replaced',
    ]),
    why: string('Why it ended so.'),
    steps: array('Its steps, in order.', step),
    folded: integer('Steps that were left out of the middle.'),
  } satisfies Readonly<Record<keyof RolloutRecord, Schema>>,
  ['revision', 'startedAt'],
);

export const journal = array('The last rollouts, newest last.', rollout);
