/**
 * CustomResourceDefinitions: the resources that they define, and the status that tells of it.
 * What is wrong with one is said by `schema/definition.ts`.
 * Rules: k8s.io/apiextensions-apiserver, `registry/customresource`, `controller/status`,
 * `controller/establish`. Versions differ in nothing but their schemas: objects are not converted.
 */
import type { Condition, Json, KubeObject } from '../api/kubernetes.ts';
import { isEqual, isRecord } from './json.ts';
import type { Column, ResourceType, ScalePaths, StoredObject } from './resource-type.ts';
import { compileDefaults } from './schema/defaults.ts';
import { invalid, isInt64, shown } from './schema/field-errors.ts';
import { compileJsonPath } from './schema/json-path.ts';
import { withTypeAndMeta } from './schema/object-meta.ts';
import type { Schema } from './schema/schema.ts';
import { compileValidator } from './schema/validate.ts';
import type { FieldError } from './status-error.ts';

export interface DefinedNames {
  readonly plural: string;
  readonly kind: string;
  readonly singular?: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

export interface DefinedColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

export interface DefinedVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
  readonly subresources?: {
    readonly status?: object;
    readonly scale?: {
      readonly specReplicasPath: string;
      readonly statusReplicasPath: string;
      readonly labelSelectorPath?: string;
    };
  };
  readonly additionalPrinterColumns?: readonly DefinedColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

export interface CustomResourceDefinition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: DefinedNames;
    readonly versions: readonly DefinedVersion[];
  };
  readonly status?: DefinitionStatus;
}

export interface DefinitionStatus {
  readonly acceptedNames?: DefinedNames;
  readonly conditions?: readonly Condition[];
  readonly storedVersions?: readonly string[];
}

/**
 * A resource for each version that is served, the most stable and newest first. The definition must
 * be a good one, with its defaults.
 */
export function typesOf(definition: CustomResourceDefinition): readonly ResourceType[] {
  return definition.spec.versions
    .filter(({ served }) => served)
    .toSorted((one, other) => compareVersions(one.name, other.name))
    .map((version) => typeOf(definition, version));
}

function typeOf({ spec }: CustomResourceDefinition, version: DefinedVersion): ResourceType {
  const { group, names, scope } = spec;
  const raw = version.schema?.openAPIV3Schema ?? {};
  const schema = withTypeAndMeta(raw);
  const scale = scalePaths(version);
  const selectableFields = version.selectableFields?.map(({ jsonPath }) =>
    jsonPath.replace(/^\./, ''),
  );
  const withDefaults = compileDefaults(schema);
  const hasStatus = version.subresources?.status !== undefined;
  const validate = compileValidator(raw, { hasStatus });
  const scaleErrors = scale === undefined ? undefined : checkScale(scale);
  return {
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    hasStatus,
    ...(scale !== undefined && { scale }),
    hasGeneration: true,
    schema,
    isCustom: true,
    columns: columnsOf(version),
    ...(selectableFields !== undefined && { selectableFields }),
    withDefaults,
    // A status is dropped when an object is created, and its default appears in its place.
    ...(raw.properties?.['status']?.default !== undefined && { prepare: withDefaults }),
    validate: (object, before) => {
      const errors = validate(object, before);
      const wrong = scaleErrors?.(object) ?? [];
      return wrong.length === 0 ? errors : [...errors, ...wrong];
    },
  };
}

const kubeVersion = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const stages: readonly (string | undefined)[] = [undefined, 'beta', 'alpha'];

/** v10, v2, v1, v2beta1, v1alpha2; others after them, by name. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [kubeVersion.exec(one), kubeVersion.exec(other)];
  if (a === null || b === null) return a === b ? (one < other ? -1 : 1) : a === null ? 1 : -1;
  return (
    stages.indexOf(a[2]) - stages.indexOf(b[2]) ||
    Number(b[1]) - Number(a[1]) ||
    Number(b[3] ?? 0) - Number(a[3] ?? 0)
  );
}

function scalePaths({ subresources }: DefinedVersion): ScalePaths | undefined {
  const scale = subresources?.scale;
  if (scale === undefined) return undefined;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  return {
    specReplicas: specReplicasPath,
    statusReplicas: statusReplicasPath,
    ...(labelSelectorPath !== undefined && { labelSelector: labelSelectorPath }),
  };
}

const int32Max = 2 ** 31 - 1;

/** What a scale reads must be a number of replicas, whatever the schema says. */
function checkScale({
  specReplicas,
  statusReplicas,
}: ScalePaths): (object: StoredObject) => readonly FieldError[] {
  const counts = [specReplicas, statusReplicas].map((path) => ({
    path,
    names: path.split('.').slice(1),
  }));
  return (object) =>
    counts.flatMap(({ path, names }) => {
      const found = valueAt(object, names);
      if (found.wrong !== undefined) return [invalid(path, 0, found.wrong)];
      const { value } = found;
      if (typeof value !== 'number' || (value >= 0 && value <= int32Max)) return [];
      return value < 0
        ? [invalid(path, value, 'should be a non-negative integer')]
        : [invalid(path, value, `should be less than or equal to ${int32Max}`)];
    });
}

/** A whole number, or why there is none; neither where nothing is there. */
function valueAt(
  object: unknown,
  names: readonly string[],
): { readonly value?: number; readonly wrong?: string } {
  let value = object;
  const stumbled = (at: number, wanted: string): { readonly wrong: string } => ({
    wrong: `.${names.slice(0, at).join('.')} accessor error: ${goText(value as Json)} is of the type ${goType(value)}, expected ${wanted}`,
  });
  for (const [at, name] of names.entries()) {
    if (value === undefined || value === null) return {};
    if (!isRecord(value)) return stumbled(at + 1, 'map[string]interface{}');
    value = value[name];
  }
  if (value === undefined) return {};
  return isInt64(value) ? { value: Number(value) } : stumbled(names.length, 'int64');
}

