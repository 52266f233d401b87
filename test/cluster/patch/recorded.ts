/** What a real API server answered (`record.ts`), and the kinds as it describes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../../src/api/kubernetes.ts';
import type { ResourceType } from '../../../src/cluster/resource-type.ts';
import type { Schema } from '../../../src/cluster/schema/schema.ts';
import type { JsonObject } from '../../../src/cluster/patch/shape.ts';
import type { KindName } from './cases.ts';
import { kinds, widgetDefinition } from './cases.ts';
import type { Recorded } from './answer.ts';

const golden = (name: string): unknown =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, `../../golden/cluster/${name}`), 'utf8'),
  ) as unknown;

export const recorded = golden('patch.json') as Readonly<Record<string, Recorded>>;

const definitions = golden('patch-schemas.json') as Readonly<Record<string, Json>>;

/** With references resolved; none of these kinds contains itself. */
function resolved(value: Json): Json {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...others } = value as JsonObject;
  const own = Object.fromEntries(Object.entries(others).map(([key, it]) => [key, resolved(it)]));
  if (typeof $ref !== 'string') return own;
  const target = definitions[$ref.replace('#/definitions/', '')] ?? {};
  return { ...(resolved(target) as JsonObject), ...own };
}

const definition = (name: string): Schema => resolved({ $ref: `#/definitions/${name}` }) as Schema;

interface Definition {
  readonly spec: {
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }];
  };
}

function widgetSchema(): Schema {
  const { spec } = widgetDefinition as Definition;
  const [{ schema }] = spec.versions;
  const text: Schema = { type: 'string' };
  const metadata = definition('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  const properties = {
    ...schema.openAPIV3Schema.properties,
    apiVersion: text,
    kind: text,
    metadata,
  };
  return { ...schema.openAPIV3Schema, properties };
}

export const schemas: Readonly<Record<KindName, Schema>> = {
  Deployment: definition('io.k8s.api.apps.v1.Deployment'),
  Service: definition('io.k8s.api.core.v1.Service'),
  ConfigMap: definition('io.k8s.api.core.v1.ConfigMap'),
  HorizontalPodAutoscaler: definition('io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler'),
  Widget: widgetSchema(),
};

/** What Go writes of each kind with nothing in it. */
const empties: Readonly<Record<KindName, JsonObject>> = {
  Deployment: {
    metadata: {},
    spec: {
      selector: null,
      strategy: {},
      template: { metadata: {}, spec: { containers: null } },
    },
    status: {},
  },
  Service: { metadata: {}, spec: {}, status: { loadBalancer: {} } },
  ConfigMap: { metadata: {} },
  HorizontalPodAutoscaler: {
    metadata: {},
    spec: { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 },
    status: { desiredReplicas: 0, currentMetrics: null },
  },
  Widget: {},
};

export function typeOf(kind: KindName): ResourceType {
  const { apiVersion, plural } = kinds[kind];
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  return {
    group,
    version,
    kind,
    plural,
    listKind: `${kind}List`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    hasStatus: kind !== 'ConfigMap',
    hasGeneration: kind !== 'ConfigMap',
    schema: schemas[kind],
    empty: empties[kind],
    isCustom: kind === 'Widget',
    columns: [],
    withDefaults: (object) => object,
    validate: () => [],
  };
}
