/** A scenario read from YAML: what it means, or all that is wrong with it. */
import type { Json } from '../api/kubernetes.ts';
import type { FaultRates } from '../cluster/faults.ts';
import type { FieldsReader, Place, Reader } from './fields.ts';
import {
  duration,
  fieldsAt,
  isFields,
  listOf,
  mapOf,
  name,
  note,
  numberBetween,
  shown,
  span,
  text,
  under,
} from './fields.ts';
import type {
  Action,
  HookReply,
  MetricReply,
  PodsOfRevision,
  RevisionBehaviour,
  Scenario,
} from './scenario.ts';
import {
  errorRateDefault,
  latencyMsDefault,
  matchingShareDefault,
  readyAfterMsDefault,
  requestsPerSecondDefault,
  scrapeIntervalMsDefault,
  stableRevision,
} from './scenario.ts';
import type { Point, Series } from './series.ts';
import { constant } from './series.ts';
import type { Problem, SourceDocument } from './yaml-source.ts';
import { parseSource } from './yaml-source.ts';

export type ReadScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** `fallbackName` names a scenario that does not name itself. */
export function readScenario(file: string, source: string, fallbackName: string): ReadScenario {
  const parsed = parseSource(file, source);
  if (!parsed.ok) return parsed;
  const [document, another] = parsed.documents;
  if (document === undefined) return refuse(file, 'has no content');
  if (another !== undefined) return refuse(file, 'has more than one document: a scenario is one');
  return readDocument(document, fallbackName);
}

const refuse = (file: string, message: string): ReadScenario => ({
  ok: false,
  problems: [{ file, path: '', message }],
});

function readDocument(document: SourceDocument, fallbackName: string): ReadScenario {
  const problems: Problem[] = [];
  const scenario = scenarioAt({ path: [], document, problems }, document.value, fallbackName);
  if (scenario === undefined || problems.length > 0) return { ok: false, problems };
  return { ok: true, scenario };
}

function scenarioAt(place: Place, value: unknown, fallbackName: string): Scenario | undefined {
  const fields = fieldsAt(value, place);
  if (fields === undefined) return undefined;
  const declared = fields.optional('revisions', mapOf(revision), new Map());
  const revisions = new Map(declared);
  if (!revisions.has(stableRevision)) revisions.set(stableRevision, plain(stableRevision));
  const actions = fields.required('actions', listOf(action(revisions))) ?? [];
  const scenario: Scenario = {
    name: fields.optional('name', name, fallbackName),
    description: fields.optional('description', text, ''),
    requestsPerSecond: fields.optional(
      'requestsPerSecond',
      series('at', numberBetween(0, 1e6)),
      constant(requestsPerSecondDefault),
    ),
    testRequestsPerSecond: fields.optional('testRequestsPerSecond', numberBetween(0, 1e6), 0),
    matchingShare: fields.optional('matchingShare', percent, matchingShareDefault),
    scrapeIntervalMs: fields.optional('scrapeInterval', span, scrapeIntervalMsDefault),
    revisions,
    actions: actions.toSorted((one, other) => one.atMs - other.atMs),
    hooks: fields.optional('hooks', mapOf(hook), new Map()),
    metrics: fields.optional('metrics', mapOf(metric('at')), new Map()),
    faults: fields.optional('faults', faults, {}),
  };
  fields.end();
  if (place.problems.length === 0 && !actions.some(({ kind }) => kind !== 'PatchCanary')) {
    note(under(place, 'actions'), 'brings no revision: add { at: 0s, deploy: NAME }');
  }
  return scenario;
}

/** More, and nothing could ever be written. */
const faultPercentMax = 50;

const faultNames = [
  'lostRequest',
  'lostAnswer',
  'lateAnswer',
  'conflict',
  'throttled',
  'serverError',
  'droppedWatch',
  'lateWatch',
  'goneWatch',
] as const satisfies readonly (keyof FaultRates)[];

