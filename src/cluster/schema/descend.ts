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
  /** Whether what it finds depends on what the value was. Absent: never. */
  looksBack?(schema: Schema): boolean;
  visit(value: Json, schema: Schema, visit: Visit): void;
}

/** Reports what is wrong, in the order of the fields. */
export type Descent = (object: Json, before: unknown, errors: FieldError[]) => void;

/** Undefined where nothing in the schema concerns the inspection. */
export function compileDescent(root: Schema, inspection: Inspection): Descent | undefined {
  const plan: Plan = {
    inspection,
    leading: leadingTo(root, (schema) => inspection.concerns(schema)),
    backward: leadingTo(root, (schema) => inspection.looksBack?.(schema) === true),
    right: new WeakMap(),
  };
  if (!plan.leading.has(root)) return undefined;
  return (object, before, errors) => new Walk(plan, errors).come(object, root, before);
}

interface Plan {
  readonly inspection: Inspection;
  /** Schemas that concern the inspection, and all above them. */
  readonly leading: ReadonlySet<Schema>;
  /** Those of them in which something looks back. */
  readonly backward: ReadonlySet<Schema>;
  /** Parts of objects that were found right, by what. Only the largest: `spec`, `status`. */
  readonly right: WeakMap<object, Schema>;
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

/** The schemas of which the claim is true, and all above them. Schemas may be cycles. */
function leadingTo(root: Schema, claim: (schema: Schema) => boolean): ReadonlySet<Schema> {
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
  const rising = [...parents.keys()].filter(claim);
  for (let schema = rising.pop(); schema !== undefined; schema = rising.pop()) {
    if (leading.has(schema)) continue;
    leading.add(schema);
    rising.push(...(parents.get(schema) ?? []));
  }
  return leading;
}

class Walk implements Visit {
  before: unknown = undefined;
  readonly #plan: Plan;
  readonly #errors: FieldError[];
  readonly #steps: Step[] = [];
  /** Whether something was wrong, and let pass because it was so before. */
  #wasForgiven = false;
  /** The nearest pair that can be compared. */
  #pair: readonly [now: unknown, before: unknown] = [undefined, undefined];

  constructor(plan: Plan, errors: FieldError[]) {
    this.#plan = plan;
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
    const isSame = before !== undefined && isEqual(now, before);
    this.#wasForgiven ||= isSame;
    return isSame;
  }

  come(value: Json, schema: Schema, before: unknown): void {
    const { leading, backward, right } = this.#plan;
    if (value === null || !leading.has(schema)) return;
    const isTimeless = this.#steps.length === 1 && !backward.has(schema);
    if (!isTimeless || typeof value !== 'object') {
      this.#look(value, schema, before);
      return;
    }
    if (right.get(value) === schema) return;
    const known = this.#errors.length;
    this.#look(value, schema, before);
    if (this.#errors.length === known && !this.#wasForgiven) right.set(value, schema);
  }

  #look(value: Exclude<Json, null>, schema: Schema, before: unknown): void {
    const { inspection } = this.#plan;
    const above = this.#pair;
    if (before !== undefined) this.#pair = [value, before];
    if (inspection.concerns(schema)) {
      this.before = before;
      inspection.visit(value, schema, this);
    }
    for (const part of schema.allOf ?? []) this.come(value, part, before);
    if (isList(value)) this.#comeByItems(value, schema, before);
    else if (typeof value === 'object') this.#comeByFields(value, schema, before);
    this.#pair = above;
  }

  #comeByItems(list: readonly Json[], schema: Schema, before: unknown): void {
    const { items } = schema;
    if (items === undefined || !this.#plan.leading.has(items)) return;
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
      if (child === undefined || typeof schema !== 'object' || !this.#plan.leading.has(schema))
        continue;
      this.#steps.push(isNamed ? name : { key: name });
      this.come(child, schema, old?.[name]);
      this.#steps.pop();
    }
  }
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
