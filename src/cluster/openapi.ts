/**
 * The API as OpenAPI: `/openapi/v3` with a document for each group and version, and `/openapi/v2`.
 * As far as clients look: the kinds, and for each of their paths the operations with their query
 * parameters (`kubectl` lets the server validate fields only where these name `fieldValidation`).
 * Documents are made when they are first asked for, and anew when the set of types changes.
 */
import { createHash } from 'node:crypto';
import type { Json } from '../api/kubernetes.ts';
import type { Definition } from './builtin/schemas.ts';
import { definitions, referenceOf } from './builtin/schemas.ts';
import type { ApiDocument } from './discovery.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import type { Schema } from './schema/schema.ts';

export type OpenapiAnswer = (
  path: string,
  accept: string | undefined,
  types: readonly ResourceType[],
) => ApiDocument | undefined;

type JsonObject = Readonly<Record<string, Json>>;

/** What it answers is remembered for the types that it was asked about last. */
export function createOpenapi(): OpenapiAnswer {
  let known: readonly ResourceType[] = [];
  let bodies = new Map<string, string>();
  let all: JsonObject | undefined;

  return (path, accept, types) => {
    if (path !== '/openapi/v2' && !path.startsWith('/openapi/v3')) return undefined;
    if (types !== known) {
      known = types;
      bodies = new Map();
    }
    const bodyOf = (name: string, make: () => Json): string => {
      const body = bodies.get(name) ?? JSON.stringify(make());
      bodies.set(name, body);
      return body;
    };
    const schemas = (): JsonObject => (all ??= builtInSchemas(schemaPrefix));
    const documentOf = (root: string): string | undefined => {
      const served = types.filter((it) => rootOf(it) === root);
      return served.length === 0
        ? undefined
        : bodyOf(root, () => groupVersion(root, served, schemas()));
    };

    // An empty document of the first OpenAPI, as protobuf: kubectl reads no other, and looks there
    // for kinds that the third does not have.
    if (path === '/openapi/v2' && accept?.includes('protobuf') === true) return noSwagger;
    if (path === '/openapi/v2') return json(bodyOf(path, () => swagger(types)));
    const root = path.slice('/openapi/v3'.length).replace(/^\//, '');
    if (root === '') return json(bodyOf(path, () => index(types, documentOf)));
    const body = documentOf(root);
    return body === undefined ? undefined : json(body);
  };
}

const noSwagger: ApiDocument = {
  contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  body: '',
};

const json = (body: string): ApiDocument => ({ contentType: 'application/json', body });

/** `api/v1`, `apis/apps/v1`. */
const rootOf = (type: ResourceType): string =>
  `${type.group === '' ? 'api' : 'apis'}/${apiVersionOf(type)}`;

function index(
  types: readonly ResourceType[],
  documentOf: (root: string) => string | undefined,
): Json {
  const roots = [...new Set(types.map(rootOf))].toSorted();
  const paths = roots.map((root) => {
    const hash = createHash('sha256')
      .update(documentOf(root) ?? '')
      .digest('hex')
      .toUpperCase();
    return [root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` }] as const;
  });
  return { paths: Object.fromEntries(paths) };
}

const info = { title: 'Kubernetes', version: 'v1.36.3' };

const schemaPrefix = '#/components/schemas/';

function groupVersion(root: string, types: readonly ResourceType[], builtIn: JsonObject): Json {
  const names = types.flatMap((type) => {
    const name = definitionNameOf(type);
    return type.isCustom || name === undefined ? [] : [name, `${name}List`];
  });
  const shared = [objectMeta, `${metaPackage}.ListMeta`, deleteOptions, status, scaleName];
  const custom = types.filter((it) => it.isCustom).flatMap((it) => customSchemas(it, schemaPrefix));
  return {
    openapi: '3.0.0',
    info,
    paths: Object.fromEntries(types.flatMap((type) => pathsOf(`/${root}`, type, 'v3'))),
    components: {
      schemas: { ...reachable(builtIn, [...names, ...shared]), ...Object.fromEntries(custom) },
    },
  };
}

function swagger(types: readonly ResourceType[]): Json {
  const prefix = '#/definitions/';
  const custom = types.filter((it) => it.isCustom).flatMap((it) => customSchemas(it, prefix));
  const paths = types.flatMap((type) => pathsOf(`/${rootOf(type)}`, type, 'v2'));
  return {
    swagger: '2.0',
    info,
    paths: Object.fromEntries(paths),
    definitions: { ...(definitions as unknown as JsonObject), ...Object.fromEntries(custom) },
  };
}

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const objectMeta = `${metaPackage}.ObjectMeta`;
const deleteOptions = `${metaPackage}.DeleteOptions`;
const status = `${metaPackage}.Status`;
const scaleName = 'io.k8s.api.autoscaling.v1.Scale';

/** Of custom kinds, the group backwards: `app.flagger.v1beta1.Canary`. */
function definitionNameOf({ group, version, kind, isCustom }: ResourceType): string | undefined {
  if (isCustom) return [...group.split('.').toReversed(), version, kind].join('.');
  return Object.keys(definitions).find((name) =>
    definitions[name]?.['x-kubernetes-group-version-kind']?.some(
      (it) => it.group === group && it.version === version && it.kind === kind,
    ),
  );
}

function customSchemas(type: ResourceType, prefix: string): readonly (readonly [string, Json])[] {
  const { group, version, kind, listKind, schema } = type;
  const name = definitionNameOf(type) ?? kind;
  const inner = plain(schema) as JsonObject;
  const properties = inner['properties'] as JsonObject | undefined;
  const item: Json = {
    ...inner,
    properties: { ...properties, metadata: { $ref: `${prefix}${objectMeta}` } },
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  };
  const list: Json = {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: { $ref: `${prefix}${name}` } },
      kind: { type: 'string' },
      metadata: { $ref: `${prefix}${metaPackage}.ListMeta` },
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
  };
  return [
    [name, item],
    [`${name}List`, list],
  ];
}

/** Custom schemas are trees. */
const plain = (schema: Schema): Json => JSON.parse(JSON.stringify(schema)) as Json;

function builtInSchemas(prefix: string): JsonObject {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, it]) => [name, inVersion3(it, prefix)]),
  );
}

/** In version 3 a reference stands alone, and keywords beside it go around it. */
function inVersion3(definition: Definition, prefix: string): JsonObject {
  const { $ref: _, properties, items, additionalProperties, ...keywords } = definition;
  const name = referenceOf(definition);
  if (name !== undefined) {
    const reference = { $ref: `${prefix}${name}` };
    return Object.keys(keywords).length === 0
      ? reference
      : ({ ...keywords, allOf: [reference] } as unknown as JsonObject);
  }
  const inner = {
    ...keywords,
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([field, it]) => [field, inVersion3(it, prefix)]),
      ),
    }),
    ...(items !== undefined && { items: inVersion3(items, prefix) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: inVersion3(additionalProperties, prefix),
    }),
  } as unknown as JsonObject;
  if (keywords.format !== 'int-or-string') return inner;
  return { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
}

function reachable(schemas: JsonObject, names: readonly string[]): JsonObject {
  const found = new Map<string, Json>();
  const visit = (name: string): void => {
    const schema = schemas[name];
    if (schema === undefined || found.has(name)) return;
    found.set(name, schema);
    const definition = definitions[name];
    if (definition !== undefined) for (const it of referencesIn(definition)) visit(it);
  };
  names.forEach(visit);
  return Object.fromEntries(found);
}

function referencesIn(definition: Definition): readonly string[] {
  const name = referenceOf(definition);
  const { properties = {}, items, additionalProperties } = definition;
  const inner = [...Object.values(properties), items, additionalProperties];
  return [
    ...(name === undefined ? [] : [name]),
    ...inner.flatMap((it) => (it === undefined ? [] : referencesIn(it))),
  ];
}

type OpenapiVersion = 'v2' | 'v3';

function pathsOf(
  root: string,
  type: ResourceType,
  version: OpenapiVersion,
): readonly (readonly [string, Json])[] {
  const { plural, namespaced, hasStatus, scale, answer } = type;
  const home = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const collection = answer === undefined ? ['get', 'post', 'delete'] : ['post'];
  const paths: (readonly [string, Json])[] = [
    [home, pathItem(type, collection, version, namespaced ? ['namespace'] : [])],
  ];
  if (answer !== undefined) return paths;
  const inPath = ['name', ...(namespaced ? ['namespace'] : [])];
  const item = `${home}/{name}`;
  paths.push([item, pathItem(type, ['get', 'put', 'patch', 'delete'], version, inPath)]);
  if (namespaced) paths.push([`${root}/${plural}`, pathItem(type, ['get'], version, [])]);
  const part = pathItem(type, ['get', 'put', 'patch'], version, inPath);
  if (hasStatus) paths.push([`${item}/status`, part]);
  if (scale !== undefined) {
    const asScale = { ...type, group: 'autoscaling', version: 'v1', kind: 'Scale' };
    paths.push([`${item}/scale`, pathItem(asScale, ['get', 'put', 'patch'], version, inPath)]);
  }
  return paths;
}

const queries: Readonly<Record<string, readonly string[]>> = {
  get: ['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'watch'],
  post: ['dryRun', 'fieldManager', 'fieldValidation'],
  put: ['dryRun', 'fieldManager', 'fieldValidation'],
  patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  delete: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'],
};

function pathItem(
  { group, version, kind, isCustom }: ResourceType,
  verbs: readonly string[],
  openapi: OpenapiVersion,
  inPath: readonly string[],
): Json {
  const parameter = (name: string, place: 'query' | 'path', type: string): Json => ({
    name,
    in: place,
    ...(place === 'path' && { required: true }),
    ...(openapi === 'v3' ? { schema: { type, uniqueItems: true } } : { type, uniqueItems: true }),
  });
  const operation = (verb: string): Json => ({
    parameters: (queries[verb] ?? []).map((it) =>
      parameter(it, 'query', queryTypes[it] ?? 'string'),
    ),
    ...(verb === 'patch' && patchBodies(isCustom, openapi)),
    responses: { '200': { description: 'OK' }, '401': { description: 'Unauthorized' } },
    'x-kubernetes-action': verb,
    'x-kubernetes-group-version-kind': { group, version, kind },
  });
  return {
    ...Object.fromEntries(verbs.map((verb) => [verb, operation(verb)])),
    parameters: inPath.map((it) => parameter(it, 'path', 'string')),
  };
}

const queryTypes: Readonly<Record<string, string>> = {
  force: 'boolean',
  watch: 'boolean',
  limit: 'integer',
  gracePeriodSeconds: 'integer',
};

function patchBodies(isCustom: boolean, openapi: OpenapiVersion): JsonObject {
  const types = [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(isCustom ? [] : ['application/strategic-merge-patch+json']),
  ];
  if (openapi === 'v2') return { consumes: types };
  const content = Object.fromEntries(types.map((it) => [it, { schema: { type: 'object' } }]));
  return { requestBody: { content } };
}
