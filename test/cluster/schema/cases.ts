/**
 * What is sent to an API server to learn how it treats custom resources: definitions, good and bad,
 * and objects of the good ones. `record.ts` writes down the answers, and the tests replay them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { CustomResourceDefinition } from '../../../src/cluster/crd.ts';

export interface ObjectCase {
  /** Plural and group of its definition. */
  readonly of: string;
  readonly version: string;
  /** Without `apiVersion`, `kind` and `metadata.name`. */
  readonly body: object;
  /** A merge patch on what is stored after the creation. */
  readonly update?: object;
  /** A merge patch on the status of what is stored. */
  readonly status?: object | string;
  readonly fieldValidation?: 'Strict' | 'Warn';
}

const root = join(import.meta.dirname, '../../..');

const fromFile = (path: string): CustomResourceDefinition =>
  parse(readFileSync(join(root, path), 'utf8')) as CustomResourceDefinition;

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;

interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const ruled = (schema: object, ...rules: readonly Rule[]): object => ({
  ...schema,
  'x-kubernetes-validations': rules,
});

/** Everything that a schema can say, one field each. */
const gadgetSpec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: integer,
    small: { type: 'integer', format: 'int32', minimum: 1, maximum: 10 },
    strict: {
      type: 'integer',
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 5,
      exclusiveMaximum: true,
    },
    even: { type: 'integer', multipleOf: 2 },
    ratio: { type: 'number', minimum: 0.5 },
    half: { type: 'number', format: 'float', multipleOf: 0.5 },
    flag: { type: 'boolean' },
    color: { type: 'string', enum: ['red', 'green'] },
    level: { type: 'integer', enum: [1, 2] },
    code: { type: 'string', pattern: '^[a-z]+$', maxLength: 5, minLength: 2 },
    day: { type: 'string', format: 'date' },
    moment: { type: 'string', format: 'date-time' },
    span: { type: 'string', format: 'duration' },
    address: { type: 'string', format: 'ipv4' },
    link: { type: 'string', format: 'uri' },
    host: { type: 'string', format: 'hostname' },
    id: { type: 'string', format: 'uuid' },
    blob: { type: 'string', format: 'byte' },
    odd: { type: 'string', format: 'unheard-of' },
    port: { 'x-kubernetes-int-or-string': true },
    maybe: { type: 'string', nullable: true },
    defaulted: { type: 'string', default: 'here' },
    nested: {
      type: 'object',
      default: {},
      properties: { depth: { type: 'integer', default: 3 }, other: text },
    },
    list: { type: 'array', minItems: 1, maxItems: 3, items: text },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    map: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: text, value: integer, kind: { type: 'string', default: 'plain' } },
      },
    },
    pairs: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name', 'port'],
      items: {
        type: 'object',
        required: ['name', 'port'],
        properties: { name: text, port: integer },
      },
    },
    labels: { type: 'object', additionalProperties: text, maxProperties: 2 },
    limits: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['max'],
        properties: { max: integer, unit: { type: 'string', default: 'bytes' } },
      },
    },
    sets: {
      type: 'object',
      additionalProperties: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    },
    few: { type: 'object', minProperties: 1, additionalProperties: text },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    closed: { type: 'object' },
    halfOpen: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: { a: text } } },
    },
    embedded: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
    either: {
      type: 'object',
      properties: { a: text, b: text },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    any: {
      type: 'object',
      properties: { a: integer, b: text },
      anyOf: [{ required: ['a'], properties: { a: { minimum: 3 } } }, { required: ['b'] }],
    },
    all: { type: 'integer', allOf: [{ minimum: 2 }, { maximum: 4 }] },
    never: { type: 'string', not: { enum: ['bad'] } },
  },
};

const gadgetStatus = {
  type: 'object',
  properties: {
    ready: integer,
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type'],
        properties: { type: text, status: text },
      },
    },
  },
};

