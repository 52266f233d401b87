/** What was recorded of a real API server, and what of it differs from run to run. */
import { readFileSync } from 'node:fs';
import type { Json } from '../../../src/api/kubernetes.ts';
import type { JsonObject } from './cases.ts';

export interface Answer {
  readonly code: number;
  /** The object as it was stored, or the `Status` that says why not. */
  readonly body: JsonObject;
}

export interface Recorded {
  readonly created: Answer;
  readonly updated?: Answer;
  readonly withStatus?: Answer;
  /** Cells of the row of the object's table, in its final state. */
  readonly cells?: readonly Json[];
}

export interface Golden {
  readonly cases: Readonly<Record<string, Recorded>>;
  /** By `group/version/plural`: name, type, format and priority of each column. */
  readonly columns: Readonly<Record<string, readonly Json[]>>;
  /** By path. */
  readonly discovery: Readonly<Record<string, JsonObject>>;
}

export const goldenPath = new URL('../../golden/cluster/builtin.json', import.meta.url);

export const readGolden = (): Golden => JSON.parse(readFileSync(goldenPath, 'utf8')) as Golden;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const someAddress = '"10.111.111.111"';

/** Addresses that nobody asked for, identities and times. */
export function masked(object: JsonObject, asked: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { uid, resourceVersion: _, managedFields: __, creationTimestamp: ___, ...meta } = metadata;
  let text = JSON.stringify({ ...object, metadata: meta });
  if (typeof uid === 'string') text = text.replaceAll(uid, 'UID');
  const spec = isObject(object['spec']) ? object['spec'] : {};
  const { clusterIP } = spec;
  if (typeof clusterIP === 'string' && !JSON.stringify(asked).includes(clusterIP)) {
    text = text.replaceAll(`"${clusterIP}"`, someAddress);
  }
  return withoutDifference(JSON.parse(text) as JsonObject);
}

/** Where a pod may not be changed, the API server shows what was. */
function withoutDifference(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value), (key, it: unknown) =>
    key === 'message' && typeof it === 'string' ? it.replace(/\n@@[^]*$/, '') : it,
  ) as JsonObject;
}

export const without = (object: JsonObject, field: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));

/** A row of a table without ages and addresses. */
export function maskedCells(cells: readonly Json[], columns: readonly string[]): readonly Json[] {
  const varying = new Set([
    'Age',
    'Created At',
    'Cluster-IP',
    'Last Seen',
    'First Seen',
    'Duration',
  ]);
  return cells.map((cell, index) => {
    if (typeof cell !== 'string') return cell;
    if (varying.has(columns[index] ?? '')) return /^\d/.test(cell) ? '…' : cell;
    return cell.replace(uuid, 'UID');
  });
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
