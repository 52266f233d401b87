/**
 * Reading what users wrote, field by field: a reader takes a value and its place, and answers what
 * it means, or notes what is wrong there. All problems of a document are found at once.
 */
import { parseDuration } from '../api/duration.ts';
import type { FieldPath, Problem, SourceDocument } from './yaml-source.ts';
import { showPath } from './yaml-source.ts';

export interface Place {
  readonly path: FieldPath;
  readonly document: SourceDocument;
  readonly problems: Problem[];
}

/** Undefined where a problem was noted. */
export type Reader<T> = (value: unknown, place: Place) => T | undefined;

export const under = (place: Place, part: string | number): Place => ({
  ...place,
  path: [...place.path, part],
});

export function note({ path, document, problems }: Place, message: string): undefined {
  const { file } = document;
  problems.push({ file, line: document.lineOf(path), path: showPath(path), message });
  return undefined;
}

const charactersShownMax = 60;

export function shown(value: unknown): string {
  const text = Array.isArray(value) ? 'a list' : (JSON.stringify(value) ?? String(value));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'an object';
  return text.length > charactersShownMax ? `${text.slice(0, charactersShownMax)}…` : text;
}

export const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const text: Reader<string> = (value, place) =>
  typeof value === 'string' ? value : note(place, `${shown(value)} is no text`);

export const name: Reader<string> = (value, place) => {
  const isName = typeof value === 'string' && /^[A-Za-z0-9][\w.-]{0,127}$/.test(value);
  return isName ? value : note(place, `${shown(value)} is no name: write letters, digits, - . _`);
};

export const numberBetween =
  (min: number, max: number, unit = ''): Reader<number> =>
  (value, place) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return note(place, `${shown(value)} is no number`);
    }
    if (value < min) return note(place, `${value}${unit} is below ${min}${unit}`);
    return value > max ? note(place, `${value}${unit} is above ${max}${unit}`) : value;
  };

/** Milliseconds. A duration as Kubernetes people write it; 0 needs no unit. */
export const duration: Reader<number> = (value, place) => {
  const written = typeof value === 'number' ? String(value) : value;
  const parsed = parseDuration(typeof written === 'string' ? written : '');
  if (parsed.ok && parsed.ms >= 0) return parsed.ms;
  return note(place, `${shown(value)} is no duration: write 30s, 5m or 1m30s`);
};

/** Milliseconds, more than none. */
export const span: Reader<number> = (value, place) => {
  const ms = duration(value, place);
  return ms === 0 ? note(place, 'must be longer than 0') : ms;
};

export const listOf =
  <T>(item: Reader<T>): Reader<readonly T[]> =>
  (value, place) => {
    if (!Array.isArray(value)) return note(place, `${shown(value)} is no list`);
    const items = value.map((each: unknown, index) => item(each, under(place, index)));
    return items.every((each) => each !== undefined) ? items : undefined;
  };

export const mapOf =
  <T>(item: (key: string) => Reader<T>): Reader<ReadonlyMap<string, T>> =>
  (value, place) => {
    if (!isFields(value)) return note(place, `${shown(value)} is no object`);
    const found = new Map<string, T>();
    for (const [key, each] of Object.entries(value)) {
      const read = item(key)(each, under(place, key));
      if (read !== undefined) found.set(key, read);
    }
    return found;
  };

/** One field after the other; a field that nobody reads is a problem. */
export interface FieldsReader {
  has(field: string): boolean;
  optional<T>(field: string, reader: Reader<T>, fallback: T): T;
  required<T>(field: string, reader: Reader<T>): T | undefined;
  /** To be called after all fields: notes those that are not known. */
  end(): void;
  readonly place: Place;
}

export function fieldsAt(value: unknown, place: Place): FieldsReader | undefined {
  if (!isFields(value)) return note(place, `${shown(value)} is no object`);
  const known = new Set<string>();
  const read = <T>(field: string, reader: Reader<T>): T | undefined => {
    known.add(field);
    const found = value[field];
    return found === undefined ? undefined : reader(found, under(place, field));
  };
  return {
    place,
    has: (field) => {
      known.add(field);
      return value[field] !== undefined;
    },
    optional: (field, reader, fallback) => read(field, reader) ?? fallback,
    required: (field, reader) => {
      const found = read(field, reader);
      if (value[field] === undefined) note(place, `${field} is missing`);
      return found;
    },
    end: () => {
      for (const field of Object.keys(value)) {
        if (known.has(field)) continue;
        note(under(place, field), `unknown field: known are ${[...known].join(', ')}`);
      }
    },
  };
}