const ruleSpec = ruled(
  {
    type: 'object',
    required: ['min', 'max'],
    properties: {
      min: integer,
      max: integer,
      name: ruled(
        { type: 'string', maxLength: 30 },
        { rule: 'self == oldSelf', message: 'name is immutable' },
      ),
      grows: ruled(integer, {
        rule: 'self >= oldSelf',
        messageExpression: "oldSelf > 1 ? 'was more' : 'was less'",
      }),
      first: ruled(integer, {
        rule: 'oldSelf.hasValue() || self == 1',
        optionalOldSelf: true,
        message: 'must begin at 1',
      }),
      timeout: ruled(
        { type: 'string', format: 'duration', maxLength: 20 },
        { rule: "self >= duration('1s')", message: 'at least a second' },
      ),
      hosts: ruled(
        { type: 'array', maxItems: 5, items: { type: 'string', maxLength: 30 } },
        { rule: "!('*' in self && self.size() > 1)", message: 'a star stands alone' },
        { rule: "self.all(h, !h.contains(' '))" },
      ),
      matches: ruled(
        {
          type: 'array',
          maxItems: 4,
          items: {
            type: 'object',
            properties: {
              kind: { type: 'string', maxLength: 10 },
              path: { type: 'object', properties: { value: { type: 'string', maxLength: 20 } } },
            },
          },
        },
        { rule: "self.exists_one(m, m.kind == 'main')", message: 'exactly one main' },
        {
          rule: "has(self[0].path) ? self[0].path.value.startsWith('/') : true",
          message: 'absolute',
        },
        { rule: "self.filter(m, has(m.path)).map(m, m.path.value).all(v, v.matches('^/[a-z]*$'))" },
      ),
      port: ruled(
        { 'x-kubernetes-int-or-string': true },
        { rule: "type(self) == int ? self > 0 : self.startsWith('p')", message: 'a good port' },
      ),
      either: ruled({ 'x-kubernetes-int-or-string': true }, { rule: 'self > 0' }),
      tags: ruled(
        {
          type: 'object',
          maxProperties: 3,
          additionalProperties: { type: 'string', maxLength: 9 },
        },
        { rule: "self.all(key, key.size() != 0 && self[key] != 'no')", message: 'no no' },
      ),
      'dashed-name': ruled(
        {
          type: 'object',
          properties: { 'a-b': integer, namespace: integer },
        },
        { rule: 'self.a__dash__b < self.__namespace__', message: 'a-b below namespace' },
      ),
      shares: {
        type: 'object',
        maxProperties: 3,
        additionalProperties: ruled(integer, { rule: 'self < 9', message: 'below 9' }),
      },
      share: ruled({ type: 'number' }, { rule: 'self * 2.0 <= 1.0', message: 'at most a half' }),
      items: {
        type: 'array',
        maxItems: 3,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['id'],
        items: {
          type: 'object',
          required: ['id'],
          properties: {
            id: { type: 'string', maxLength: 9 },
            count: ruled(integer, { rule: 'self >= oldSelf', message: 'counts up' }),
          },
        },
      },
    },
  },
  { rule: 'self.min <= self.max', message: 'min must not exceed max', fieldPath: '.min' },
  { rule: 'self.max < 100', reason: 'FieldValueForbidden', message: 'too much' },
  {
    rule: 'has(self.name) || self.min > 0',
    reason: 'FieldValueRequired',
    message: 'a name',
    fieldPath: '.name',
  },
  {
    rule: 'self.max - self.min < 50',
    messageExpression: "'spread from ' + (self.min > 0 ? 'above' : 'below')",
  },
);

const names = (kind: string) => ({
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  listKind: `${kind}List`,
});

const group = 'schema.test';

