/** Kinds of the core group, but Pod and Service. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { Column, StoredObject } from '../resource-type.ts';
import { ageOf } from '../table.ts';
import { age, column, wide } from './columns.ts';
import { fill, isJsonObject } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { podKind } from './pod.ts';

const core = { group: '', version: 'v1' } as const;
const definition = (kind: string): string => `io.k8s.api.core.v1.${kind}`;

const countOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? Object.keys(value).length : 0;

interface WithData extends KubeObject {
  readonly data?: object;
  readonly binaryData?: object;
  readonly type?: string;
}

const configMap: Kind = {
  ...core,
  definition: definition('ConfigMap'),
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  columns: [
    column<WithData>('Data', '', ({ data, binaryData }) => countOf(data) + countOf(binaryData)),
    age,
  ],
};

/** `stringData` is written, and never read. */
function withStringData(object: StoredObject): StoredObject {
  const { stringData, ...others } = object;
  if (stringData === undefined) return object;
  const { data } = others as { readonly data?: object };
  const texts = isJsonObject(stringData) ? Object.entries(stringData) : [];
  const encoded = texts.map(([key, text]) => [
    key,
    Buffer.from(typeof text === 'string' ? text : '').toString('base64'),
  ]);
  return { ...others, data: { ...data, ...Object.fromEntries(encoded) } };
}

const secret: Kind = {
  ...core,
  definition: definition('Secret'),
  kind: 'Secret',
  plural: 'secrets',
  selectableFields: ['type'],
  columns: [
    column<WithData>('Type', '', ({ type }) => type ?? ''),
    column<WithData>('Data', '', ({ data }) => countOf(data)),
    age,
  ],
  defaults: { type: fill('Opaque') },
  complete: withStringData,
};

const namespace: Kind = {
  ...core,
  definition: definition('Namespace'),
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: false,
  selectableFields: ['status.phase'],
  columns: [
    column<KubeObject & { readonly status?: { readonly phase?: string } }>(
      'Status',
      '',
      ({ status }) => status?.phase ?? '',
    ),
    age,
  ],
  complete: (object) => {
    const { name, labels } = object.metadata;
    const label = 'kubernetes.io/metadata.name';
    if (name === undefined || name === '' || labels?.[label] === name) return object;
    return { ...object, metadata: { ...object.metadata, labels: { ...labels, [label]: name } } };
  },
  firstStatus: { phase: 'Active' },
  prepare: (object, before) => {
    if (before !== undefined) return object;
    const spec = isJsonObject(object.spec) ? object.spec : {};
    return { ...object, spec: { ...spec, finalizers: ['kubernetes'] } };
  },
};

interface Event extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly reportingComponent?: string;
  readonly reportingInstance?: string;
  readonly involvedObject?: {
    readonly kind?: string;
    readonly name?: string;
    readonly fieldPath?: string;
  };
}

const firstSeen = ({ firstTimestamp, eventTime }: Event, nowMs: number): string =>
  ageOf(firstTimestamp ?? eventTime, nowMs);

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return ageOf(event.series.lastObservedTime, nowMs);
  const { lastTimestamp } = event;
  return typeof lastTimestamp === 'string' ? ageOf(lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function involved({ involvedObject = {} }: Event): string {
  const { kind = '', name = '' } = involvedObject;
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

const notEmpty = (...texts: readonly (string | undefined)[]): string =>
  texts.find((it) => it !== undefined && it !== '') ?? '';

function sourceOf({ source = {}, reportingComponent, reportingInstance }: Event): string {
  const component = notEmpty(source.component, reportingComponent);
  const instance = notEmpty(source.host, reportingInstance);
  return instance === '' ? component : `${component}, ${instance}`;
}

export const eventColumns: readonly Column[] = [
  column<Event>('Last Seen', '', lastSeen),
  column<Event>('Type', '', ({ type }) => type ?? ''),
  column<Event>('Reason', '', ({ reason }) => reason ?? ''),
  column<Event>('Object', '', involved),
  column<Event>('Subobject', '', ({ involvedObject }) => involvedObject?.fieldPath ?? '', wide),
  column<Event>('Source', '', sourceOf, wide),
  column<Event>('Message', '', ({ message }) => (message ?? '').trim()),
  column<Event>('First Seen', '', firstSeen, wide),
  column<Event>(
    'Count',
    '',
    ({ series, count = 0 }) => series?.count ?? (count === 0 ? 1 : count),
    wide,
  ),
  column<Event>('Name', '', ({ metadata }) => metadata.name, { ...wide, format: 'name' }),
];

const event: Kind = {
  ...core,
  definition: definition('Event'),
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  selectableFields: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  columns: eventColumns,
};

const serviceAccount: Kind = {
  ...core,
  definition: definition('ServiceAccount'),
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  columns: [age],
};

export const coreKinds = (): readonly Kind[] => [
  namespace,
  podKind,
  configMap,
  secret,
  event,
  serviceAccount,
];
