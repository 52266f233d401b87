/**
 * Defaults as tables: what a field becomes that was left out. Values are immutable: where a rule
 * changes nothing, the very same value comes back.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isRecord } from '../json.ts';

export type JsonObject = Readonly<Record<string, Json>>;

/** What becomes of a field, given the object that it is in. */
export type Rule = (value: Json | undefined, parent: JsonObject) => Json | undefined;

export const isJsonObject = (value: unknown): value is JsonObject => isRecord(value);

export const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** The value, or an empty one where it is of another type. */
export const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});
export const objectsIn = (value: unknown): readonly JsonObject[] =>
  isList(value) ? value.map(objectOf) : [];
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const fill =
  (json: Json): Rule =>
  (value) =>
    value ?? json;

/** Of an object that is there: its fields. Later rules see what earlier ones filled in. */
export function inside(rules: Readonly<Record<string, Rule>>): Rule {
  const entries = Object.entries(rules);
  return (value) => {
    if (!isJsonObject(value)) return value;
    let found: JsonObject = value;
    for (const [name, rule] of entries) {
      const before = found[name];
      const after = rule(before, found);
      if (after !== before) found = withField(found, name, after);
    }
    return found;
  };
}

/** As `inside`; an object that is not there is made. */
export function filled(rules: Readonly<Record<string, Rule>>): Rule {
  const rule = inside(rules);
  return (value, parent) => rule(value ?? {}, parent);
}

export function each(rule: Rule): Rule {
  return (value, parent) => {
    if (!isList(value)) return value;
    const items = value.map((item) => rule(item, parent) ?? item);
    return items.every((item, index) => item === value[index]) ? value : items;
  };
}

/** One after the other. */
export function chain(...rules: readonly Rule[]): Rule {
  return (value, parent) => rules.reduce((found, rule) => rule(found, parent), value);
}

export function when(claim: (parent: JsonObject) => boolean, rule: Rule): Rule {
  return (value, parent) => (claim(parent) ? rule(value, parent) : value);
}

export function withField(object: JsonObject, name: string, value: Json | undefined): JsonObject {
  if (value !== undefined) return { ...object, [name]: value };
  const { [name]: _, ...others } = object;
  return others;
}

/**
 * The rule, remembering what it made of what: objects are shared from write to write, so most were
 * seen before. Only for rules that do not look at the parent.
 */
export function remembered(rule: Rule): Rule {
  const results = new WeakMap<object, Json>();
  return (value, parent) => {
    if (typeof value !== 'object' || value === null) return rule(value, parent);
    const known = results.get(value);
    if (known !== undefined) return known;
    const result = rule(value, parent);
    if (typeof result !== 'object' || result === null) return result;
    results.set(value, result);
    results.set(result, result);
    return result;
  };
}