export const gadget = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `gadgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { ...names('Gadget'), shortNames: ['gd'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: { spec: gadgetSpec, status: gadgetStatus },
          },
        },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.ready' },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Color', type: 'string', jsonPath: '.spec.color', description: 'of the outside' },
          { name: 'Flag', type: 'boolean', jsonPath: '.spec.flag', priority: 1 },
          { name: 'FlagText', type: 'string', jsonPath: '.spec.flag' },
          { name: 'Ratio', type: 'number', jsonPath: '.spec.ratio' },
          { name: 'RatioInt', type: 'integer', jsonPath: '.spec.ratio' },
          { name: 'Day', type: 'date', jsonPath: '.spec.day' },
          { name: 'First', type: 'string', jsonPath: '.spec.list[0]' },
          { name: 'Last', type: 'string', jsonPath: '.spec.list[-1]' },
          { name: 'All', type: 'string', jsonPath: '.spec.list[*]' },
          { name: 'List', type: 'string', jsonPath: '.spec.list' },
          { name: 'Open', type: 'string', jsonPath: '.spec.open' },
          { name: 'Maybe', type: 'string', jsonPath: '.spec.maybe' },
          { name: 'Value', type: 'integer', jsonPath: '.spec.map[?(@.name=="x")].value' },
          { name: 'NotX', type: 'string', jsonPath: ".spec.map[?(@.name!='x')].name" },
          { name: 'Big', type: 'string', jsonPath: '.spec.map[?(@.value>5)].name' },
          { name: 'HasKind', type: 'string', jsonPath: '.spec.map[?(@.kind)].kind' },
          { name: 'Dotted', type: 'string', jsonPath: '.spec.labels.a\\.b/c' },
          { name: 'Quoted', type: 'string', jsonPath: ".spec.labels['plain']" },
        ],
        selectableFields: [{ jsonPath: '.spec.color' }],
      },
    ],
  },
} as unknown as CustomResourceDefinition;

export const ruler = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `rulers.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: names('Ruler'),
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: ruled(
            { type: 'object', properties: { spec: ruleSpec } },
            { rule: "self.metadata.name.size() < 63 && self.kind == 'Ruler'" },
          ),
        },
      },
    ],
  },
} as unknown as CustomResourceDefinition;

export const definitions: readonly CustomResourceDefinition[] = [
  gadget,
  ruler,
  fromFile('manifests/crds/canaries.flagger.app.yaml'),
  fromFile('manifests/crds/metrictemplates.flagger.app.yaml'),
  fromFile('manifests/crds/alertproviders.flagger.app.yaml'),
  fromFile('test/crds/istio/virtualservices.networking.istio.io.yaml'),
  fromFile('test/crds/istio/destinationrules.networking.istio.io.yaml'),
];

const gadgetOf = (spec: object, more: Partial<ObjectCase> = {}): ObjectCase => ({
  of: 'gadgets.schema.test',
  version: 'v1',
  body: { spec: { size: 1, ...spec } },
  ...more,
});