/** As Go names the type of a value of JSON. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  if (typeof value === 'number') return isInt64(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : value === null ? '<nil>' : typeof value;
}

/** As Go prints a value of JSON. */
function goText(value: Json): string {
  if (typeof value === 'number') return shown(value);
  if (typeof value !== 'object') return String(value);
  if (value === null) return '<nil>';
  if (isList(value)) return `[${value.map(goText).join(' ')}]`;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `map[${entries.map(([key, it]) => `${key}:${goText(it)}`).join(' ')}]`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const ageColumn: DefinedColumn = {
  name: 'Age',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  jsonPath: '.metadata.creationTimestamp',
};

function columnsOf({ additionalPrinterColumns }: DefinedVersion): readonly Column[] {
  return (additionalPrinterColumns ?? [ageColumn]).map(columnOf);
}

function columnOf(column: DefinedColumn): Column {
  const { name, format, description, priority = 0, jsonPath } = column;
  const type = column.type as Column['type'];
  const read = compileJsonPath(jsonPath);
  return {
    name,
    type,
    ...(format !== undefined && { format }),
    description:
      description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority,
    cell: (object) => cellOf(type, read?.(object)[0]),
  };
}

function cellOf(type: Column['type'], value: Json | undefined): ReturnType<Column['cell']> {
  if (value === undefined) return undefined;
  switch (type) {
    case 'string':
      if (value === null) return '<no value>';
      return typeof value === 'string' ? value : shown(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : undefined;
    case 'number':
      return typeof value === 'number' ? value : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'date':
      if (typeof value !== 'string') return undefined;
      return isTimestamp(value) ? value : '<invalid>';
  }
}

/** RFC 3339. */
const isTimestamp = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text));

/**
 * The status of a definition once the server has looked at it: its names, unless another definition
 * of the group has them, and that objects of it can be written. `others` may hold the definition
 * itself. The very same status comes back where it says so already. `time`: RFC 3339.
 */
export function acceptedStatus(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  time: string,
): DefinitionStatus {
  const { spec, status = {} } = definition;
  const { accepted, reason, conflicts } = accept(definition, others);
  const isAccepted = conflicts.length === 0;
  const known = status.conditions ?? [];
  const established = known.find(({ type }) => type === 'Established');
  const conditions = [
    condition(known, time, {
      type: 'NamesAccepted',
      status: isAccepted ? 'True' : 'False',
      reason,
      message: isAccepted ? 'no conflicts found' : conflicts.join(', '),
    }),
    established?.status === 'True' || isAccepted
      ? condition(known, time, {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        })
      : condition(known, time, {
          type: 'Established',
          status: 'False',
          reason: 'NotAccepted',
          message: 'not all names are accepted',
        }),
    ...known.filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established'),
  ];
  const storage = spec.versions.find((it) => it.storage)?.name;
  const stored = status.storedVersions ?? [];
  const next: DefinitionStatus = {
    ...status,
    conditions,
    acceptedNames: accepted,
    storedVersions:
      storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
  return isEqual(next, status) ? status : next;
}

/** Whether objects of it are served. */
export const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some((it) => it.type === 'Established' && it.status === 'True') === true;

function condition(
  known: readonly Condition[],
  time: string,
  wanted: Omit<Condition, 'lastTransitionTime'>,
): Condition {
  const before = known.find(({ type }) => type === wanted.type);
  const since = before?.status === wanted.status ? before.lastTransitionTime : undefined;
  return { lastTransitionTime: since ?? time, ...wanted };
}

interface Acceptance {
  readonly accepted: DefinedNames;
  readonly reason: string;
  readonly conflicts: readonly string[];
}

/** The last conflict gives the reason, as in the original. */
function accept(
  { metadata, spec, status }: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): Acceptance {
  const taken = others
    .filter((it) => it.spec.group === spec.group && it.metadata.name !== metadata.name)
    .flatMap((it) => it.status?.acceptedNames ?? []);
  const resources = new Set(
    taken.flatMap((it) => [it.plural, it.singular, ...(it.shortNames ?? [])]),
  );
  const kinds = new Set(taken.flatMap((it) => [it.kind, it.listKind]));
  const { names } = spec;
  const before: Partial<DefinedNames> = status?.acceptedNames ?? {};
  let reason = 'NoConflicts';
  let conflicts: readonly string[] = [];
  const choose = (
    field: keyof DefinedNames,
    used: ReadonlySet<unknown>,
    why: string,
  ): Partial<DefinedNames> => {
    const wanted = names[field];
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    const held: readonly unknown[] = Array.isArray(before[field]) ? before[field] : [before[field]];
    const clashes = values.filter((it) => !held.includes(it) && used.has(it));
    if (clashes.length > 0) {
      reason = why;
      conflicts = clashes.map((it) => `${JSON.stringify(it)} is already in use`);
    }
    const chosen = clashes.length > 0 ? before[field] : wanted;
    return chosen === undefined ? {} : { [field]: chosen };
  };
  const accepted = {
    ...choose('plural', resources, 'PluralConflict'),
    ...choose('singular', resources, 'SingularConflict'),
    ...choose('shortNames', resources, 'ShortNamesConflict'),
    ...choose('kind', kinds, 'KindConflict'),
    ...choose('listKind', kinds, 'ListKindConflict'),
    ...(names.categories !== undefined && { categories: names.categories }),
  };
  return { accepted: { plural: '', kind: '', ...accepted }, reason, conflicts };
}
