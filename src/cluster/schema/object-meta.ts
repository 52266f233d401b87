/**
 * What a custom resource has without saying so: `apiVersion`, `kind`, `metadata`.
 * Fields: k8s.io/apimachinery, `meta/v1.ObjectMeta`.
 */
import type { Schema } from './schema.ts';

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'object', additionalProperties: text };
const time: Schema = { type: 'string', format: 'date-time' };
const flag: Schema = { type: 'boolean' };
const anything: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const ownerReference: Schema = {
  type: 'object',
  properties: {
    apiVersion: text,
    blockOwnerDeletion: flag,
    controller: flag,
    kind: text,
    name: text,
    uid: text,
  },
  required: ['apiVersion', 'kind', 'name', 'uid'],
  'x-kubernetes-map-type': 'atomic',
};

const managedFields: Schema = {
  type: 'object',
  properties: {
    apiVersion: text,
    fieldsType: text,
    fieldsV1: anything,
    manager: text,
    operation: text,
    subresource: text,
    time,
  },
};

export const objectMeta: Schema = {
  type: 'object',
  properties: {
    annotations: texts,
    creationTimestamp: { ...time, nullable: true },
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    deletionTimestamp: time,
    finalizers: {
      type: 'array',
      items: text,
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    },
    generateName: text,
    generation: { type: 'integer', format: 'int64' },
    labels: texts,
    managedFields: { type: 'array', items: managedFields, 'x-kubernetes-list-type': 'atomic' },
    name: text,
    namespace: text,
    ownerReferences: {
      type: 'array',
      items: ownerReference,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
    },
    resourceVersion: text,
    selfLink: text,
    uid: text,
  },
};

/** The schema of a whole object, whatever the definition says of these fields. */
export function withTypeAndMeta(schema: Schema): Schema {
  const { apiVersion, kind, metadata, ...properties } = schema.properties ?? {};
  return {
    ...schema,
    type: 'object',
    properties: {
      apiVersion: { ...text, ...apiVersion },
      kind: { ...text, ...kind },
      metadata: withRestrictions(metadata),
      ...properties,
    },
  };
}

/** A definition may restrict `name` and `generateName`, and no other field of the metadata. */
function withRestrictions(metadata: Schema | undefined): Schema {
  const restricted = metadata?.properties;
  if (restricted === undefined) return objectMeta;
  return { ...objectMeta, properties: { ...objectMeta.properties, ...restricted } };
}
