/** What this room needs of a log. The `Logger` of `telemetry/` fits it. */
type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Log {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  /** A person must look. */
  readonly error: LogMethod;
}
