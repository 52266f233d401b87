/**
 * Words to write OpenAPI schemas with, as CustomResourceDefinitions hold them.
 *
 * Everything written with them is structural: types stand outside of `oneOf`, `anyOf` and `not`
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/).
 */

export interface Schema {
  readonly description?: string;
  readonly type?: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly default?: string | number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Properties;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly {
    readonly rule: string;
    readonly message: string;
  }[];
}

export type Properties = Readonly<Record<string, Schema>>;
/** What a builder adds to the type that it stands for. */
type Rules = Omit<Schema, 'description' | 'type'>;

const typed =
  (type: NonNullable<Schema['type']>) =>
  (description: string, rules: Rules = {}): Schema => ({ description, type, ...rules });

export const string = typed('string');
export const boolean = typed('boolean');
export const integer = typed('integer');
/**
 * Also what is a whole number to the controller: the reference's schema says `number`, so objects
 * with fractions may be stored, and a stricter type would refuse every later write to them, the
 * controller's own status included. Fractions are refused by admission instead (D27).
 */
export const number = typed('number');

export const int32 = (description: string, rules: Rules = {}): Schema =>
  integer(description, { format: 'int32', ...rules });

export const enumOf = (description: string, values: readonly string[]): Schema =>
  string(description, { enum: values });

export const array = (description: string, items: Schema, rules: Rules = {}): Schema => ({
  description,
  type: 'array',
  items,
  ...rules,
});

export const strings = (description: string): Schema => array(description, { type: 'string' });

export const mapOf = (description: string, values: Schema): Schema => ({
  description,
  type: 'object',
  additionalProperties: values,
});

export const stringMap = (description: string): Schema => mapOf(description, { type: 'string' });

/** An object. `required` names those of its fields that must be there. */
export function object(
  description: string,
  properties: Properties,
  required: readonly string[] = [],
  rules: Rules = {},
): Schema {
  return {
    description,
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    ...rules,
    properties,
  };
}

/** Of several sets of fields, exactly one is complete. */
export const exactlyOne = (...sets: readonly (readonly string[])[]): Rules => ({
  oneOf: sets.map((required) => ({ required })),
});

/** Of several fields, one is there or none. */
export const atMostOne = (...fields: readonly string[]): Rules => ({
  oneOf: [
    { not: { anyOf: fields.map((field) => ({ required: [field] })) } },
    ...fields.map((field) => ({ required: [field] })),
  ],
});

/** Minutes or seconds in front; not anchored at its end, as in the reference. */
const durationPattern = '^[0-9]+(m|s)';

export const duration = (description: string): Schema =>
  string(description, { pattern: durationPattern });

/** An object in the own namespace, by version, kind and name. */
export function reference(
  description: string,
  kinds: readonly string[],
  more: Properties = {},
): Schema {
  const properties = {
    apiVersion: string('API version of the object.'),
    kind: enumOf('Kind of the object.', kinds),
    name: string('Name of the object.'),
    ...more,
  };
  return object(description, properties, ['apiVersion', 'kind', 'name']);
}

/** An object of a known kind by name, and by namespace where it is another. */
export function crossReference(description: string, noun: string): Schema {
  const properties = {
    name: string(`Name of the ${noun}.`),
    namespace: string(`Namespace of the ${noun}; the canary's where not given.`),
  };
  return object(description, properties, ['name']);
}