/** Written in percent. */
const faults: Reader<FaultRates> = (value, place) => {
  const fields = fieldsAt(value, place);
  if (fields === undefined) return undefined;
  const share = numberBetween(0, faultPercentMax, '%');
  const rates = faultNames.map((fault) => [fault, fields.optional(fault, share, 0) / 100] as const);
  fields.end();
  return Object.fromEntries(rates);
};

const percent = numberBetween(0, 100, '%');

const plain = (revisionName: string): RevisionBehaviour => ({
  name: revisionName,
  errorRate: constant(errorRateDefault),
  latencyMs: constant(latencyMsDefault),
  pods: { kind: 'Ready', afterMs: readyAfterMsDefault },
  metrics: new Map(),
});

/** Longer tags of images are refused by registries. */
const tagShape = /^[A-Za-z0-9_][\w.-]{0,127}$/;

function revision(revisionName: string): Reader<RevisionBehaviour> {
  return (value, place) => {
    if (!tagShape.test(revisionName))
      return note(place, 'is no name that can be the tag of an image');
    const fields = fieldsAt(value ?? {}, place);
    if (fields === undefined) return undefined;
    const read: RevisionBehaviour = {
      name: revisionName,
      errorRate: fields.optional('errorRate', series('after', percent), constant(errorRateDefault)),
      latencyMs: fields.optional('latency', series('after', duration), constant(latencyMsDefault)),
      pods: podsAt(fields),
      metrics: fields.optional('metrics', mapOf(metric('after')), new Map()),
    };
    fields.end();
    return read;
  };
}

function podsAt(fields: FieldsReader): PodsOfRevision {
  const pods = fields.optional<PodsOfRevision | undefined>('pods', podsReader, undefined);
  return pods ?? { kind: 'Ready', afterMs: readyAfterMsDefault };
}

const podsReader: Reader<PodsOfRevision> = (value, place) => {
  if (value === 'never-ready') return { kind: 'Never' };
  if (typeof value === 'string') {
    return note(place, `${shown(value)} is neither never-ready nor an object with readyAfter`);
  }
  const fields = fieldsAt(value, place);
  if (fields === undefined) return undefined;
  const afterMs = fields.optional('readyAfter', duration, readyAfterMsDefault);
  const flaps = fields.optional('flaps', flapsReader, undefined);
  const crashAfterMs = fields.optional<number | undefined>('crashAfter', span, undefined);
  fields.end();
  if (flaps !== undefined && crashAfterMs !== undefined) {
    return note(place, 'pods either flap or crash: leave one of flaps and crashAfter out');
  }
  if (flaps !== undefined) return { kind: 'Flapping', afterMs, ...flaps };
  if (crashAfterMs === undefined) return { kind: 'Ready', afterMs };
  return { kind: 'Crashing', afterMs, crashAfterMs };
};

const flapsReader: Reader<{ everyMs: number; forMs: number } | undefined> = (value, place) => {
  const fields = fieldsAt(value, place);
  const everyMs = fields?.required('every', span);
  const forMs = fields?.required('for', span);
  fields?.end();
  if (everyMs === undefined || forMs === undefined) return undefined;
  if (forMs >= everyMs) return note(place, 'pods would never be ready: for is not under every');
  return { everyMs, forMs };
};

/** A value, or a list of points; `clock` is the name of their time. */
function series<T>(clock: 'at' | 'after', reader: Reader<T>): Reader<Series<T>> {
  const point = pointOf(clock, reader);
  return (value, place) => {
    if (!Array.isArray(value)) {
      const single = reader(value, place);
      return single === undefined ? undefined : constant(single);
    }
    const points = listOf(point)(value, place);
    if (points === undefined) return undefined;
    const [first, ...others] = points;
    if (first === undefined) return note(place, 'is empty: give at least one point');
    for (const [index, { atMs }] of others.entries()) {
      if (atMs <= (points[index]?.atMs ?? 0)) {
        return note(under(place, index + 1), `is not later than the point before it`);
      }
    }
    return [first, ...others];
  };
}

