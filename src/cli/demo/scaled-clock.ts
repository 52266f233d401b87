/**
 * A steady clock that runs faster than the wall, so that intervals of 10 s take 2 s. The time of
 * day stays as it is: it is written into objects that a user's kubectl shows ages of.
 */
import type { Clock } from '../../kube/clock.ts';

export function createScaledClock(clock: Clock, speed: number): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * speed,
    sleep: (ms, signal) => clock.sleep(ms / speed, signal),
    after: (ms, callback) => clock.after(ms / speed, callback),
  };
}