const gadgets: Readonly<Record<string, ObjectCase>> = {
  'the least gadget': gadgetOf({}),
  'a gadget that is full': gadgetOf({
    small: 10,
    strict: 4,
    even: 4,
    ratio: 0.75,
    half: 1.5,
    flag: false,
    color: 'red',
    level: 2,
    code: 'abcde',
    day: '2024-02-29',
    moment: '2024-02-29T12:00:00Z',
    span: '1h30m',
    address: '10.0.0.1',
    link: 'https://example.test/a?b=c',
    host: 'example.test',
    id: '123e4567-e89b-42d3-a456-426614174000',
    blob: 'aGVsbG8=',
    odd: 'anything',
    port: 'http',
    maybe: null,
    nested: { other: 'x' },
    list: ['a', 'b', 'c'],
    set: ['a', 'b'],
    map: [
      { name: 'x', value: 7 },
      { name: 'y', value: 1, kind: 'fancy' },
    ],
    pairs: [
      { name: 'a', port: 1 },
      { name: 'a', port: 2 },
    ],
    labels: { 'a.b/c': 'dotted', plain: 'quoted' },
    limits: { memory: { max: 1 } },
    few: { a: 'b' },
    open: { any: { thing: [1, 'two'] } },
    halfOpen: { known: { a: 'x' }, unknown: { b: 1 } },
    embedded: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { any: 1 } },
    either: { a: 'x' },
    any: { b: 'x' },
    all: 3,
    never: 'good',
  }),
  'no spec': { of: 'gadgets.schema.test', version: 'v1', body: {} },
  'a spec that is text': { of: 'gadgets.schema.test', version: 'v1', body: { spec: 'x' } },
  'a spec that is a list': { of: 'gadgets.schema.test', version: 'v1', body: { spec: [] } },
  'a required field is missing': {
    of: 'gadgets.schema.test',
    version: 'v1',
    body: { spec: { color: 'red' } },
  },
  'text for an integer': gadgetOf({ size: 'big' }),
  'a fraction for an integer': gadgetOf({ size: 1.5 }),
  'a whole number written as a fraction': gadgetOf({ ratio: 2 }),
  'an object for an integer': gadgetOf({ size: {} }),
  'a flag for an integer with a format': gadgetOf({ small: true }),
  'text for an integer with a format': gadgetOf({ small: 'x' }),
  'a fraction for an integer with a format': gadgetOf({ small: 1.5 }),
  'an integer for text': gadgetOf({ color: 5 }),
  'an integer for text with a format': gadgetOf({ day: 5 }),
  'a list for text with a format': gadgetOf({ day: [] }),
  'text for a flag': gadgetOf({ flag: 'true' }),
  'text for a number': gadgetOf({ ratio: 'x' }),
  'text for a list': gadgetOf({ list: 'x' }),
  'an object for a list': gadgetOf({ list: {} }),
  'a list for an object': gadgetOf({ nested: [] }),
  'text for an object': gadgetOf({ labels: 'x' }),
  'an integer in a list of texts': gadgetOf({ list: ['a', 1] }),
  'a flag for an int-or-string': gadgetOf({ port: true }),
  'a fraction for an int-or-string': gadgetOf({ port: 1.5 }),
  'an int for an int-or-string': gadgetOf({ port: 80 }),
  'below the minimum': gadgetOf({ small: 0 }),
  'above the maximum': gadgetOf({ small: 11 }),
  'above int32': gadgetOf({ small: 3_000_000_000 }),
  'at an exclusive minimum': gadgetOf({ strict: 0 }),
  'at an exclusive maximum': gadgetOf({ strict: 5 }),
  'not a multiple': gadgetOf({ even: 3 }),
  'not a multiple of a fraction': gadgetOf({ half: 0.7 }),
  'a number below a fraction': gadgetOf({ ratio: 0.25 }),
  'not in the enumeration': gadgetOf({ color: 'blue' }),
  'not in an enumeration of integers': gadgetOf({ level: 3 }),
  'against the pattern': gadgetOf({ code: 'ABC' }),
  'too short': gadgetOf({ code: 'a' }),
  'too long': gadgetOf({ code: 'abcdef' }),
  'long in bytes, not in characters': gadgetOf({ code: 'ääääää' }),
  'no date': gadgetOf({ day: '2024-02-30' }),
  'no time': gadgetOf({ moment: '2024-02-29 12:00' }),
  'no duration': gadgetOf({ span: 'long' }),
  'a duration in words': gadgetOf({ span: '3 hours' }),
  'no address': gadgetOf({ address: '10.0.0' }),
  'no link': gadgetOf({ link: 'example' }),
  'no host name': gadgetOf({ host: 'a b' }),
  'no uuid': gadgetOf({ id: 'x' }),
  'no base64': gadgetOf({ blob: '***' }),
  'too few items': gadgetOf({ list: [] }),
  'too many items': gadgetOf({ list: ['a', 'b', 'c', 'd'] }),
  'twice in a set': gadgetOf({ set: ['a', 'b', 'a', 'a'] }),
  'twice in a set in a map': gadgetOf({ sets: { a: ['x'], b: ['x', 'x'] } }),
  'twice in a map': gadgetOf({ map: [{ name: 'a' }, { name: 'b' }, { name: 'a', value: 2 }] }),
  'twice in a map of two keys': gadgetOf({
    pairs: [
      { name: 'a', port: 1 },
      { name: 'a', port: 1 },
    ],
  }),
  'an item without its key': gadgetOf({ map: [{ value: 1 }] }),
  'too many properties': gadgetOf({ labels: { a: '1', b: '2', c: '3' } }),
  'too few properties': gadgetOf({ few: {} }),
  'a wrong value in a map': gadgetOf({ labels: { app: 5 } }),
  'a missing field in a map': gadgetOf({ limits: { memory: {} } }),
  'neither of two': gadgetOf({ either: {} }),
  'both of two': gadgetOf({ either: { a: '1', b: '2' } }),
  'none of any': gadgetOf({ any: { a: 1 } }),
  'none of any, and nothing there': gadgetOf({ any: {} }),
  'below one of all': gadgetOf({ all: 1 }),
  'what must not be': gadgetOf({ never: 'bad' }),
  'null for what knows none': gadgetOf({ color: null }),
  'null where a default is': gadgetOf({ defaulted: null, nested: null }),
  'null for a required field': gadgetOf({ size: null }),
  'null in a list': gadgetOf({ list: ['a', null] }),
  'null in a map': gadgetOf({ labels: { a: null } }),
  'null deep in an object': gadgetOf({ nested: { depth: null, other: null } }),
  'null in an open object': gadgetOf({ open: { a: null } }),
  'an embedded object without its kind': gadgetOf({ embedded: { metadata: {} } }),
  'an embedded object of no kind': gadgetOf({ embedded: { apiVersion: '', kind: 'a b' } }),
  'two things wrong': gadgetOf({ size: 'x', color: 'blue' }),
  'unknown fields are dropped': gadgetOf({
    foo: 1,
    nested: { bar: 1 },
    map: [{ name: 'a', baz: 1 }],
  }),
  'unknown fields in objects that are open or closed': gadgetOf({
    closed: { a: 1 },
    open: { a: { b: 1 } },
    halfOpen: { known: { a: 'x', b: 'y' }, c: { d: 1 } },
  }),
  'unknown fields beside the spec': {
    of: 'gadgets.schema.test',
    version: 'v1',
    body: { spec: { size: 1 }, foo: 1, bar: { a: 1 } },
  },
  'unknown fields, strictly': gadgetOf(
    { foo: 1, nested: { bar: 1 }, map: [{ name: 'a', baz: 1 }] },
    { fieldValidation: 'Strict' },
  ),
  'unknown fields of an embedded object, strictly': gadgetOf(
    { embedded: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', foo: 1 }, other: 1 } },
    { fieldValidation: 'Strict' },
  ),
  'nothing unknown, strictly': gadgetOf({ open: { a: 1 } }, { fieldValidation: 'Strict' }),
  'a negative number of replicas': gadgetOf({ size: -1 }),
  'defaults appear deep in maps and lists': gadgetOf({
    limits: { a: { max: 1 }, b: { max: 2, unit: 'x' } },
    map: [{ name: 'a' }],
  }),
  'a good status': gadgetOf({}, { status: { ready: 1, conditions: [{ type: 'a' }] } }),
  'a status of a wrong type': gadgetOf({}, { status: { ready: 'x' } }),
  'a status that is text': gadgetOf({}, { status: 'x' }),
  'a status without a required field': gadgetOf({}, { status: { conditions: [{ status: 'a' }] } }),
  'twice in a status': gadgetOf({}, { status: { conditions: [{ type: 'a' }, { type: 'a' }] } }),
  'fewer than no ready ones': gadgetOf({}, { status: { ready: -1 } }),
  'a status with an unknown field': gadgetOf({}, { status: { ready: 1, foo: 1 } }),
  'a good change': gadgetOf({ color: 'red' }, { update: { spec: { color: 'green' } } }),
  'a bad change': gadgetOf({ color: 'red' }, { update: { spec: { color: 'blue' } } }),
  'a field taken away': gadgetOf({ defaulted: 'x' }, { update: { spec: { defaulted: null } } }),
};

