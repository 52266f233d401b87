/**
 * What `kubectl get` shows: objects as a `Table` of meta.k8s.io/v1.
 * Rules: k8s.io/apimachinery, `util/duration` and `meta/v1/types.go`; Kubernetes, `pkg/printers`.
 */
import type { Json, KubeObject } from '../api/kubernetes.ts';
import type { Column, ResourceType, StoredObject } from './resource-type.ts';
import { humanDuration } from './builtin/duration.ts';
import { inVersion } from './decode.ts';

/** A column by this name takes the place of the one that every table begins with. */
const nameColumn = 'Name';

const name: Column = {
  name: nameColumn,
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
  cell: ({ metadata }) => metadata.name,
};

/**
 * Of a list, the caller sets `metadata`; of one object it is the object's version. `includeObject`
 * is how much of each object comes with its row: None, Metadata or Object.
 */
export function toTable(
  type: ResourceType,
  objects: readonly StoredObject[],
  nowMs: number,
  includeObject: string,
): Json {
  const columns = columnsOf(type);
  const resourceVersion = objects.length === 1 ? objects[0]?.metadata.resourceVersion : undefined;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    columnDefinitions: columns.map(definitionOf),
    rows: objects
      .map((stored) => inVersion(type, stored))
      .map((object) => ({
        cells: columns.map((column) => cellOf(type, column, object, nowMs)),
        object: shownObject(object, includeObject),
      })),
  };
}

function definitionOf({ name, type, format = '', description = '', priority }: Column): Json {
  return { name, type, format, description, priority };
}

function columnsOf({ columns }: ResourceType): readonly Column[] {
  return columns.some((it) => it.name === nameColumn) ? columns : [name, ...columns];
}

function cellOf(
  { isCustom }: ResourceType,
  column: Column,
  object: KubeObject,
  nowMs: number,
): Json {
  const cell = column.cell(object, nowMs);
  if (cell === undefined) return isCustom ? null : '';
  const isDate = isCustom && column.type === 'date' && typeof cell === 'string';
  return isDate && isTimestamp(cell) ? ageOf(cell, nowMs) : cell;
}

const isTimestamp = (text: string): boolean => /^\d{4}-\d\d-\d\dT/.test(text);

function shownObject(object: StoredObject, includeObject: string): Json {
  switch (includeObject) {
    case 'None':
      return null;
    case 'Object':
      return object as unknown as Json;
    default: {
      const metadata = object.metadata as unknown as Json;
      return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    }
  }
}

/** How long ago that was, as `kubectl` shows it. */
export function ageOf(timestamp: string | null | undefined, nowMs: number): string {
  const ms = Date.parse(timestamp ?? '');
  return Number.isNaN(ms) ? '<unknown>' : humanDuration(nowMs - ms);
}
