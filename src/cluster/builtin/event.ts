/** Events: those of the core group, and what events.k8s.io calls its own. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { Column, StoredObject } from '../resource-type.ts';
import { ageOf } from '../table.ts';
import { column, wide } from './columns.ts';
import type { Kind } from './kind.ts';
import { validateEvent, validateNewEvent } from './other-validation.ts';

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

const eventColumns: readonly Column[] = [
  column<Event>('Last Seen', lastSeen),
  column<Event>('Type', ({ type }) => type ?? ''),
  column<Event>('Reason', ({ reason }) => reason ?? ''),
  column<Event>('Object', involved),
  column<Event>('Subobject', ({ involvedObject }) => involvedObject?.fieldPath ?? '', wide),
  column<Event>('Source', sourceOf, wide),
  column<Event>('Message', ({ message }) => (message ?? '').trim()),
  column<Event>('First Seen', firstSeen, wide),
  column<Event>(
    'Count',
    ({ series, count = 0 }) => series?.count ?? (count === 0 ? 1 : count),
    wide,
  ),
  column<Event>('Name', ({ metadata }) => metadata.name, { ...wide, format: 'name' }),
];

/** What the two kinds of event call the same fields: here, and in the core group. */
const names: readonly (readonly [string, string])[] = [
  ['note', 'message'],
  ['regarding', 'involvedObject'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

function renamed(
  object: StoredObject,
  apiVersion: string,
  pairs: readonly (readonly [string, string])[],
): StoredObject {
  const byName = new Map(pairs);
  const entries = Object.entries(object).map(([name, value]) => [byName.get(name) ?? name, value]);
  return { ...(Object.fromEntries(entries) as StoredObject), apiVersion };
}

/** Where a time stands for none, the core group says so. */
const noTimes = { firstTimestamp: null, lastTimestamp: null, source: {} };

const inCore = (object: StoredObject): StoredObject => ({
  ...noTimes,
  ...renamed(object, 'v1', names),
});

const inOwnGroup = (object: StoredObject): StoredObject =>
  renamed(
    object,
    'events.k8s.io/v1',
    names.map(([own, core]) => [core, own]),
  );

/** The same events by their newer name. */
export const newEventKind: Kind = {
  definition: 'io.k8s.api.events.v1.Event',
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  validate: validateNewEvent,
  storage: { groupResource: 'events', toStored: inCore, fromStored: inOwnGroup },
  columns: eventColumns.map((it) => ({
    ...it,
    cell: (object, nowMs) => it.cell(inCore(object as StoredObject), nowMs),
  })),
};

export const eventKind: Kind = {
  definition: 'io.k8s.api.core.v1.Event',
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  validate: validateEvent,
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