const rulerOf = (spec: object, update?: object): ObjectCase => ({
  of: 'rulers.schema.test',
  version: 'v1',
  body: { spec: { min: 1, max: 2, ...spec } },
  ...(update !== undefined && { update: { spec: update } }),
});

const rulers: Readonly<Record<string, ObjectCase>> = {
  'all rules hold': rulerOf({
    name: 'a',
    grows: 1,
    first: 1,
    timeout: '1m',
    hosts: ['a', 'b'],
    matches: [{ kind: 'main', path: { value: '/a' } }, { kind: 'other' }],
    port: 'p1',
    tags: { a: 'yes' },
    'dashed-name': { 'a-b': 1, namespace: 2 },
    share: 0.5,
    items: [{ id: 'a', count: 1 }],
  }),
  'a rule over two fields': rulerOf({ min: 3, max: 2 }),
  'a rule that forbids': rulerOf({ min: 60, max: 100 }),
  'a rule that requires': rulerOf({ min: 0 }),
  'a message that is computed': rulerOf({ min: 1, max: 60 }),
  'a duration that is too short': rulerOf({ timeout: '10ms' }),
  'a star among others': rulerOf({ hosts: ['*', 'a'] }),
  'a rule without a message': rulerOf({ hosts: ['a b'] }),
  'no main': rulerOf({ matches: [{ kind: 'a' }] }),
  'two mains': rulerOf({ matches: [{ kind: 'main' }, { kind: 'main' }] }),
  'a relative path': rulerOf({ matches: [{ kind: 'main', path: { value: 'a' } }] }),
  'a path of wrong letters': rulerOf({ matches: [{ kind: 'main', path: { value: '/A' } }] }),
  'a rule stumbles over a field that is not there': rulerOf({ matches: [{ kind: 'main' }, {}] }),
  'a rule stumbles over an index': rulerOf({ matches: [] }),
  'a port of a bad number': rulerOf({ port: -1 }),
  'a port of a bad name': rulerOf({ port: 'x' }),
  'a rule stumbles over a type': rulerOf({ either: 'x' }),
  'a tag of no': rulerOf({ tags: { a: 'no' } }),
  'fields by other names': rulerOf({ 'dashed-name': { 'a-b': 3, namespace: 2 } }),
  'a value of a map': rulerOf({ shares: { a: 1, b: 9 } }),
  'more than a half': rulerOf({ share: 0.75 }),
  'a first value that is wrong': rulerOf({ first: 2 }),
  'rules do not look at what is broken': rulerOf({ min: 'x', share: 0.75 }),
  'what may not change does': rulerOf({ name: 'a' }, { name: 'b' }),
  'what may not change does not': rulerOf({ name: 'a' }, { max: 3 }),
  'what grows shrinks': rulerOf({ grows: 2 }, { grows: 1 }),
  'what grows appears': rulerOf({}, { grows: 1 }),
  'a first value counts only once': rulerOf({ first: 1 }, { first: 2 }),
  'a first value that appears wrong': rulerOf({}, { first: 2 }),
  'an item counts down': rulerOf(
    { items: [{ id: 'a', count: 2 }] },
    {
      items: [
        { id: 'b', count: 1 },
        { id: 'a', count: 1 },
      ],
    },
  ),
  'an item is another one': rulerOf(
    { items: [{ id: 'a', count: 2 }] },
    { items: [{ id: 'b', count: 1 }] },
  ),
};

