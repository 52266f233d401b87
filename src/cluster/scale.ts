/** The scale subresource: one face for everything that has replicas (autoscaling/v1, `Scale`). */
import type { Json } from '../api/kubernetes.ts';
import { isRecord } from './json.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { invalid, notFound } from './status-error.ts';

function at(object: StoredObject, path: string): unknown {
  let found: unknown = object;
  for (const name of path.split('.').slice(1)) found = isRecord(found) ? found[name] : undefined;
  return found;
}

/** Built-in kinds have a selector object there, custom ones a text. */
export function selectorText(selector: unknown): string | undefined {
  if (typeof selector === 'string') return selector;
  if (!isRecord(selector)) return undefined;
  const { matchLabels, matchExpressions } = selector;
  const labels = isRecord(matchLabels)
    ? Object.entries(matchLabels).map(([key, value]) => `${key}=${String(value)}`)
    : [];
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.map(expressionText) : [];
  if (matchLabels === undefined && matchExpressions === undefined) {
    return Object.entries(selector)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',');
  }
  return [...labels, ...expressions].sort().join(',');
}

function expressionText(expression: unknown): string {
  const { key, operator, values } = expression as {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  };
  const list = `(${(values ?? []).join(',')})`;
  switch (operator) {
    case 'In':
      return `${key} in ${list}`;
    case 'NotIn':
      return `${key} notin ${list}`;
    case 'Exists':
      return key;
    default:
      return `!${key}`;
  }
}

/** Throws a `StatusError` (404) where the kind has no scale. */
export function readScale(type: ResourceType, object: StoredObject): StoredObject {
  const { scale } = type;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  if (scale === undefined) throw notFound(type, name);
  const selector =
    scale.labelSelector === undefined ? undefined : selectorText(at(object, scale.labelSelector));
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as never,
    spec: { replicas: Number(at(object, scale.specReplicas) ?? 0) },
    status: {
      replicas: Number(at(object, scale.statusReplicas) ?? 0),
      ...(selector !== undefined && { selector }),
    },
  };
}

const scaleSubject = { group: 'autoscaling', plural: '', kind: 'Scale' };

/** The object with as many replicas as a `Scale` says. */
export function withReplicas(
  type: ResourceType,
  object: StoredObject,
  given: unknown,
): StoredObject {
  const scale = isRecord(given) ? given : {};
  const { replicas = 0 } = isRecord(scale['spec']) ? scale['spec'] : {};
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw invalid(scaleSubject, object.metadata.name, [
      {
        field: 'spec.replicas',
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
      },
    ]);
  }
  const metadata = isRecord(scale['metadata']) ? scale['metadata'] : {};
  const path = (type.scale?.specReplicas ?? '.spec.replicas').split('.').slice(1);
  const scaled = placed(object, path, replicas) as StoredObject;
  const { resourceVersion } = metadata;
  return typeof resourceVersion === 'string' && resourceVersion !== ''
    ? { ...scaled, metadata: { ...scaled.metadata, resourceVersion } }
    : scaled;
}

function placed(value: unknown, [name, ...rest]: readonly string[], leaf: Json): unknown {
  if (name === undefined) return leaf;
  const record = isRecord(value) ? value : {};
  return { ...record, [name]: placed(record[name], rest, leaf) };
}
