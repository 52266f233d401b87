/**
 * What the built-in kinds look like: the definitions of a real API server (`openapi.json`, written
 * by `make openapi`), with their references resolved when a kind is first asked for.
 */
import type { Schema } from '../schema/schema.ts';
import openapi from './openapi.json' with { type: 'json' };

/** A schema of OpenAPI v2, as it is written in the file. */
export interface Definition extends Omit<Schema, 'properties' | 'items' | 'additionalProperties'> {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly items?: Definition;
  readonly additionalProperties?: Definition;
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export const definitions = openapi as unknown as Readonly<Record<string, Definition>>;

const referencePrefix = '#/definitions/';

/** The definition that a schema refers to; undefined where it stands for itself. */
export function referenceOf({ $ref }: Definition): string | undefined {
  return $ref?.slice(referencePrefix.length);
}

/** Throws where there is no definition of that name: kinds and file belong together. */
export function definitionOf(name: string): Definition {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`openapi.json has no definition ${name}`);
  return definition;
}

export interface SchemaSet {
  /** The same graph for the same name. */
  schemaOf(name: string): Schema;
}

const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

export function createSchemas(): SchemaSet {
  const linked = new Map<string, Schema>();
  return {
    schemaOf: (name) => linked.get(name) ?? link(name, linked),
  };
}

/** References with keywords beside them are copies, made when all that they refer to is there. */
function link(root: string, linked: Map<string, Schema>): Schema {
  const copies: (() => void)[] = [];

  const byName = (name: string): Schema => {
    const known = linked.get(name);
    if (known !== undefined) return known;
    const schema: Schema = {};
    linked.set(name, schema);
    Object.assign(schema, name === intOrString ? anyScalar : resolved(definitionOf(name)));
    return schema;
  };

  const resolved = (definition: Definition): Schema => {
    const name = referenceOf(definition);
    const { $ref: _, properties, items, additionalProperties, ...keywords } = definition;
    if (name !== undefined) {
      const target = byName(name);
      if (Object.keys(keywords).length === 0) return target;
      const copy: Schema = {};
      copies.push(() => Object.assign(copy, target, keywords));
      return copy;
    }
    const schema: Record<string, unknown> = { ...keywords };
    if (properties !== undefined) {
      schema['properties'] = Object.fromEntries(
        Object.entries(properties).map(([field, it]) => [field, resolved(it)]),
      );
    }
    if (items !== undefined) schema['items'] = resolved(items);
    if (additionalProperties !== undefined) {
      schema['additionalProperties'] = resolved(additionalProperties);
    }
    return schema;
  };

  const schema = byName(root);
  for (const copy of copies) copy();
  return schema;
}

const anyScalar: Schema = { 'x-kubernetes-int-or-string': true };