const canaryOf = (spec: object): ObjectCase => ({
  of: 'canaries.flagger.app',
  version: 'v1beta1',
  body: { spec },
});

const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' };
const service = { port: 80 };

const others: Readonly<Record<string, ObjectCase>> = {
  'a good Canary': canaryOf({
    targetRef: target,
    service,
    analysis: { interval: '1m', threshold: 5, maxWeight: 50, stepWeight: 10 },
  }),
  'a Canary of an unknown provider': canaryOf({
    provider: 'nobody',
    targetRef: target,
    service,
    analysis: { interval: '1m', threshold: 5 },
  }),
  'a Canary with a bad interval': canaryOf({
    targetRef: target,
    service,
    analysis: { interval: 'soon', threshold: 'many' },
  }),
  'a Canary without a target': canaryOf({ service }),
  'a Canary with an unknown field': {
    ...canaryOf({ targetRef: target, service, colour: 'red', analysis: { interval: '1m' } }),
    fieldValidation: 'Strict',
  },
  'a good MetricTemplate': {
    of: 'metrictemplates.flagger.app',
    version: 'v1beta1',
    body: { spec: { provider: { type: 'prometheus', address: 'http://x' }, query: 'up' } },
  },
  'a MetricTemplate of an unknown provider': {
    of: 'metrictemplates.flagger.app',
    version: 'v1beta1',
    body: { spec: { provider: { type: 'guess' }, query: 'up' } },
  },
  'an AlertProvider that is nothing': {
    of: 'alertproviders.flagger.app',
    version: 'v1beta1',
    body: { spec: {} },
  },
  'a good AlertProvider': {
    of: 'alertproviders.flagger.app',
    version: 'v1beta1',
    body: { spec: { type: 'slack', address: 'http://x' } },
  },
  'a good VirtualService': {
    of: 'virtualservices.networking.istio.io',
    version: 'v1',
    body: {
      spec: {
        hosts: ['a'],
        http: [
          {
            route: [{ destination: { host: 'a', port: { number: 80 } }, weight: 100 }],
            timeout: '5s',
          },
        ],
      },
    },
  },
  'a VirtualService with a short timeout and a bad fault': {
    of: 'virtualservices.networking.istio.io',
    version: 'v1beta1',
    body: {
      spec: {
        hosts: ['a'],
        http: [
          {
            timeout: '1ns',
            fault: { delay: { fixedDelay: '1s', exponentialDelay: '1s' } },
            match: [{ uri: { exact: '/a', prefix: '/b' } }],
            route: [{ destination: { host: 'a' }, weight: 'x' }],
          },
        ],
      },
    },
  },
  'a VirtualService that breaks a rule only': {
    of: 'virtualservices.networking.istio.io',
    version: 'v1',
    body: {
      spec: { hosts: ['a'], http: [{ timeout: '1ns', route: [{ destination: { host: 'a' } }] }] },
    },
  },
  'a good DestinationRule': {
    of: 'destinationrules.networking.istio.io',
    version: 'v1',
    body: {
      spec: {
        host: 'a',
        trafficPolicy: {
          loadBalancer: { simple: 'ROUND_ROBIN' },
          connectionPool: { tcp: { connectTimeout: '1s' } },
        },
      },
    },
  },
  'a DestinationRule of two load balancers': {
    of: 'destinationrules.networking.istio.io',
    version: 'v1',
    body: {
      spec: {
        host: 'a',
        trafficPolicy: { loadBalancer: { simple: 'GUESS', consistentHash: { useSourceIp: true } } },
      },
    },
  },
};

