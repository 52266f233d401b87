/** The virtual clock for tests: it also lets loopback I/O come to rest. */
import type { VirtualClock } from '../../src/cluster/virtual-clock.ts';
import { createVirtualClock as create } from '../../src/cluster/virtual-clock.ts';

export type { VirtualClock } from '../../src/cluster/virtual-clock.ts';

const settlingRounds = 5;

export const createVirtualClock = (startMs?: number): VirtualClock =>
  create({ settlingRounds, ...(startMs !== undefined && { startMs }) });