const pointOf =
  <T>(clock: 'at' | 'after', reader: Reader<T>): Reader<Point<T>> =>
  (value, place) => {
    const fields = fieldsAt(value, place);
    const atMs = fields?.required(clock, duration);
    const read = fields?.required('value', reader);
    const gradually = fields?.optional('gradually', yes, false) ?? false;
    fields?.end();
    return atMs === undefined || read === undefined ? undefined : { atMs, value: read, gradually };
  };

const yes: Reader<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : note(place, `${shown(value)} is neither true nor false`);

const reply: Reader<MetricReply> = (value, place) => {
  if (value === 'none' || value === 'unavailable') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return note(place, `${shown(value)} is no number, and neither none nor unavailable`);
};

const metric = (clock: 'at' | 'after') => () => series(clock, reply);

const hook = () => series('at', hookReply);

const hookReply: Reader<HookReply> = (value, place) => {
  if (value === 'accepts') return { kind: 'Accepts' };
  if (value === 'silent') return { kind: 'Silent' };
  if (value === 'refuses') return { kind: 'Refuses', message: '' };
  if (isFields(value)) {
    const fields = fieldsAt(value, place);
    const message = fields?.required('refuses', text);
    fields?.end();
    return message === undefined ? undefined : { kind: 'Refuses', message };
  }
  return note(place, `${shown(value)} is none of accepts, refuses, silent, { refuses: WHY }`);
};

const kindsOfAction = ['deploy', 'changeConfig', 'patchCanary'] as const;

function action(revisions: ReadonlyMap<string, RevisionBehaviour>): Reader<Action> {
  const known: Reader<string> = (value, place) => {
    const found = name(value, place);
    if (found === undefined || revisions.has(found)) return found;
    return note(place, `revisions has no ${found}: it has ${[...revisions.keys()].join(', ')}`);
  };
  return (value, place) => {
    const fields = fieldsAt(value, place);
    if (fields === undefined) return undefined;
    const atMs = fields.required('at', duration);
    const given = kindsOfAction.filter((kind) => fields.has(kind));
    const read = given.length === 1 ? actionOf(fields, atMs ?? 0, known) : undefined;
    fields.end();
    if (given.length !== 1) note(place, `needs one of ${kindsOfAction.join(', ')}`);
    return atMs === undefined ? undefined : read;
  };
}

function actionOf(fields: FieldsReader, atMs: number, known: Reader<string>): Action | undefined {
  if (fields.has('deploy')) {
    const revisionName = fields.required('deploy', known);
    return revisionName === undefined
      ? undefined
      : { kind: 'Deploy', atMs, revision: revisionName };
  }
  if (fields.has('changeConfig')) return fields.required('changeConfig', configChange(atMs, known));
  return fields.required('patchCanary', canaryPatch(atMs));
}

const canaryPatch =
  (atMs: number): Reader<Action> =>
  (value, place) =>
    isFields(value)
      ? { kind: 'PatchCanary', atMs, patch: value as Json }
      : note(place, `${shown(value)} is no object to be merged into the Canary`);

const configChange =
  (atMs: number, known: Reader<string>): Reader<Action> =>
  (value, place) => {
    const fields = fieldsAt(value, place);
    if (fields === undefined) return undefined;
    const revisionName = fields.required('revision', known);
    const configMap = fields.optional<string | undefined>('configMap', name, undefined);
    const secret = fields.optional<string | undefined>('secret', name, undefined);
    const set = fields.optional(
      'set',
      mapOf(() => text),
      new Map([['rehearsal', 'changed']]),
    );
    fields.end();
    if (configMap !== undefined && secret !== undefined) {
      return note(place, 'changes one object: leave one of configMap and secret out');
    }
    if (revisionName === undefined) return undefined;
    const config = secret === undefined ? 'ConfigMap' : 'Secret';
    const found = configMap ?? secret;
    const change = { kind: 'ChangeConfig', atMs, revision: revisionName, config } as const;
    return { ...change, ...(found && { name: found }), set: Object.fromEntries(set) };
  };
