/** For those who do not want to hear. */
import type { Log } from './log.ts';

const nothing = (): void => undefined;

export const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
