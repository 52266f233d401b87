/** The way through one object while it is validated: where it is, and what was found wrong. */
import type { FieldError } from '../status-error.ts';
import type { CompiledSchema } from './compiled.ts';
import { pathText } from './field-errors.ts';
import type { Step } from './field-errors.ts';

/** Allocates nothing until something is wrong. */
export interface Walk {
  readonly steps: Step[];
  /** Without repetitions. */
  errors: FieldError[];
  /** How much was right: the alternative of which most is right explains best what is wrong. */
  matches: number;
  /** Parts of objects that were found right, by what. Only the largest: `spec`, `status`. */
  readonly right: WeakMap<object, CompiledSchema>;
}

export function report(walk: Walk, error: FieldError): void {
  const { field, message } = error;
  const isKnown = walk.errors.some((it) => it.field === field && it.message === message);
  if (!isKnown) walk.errors.push(error);
}

/** The path of the value. */
export const here = ({ steps }: Walk): string => pathText(steps);
