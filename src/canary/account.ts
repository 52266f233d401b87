/**
 * A decision together with the account that the status gives of it: what is waited for, and what
 * became of the last rollouts. Pure, as the decision is; nothing here changes what is done.
 */
import { explain } from './conditions.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { journalize } from './journal.ts';
import type { Moment, Observation } from './observation.ts';

export const account = (seen: Observation, now: Moment): Decision =>
  explain(seen, journalize(seen, decide(seen, now), now), now);
