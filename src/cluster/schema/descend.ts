/**
 * Comes by the values whose schemas have something to say beyond `structure.ts`. Parts of a schema
 * that say nothing of the kind are known beforehand, and their values are not looked at.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isEqual, isRecord } from '../json.ts';
import type { FieldError } from '../status-error.ts';
import { correlatedItem } from './correlation.ts';
import { noPath, pathText } from './field-errors.ts';
import type { Step } from './field-errors.ts';
import type { Schema } from './schema.ts';

/** One value on the way. Only good until the visit ends. */
export interface Visit {
  /** Keys of maps are in brackets: `spec.labels[app]`. */
  path(step?: Step): string;
  report(error: FieldError): void;
  /** The value as it was; undefined where there was none, or none to compare with. */
  readonly before: unknown;
  /** Whether nothing changed here, or in the nearest part above that can be compared. */
  isUnchanged(): boolean;
}

export interface Inspection {
  /** Whether it has to see values of that schema. */
  concerns(schema: Schema): boolean;
  visit(value: Json, schema: Schema, visit: Visit): void;
}

/** Reports what is wrong, in the order of the fields. */
export type Descent = (object: Json, before: unknown, errors: FieldError[]) => void;

/** Undefined where nothing in the schema concerns the inspection. */
export function compileDescent(root: Schema, inspection: Inspection): Descent | undefined {
  const leading = leadingTo(root, inspection);
  if (!leading.has(root)) return undefined;
  return (object, before, errors) => {
    new Walk(inspection, leading, errors).come(object, root, before);
  };
}

function childrenOf(schema: Schema): readonly Schema[] {
  const { properties, additionalProperties, items, allOf } = schema;
  return [
    ...Object.values(properties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...(items === undefined ? [] : [items]),
    ...(allOf ?? []),
  ];
}

/** The schemas that concern the inspection, and all above them. Schemas may be cycles. */
function leadingTo(root: Schema, inspection: Inspection): ReadonlySet<Schema> {
  const parents = new Map<Schema, Schema[]>([[root, []]]);
  const open = [root];
  for (let schema = open.pop(); schema !== undefined; schema = open.pop()) {
    for (const child of childrenOf(schema)) {
      const known = parents.get(child);
      if (known === undefined) open.push(child);
      parents.set(child, [...(known ?? []), schema]);
    }
  }
  const leading = new Set<Schema>();
  const rising = [...parents.keys()].filter((it) => inspection.concerns(it));
  for (let schema = rising.pop(); schema !== undefined; schema = rising.pop()) {
    if (leading.has(schema)) continue;
    leading.add(schema);
    rising.push(...(parents.get(schema) ?? []));
  }
  return leading;
}

class Walk implements Visit {
  before: unknown = undefined;
  readonly #inspection: Inspection;
  readonly #leading: ReadonlySet<Schema>;
  readonly #errors: FieldError[];
  readonly #steps: Step[] = [];
  /** The nearest pair that can be compared. */
  #pair: readonly [now: unknown, before: unknown] = [undefined, undefined];

  constructor(inspection: Inspection, leading: ReadonlySet<Schema>, errors: FieldError[]) {
    this.#inspection = inspection;
    this.#leading = leading;
    this.#errors = errors;
  }

  path(step?: Step): string {
    const text = pathText(step === undefined ? this.#steps : [...this.#steps, step]);
    return text === '' ? noPath : text;
  }

  report(error: FieldError): void {
    this.#errors.push(error);
  }

  isUnchanged(): boolean {
    const [now, before] = this.#pair;
    return before !== undefined && isEqual(now, before);
  }

  come(value: Json, schema: Schema, before: unknown): void {
    if (value === null || !this.#leading.has(schema)) return;
    const above = this.#pair;
    if (before !== undefined) this.#pair = [value, before];
    if (this.#inspection.concerns(schema)) {
      this.before = before;
      this.#inspection.visit(value, schema, this);
    }
    for (const part of schema.allOf ?? []) this.come(value, part, before);
    if (isList(value)) this.#comeByItems(value, schema, before);
    else if (typeof value === 'object') this.#comeByFields(value, schema, before);
    this.#pair = above;
  }

  #comeByItems(list: readonly Json[], schema: Schema, before: unknown): void {
    const { items } = schema;
    if (items === undefined || !this.#leading.has(items)) return;
    list.forEach((item, at) => {
      this.#steps.push(at);
      this.come(item, items, correlatedItem(item, schema, before));
      this.#steps.pop();
    });
  }

  #comeByFields(
    value: Readonly<Record<string, Json>>,
    { properties = {}, additionalProperties }: Schema,
    before: unknown,
  ): void {
    const old = isRecord(before) ? before : undefined;
    for (const name in value) {
      const child = value[name];
      const isNamed = Object.hasOwn(properties, name);
      const schema = isNamed ? properties[name] : additionalProperties;
      if (child === undefined || typeof schema !== 'object' || !this.#leading.has(schema)) continue;
      this.#steps.push(isNamed ? name : { key: name });
      this.come(child, schema, old?.[name]);
      this.#steps.pop();
    }
  }
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