export const objects: Readonly<Record<string, ObjectCase>> = { ...gadgets, ...rulers, ...others };

type Spec = CustomResourceDefinition['spec'];

const thing = (changes: object, version: object = {}): CustomResourceDefinition => {
  const spec = {
    group: 'bad.test',
    scope: 'Namespaced',
    names: names('Thing'),
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: {} } },
        ...version,
      },
    ],
    ...changes,
  } as unknown as Spec;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.bad.test` },
    spec,
  };
};

const schemaOf = (properties: object, more: object = {}): CustomResourceDefinition =>
  thing({}, { schema: { openAPIV3Schema: { type: 'object', properties, ...more } } });

const column = (of: object): CustomResourceDefinition =>
  thing(
    {},
    { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec', ...of }] },
  );

/** None of them is taken. */
export const badDefinitions: Readonly<Record<string, CustomResourceDefinition>> = {
  'a name of another group': thing({ group: 'other.test' }),
  'a group without a dot': thing({ group: 'bad' }),
  'an unknown scope': thing({ scope: 'Everywhere' }),
  'no schema': thing({}, { schema: undefined }),
  'no storage version': thing({}, { storage: false }),
  'no kind': thing({ names: { ...names('Thing'), kind: '' } }),
  'a kind like its list': thing({ names: { ...names('Thing'), listKind: 'Thing' } }),
  'a bad short name': thing({ names: { ...names('Thing'), shortNames: ['A'] } }),
  'a bad category': thing({ names: { ...names('Thing'), categories: ['a b'] } }),
  'a bad version name': thing({}, { name: '1' }),
  'a root without a type': thing({}, { schema: { openAPIV3Schema: { properties: {} } } }),
  'a root that is a list': thing(
    {},
    { schema: { openAPIV3Schema: { type: 'array', items: text } } },
  ),
  'a field without a type': schemaOf({ spec: { properties: { a: {} } } }),
  'a list without items': schemaOf({ a: { type: 'array' } }),
  'items without a type': schemaOf({ a: { type: 'array', items: {} } }),
  'an unknown type': schemaOf({ a: { type: 'text' } }),
  'a nullable root': schemaOf({}, { nullable: true }),
  'any property at the root': thing(
    {},
    { schema: { openAPIV3Schema: { type: 'object', additionalProperties: text } } },
  ),
  'properties and any others': schemaOf({
    a: { type: 'object', properties: { b: text }, additionalProperties: text },
  }),
  'unique items': schemaOf({ a: { type: 'array', items: text, uniqueItems: true } }),
  'a bad pattern': schemaOf({ a: { type: 'string', pattern: '(' } }),
  'a list map without keys': schemaOf({
    a: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      items: { type: 'object', properties: { b: text } },
    },
  }),
  'a list map with an unknown key': schemaOf({
    a: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['c'],
      items: { type: 'object', properties: { b: text } },
    },
  }),
  'a list map whose key may be missing': schemaOf({
    a: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['b'],
      items: { type: 'object', properties: { b: text } },
    },
  }),
  'a list map of texts': schemaOf({
    a: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['b'],
      items: text,
    },
  }),
  'keys of no list map': schemaOf({
    a: { type: 'array', 'x-kubernetes-list-map-keys': ['b'], items: text },
  }),
  'a list type of text': schemaOf({ a: { type: 'string', 'x-kubernetes-list-type': 'set' } }),
  'an unknown list type': schemaOf({
    a: { type: 'array', items: text, 'x-kubernetes-list-type': 'bag' },
  }),
  'labels in the metadata': schemaOf({
    metadata: { type: 'object', properties: { labels: { type: 'object' } } },
  }),
  'a rule of nothing': schemaOf({ a: ruled(text, { rule: ' ' }) }),
  'a default of a wrong type': schemaOf({ a: { type: 'integer', default: 'x' } }),
  'a default below the minimum': schemaOf({ a: { type: 'integer', minimum: 3, default: 1 } }),
  'a default with unknown fields': schemaOf({
    a: { type: 'object', properties: { b: text }, default: { b: 'x', c: 'y' } },
  }),
  'a default without a required field': schemaOf({
    a: { type: 'object', required: ['b'], properties: { b: text }, default: {} },
  }),
  'a default with a wrong part': schemaOf({
    a: { type: 'object', properties: { b: text }, default: { b: 1 } },
  }),
  'a default against a rule': schemaOf({
    a: ruled({ type: 'integer', default: 3 }, { rule: 'self > 5', message: 'above 5' }),
  }),
  'a default deep in a list': schemaOf({
    a: {
      type: 'array',
      items: { type: 'object', properties: { b: { type: 'string', default: 5 } } },
    },
  }),
  'a column without a type': column({ type: undefined }),
  'a column of an unknown type': column({ type: 'text' }),
  'a column without a path': column({ jsonPath: '' }),
  'a column with a path from nowhere': column({ jsonPath: 'spec' }),
  'a column of an unknown format': column({ format: 'x' }),
  'an embedded object that is text': schemaOf({
    a: { type: 'string', 'x-kubernetes-embedded-resource': true },
  }),
  'two versions of one name': thing({
    versions: ['v1', 'v1'].map((name, at) => ({
      name,
      served: true,
      storage: at === 0,
      schema: { openAPIV3Schema: { type: 'object' } },
    })),
  }),
  'two versions, one of them bad': thing({
    versions: ['v1', 'v2'].map((name, at) => ({
      name,
      served: true,
      storage: at === 0,
      schema: { openAPIV3Schema: { type: 'object', properties: { a: at === 0 ? text : {} } } },
    })),
  }),
};
