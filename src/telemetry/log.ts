/**
 * Log lines on one stream, with the reference's keys (`spec/03`, 7.4): `level` in lower case, `ts`
 * in ISO 8601 with milliseconds, `msg`, `logger`, `canary`, and `stacktrace` of an error.
 *
 * `caller` is left out: it costs a stack trace per line, and messages are constant enough to find.
 * Nothing is sampled. Logging cannot fail its caller, and known shapes of secrets are masked.
 */
import { pino } from 'pino';
import { printable } from './redact.ts';

export type LogFields = Readonly<Record<string, unknown>>;
type LogMethod = (fields: LogFields, message: string) => void;

export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

export interface LogOptions {
  /** As `--log-level` has it; what is no level means `info`, as in the reference. */
  readonly level: string;
  /** As `--zap-encoding` has it. */
  readonly encoding: 'json' | 'console';
  /** Takes one line, its newline included. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The `logger` field. */
  readonly logger?: string;
}

const levels: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
};

export function createLogger(options: LogOptions): Logger {
  const { encoding, write, now } = options;
  const sink = pino(
    {
      level: (Object.hasOwn(levels, options.level) ? levels[options.level] : undefined) ?? 'info',
      base: options.logger === undefined ? null : { logger: options.logger },
      formatters: { level: (level) => ({ level }) },
      timestamp: () => `,"ts":"${new Date(now()).toISOString()}"`,
    },
    { write: encoding === 'console' ? (line: string) => write(consoleLine(line)) : write },
  );
  const method =
    (level: 'debug' | 'info' | 'warn' | 'error'): LogMethod =>
    (fields, message) => {
      try {
        if (sink.isLevelEnabled(level)) sink[level](printable(fields), printable(message));
      } catch {
        // The stream is gone, so there is nowhere left to say it.
        return;
      }
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  };
}

/** `TS<tab>LEVEL<tab>[LOGGER<tab>]MSG<tab>{other fields}`, the reference's console encoding. */
function consoleLine(json: string): string {
  const { ts, level, logger, msg, ...others } = JSON.parse(json) as Record<string, unknown>;
  const parts = [ts, level, logger, msg].filter((part) => part !== undefined).map(String);
  if (Object.keys(others).length > 0) parts.push(JSON.stringify(others));
  return `${parts.join('\t')}\n`;
}
