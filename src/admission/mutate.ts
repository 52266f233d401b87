/**
 * What admission does to a target that a Canary has taken over: stamps the revision, who made it and
 * why; holds the pods that the canary needs, or does not; and tells the user what comes next. It never
 * changes what is released, refuses nobody, and answers from memory.
 */
import {
  changeCauseAnnotation,
  changedByAnnotation,
  replicasAnnotation,
  revisionAnnotation,
  targetAnnotations,
} from '../api/annotations.ts';
import type { Canary, ObjectReference } from '../api/canary.ts';
import { primaryRevisionAnnotation } from '../api/knative.ts';
import type { Container, KubeObject, PodTemplateSpec, StringMap } from '../api/kubernetes.ts';
import { configChecksum, configKey, isTracked } from '../revision/checksum.ts';
import { canonicalJson } from '../revision/canonical-json.ts';
import { revisionOf } from '../revision/hash.ts';
import type { ConfigReference } from '../revision/references.ts';
import { referencedConfigs } from '../revision/references.ts';
import { targetKindOf } from '../targets/registry.ts';
import type { Held, Manifest } from '../targets/target-kind.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';
import { warningsFor } from './warnings.ts';

/** What is in memory. Nothing here waits or calls. */
export interface Lookup {
  /** The Canary that has the say over a target. */
  readonly canaryOf: (namespace: string, target: ObjectReference) => Canary | undefined;
  /** Contents of a referenced object; undefined where they are not in memory. */
  readonly config: (
    kind: ConfigReference['kind'],
    namespace: string,
    name: string,
  ) => Parameters<typeof configChecksum>[0] | undefined;
  /** Whether a revision served until lately, and is promoted without analysis. */
  readonly isKnownGood: (canary: Canary, revision: string) => boolean;
  /** Whether ConfigMaps and Secrets are part of revisions. */
  readonly configTracking: boolean;
}

/** A change to look at once it is stored. */
export interface Notice {
  readonly namespace: string;
  readonly canary: string;
}

export interface Mutation {
  readonly answer: AdmissionAnswer;
  /** Absent for a dry run, and where nothing happened that anybody waits for. */
  readonly notice?: Notice;
}

export function mutate(request: AdmissionRequest, lookup: Lookup): Mutation {
  const { object, oldObject, name } = request;
  const target = { apiVersion: object.apiVersion, kind: request.kind, name };
  const kind = targetKindOf(target);
  const after = kind?.read(object);
  if (after === undefined) return { answer: { warnings: [] } };
  const canary = lookup.canaryOf(request.namespace, target);
  if (canary === undefined) return { answer: release(object) };

  const before = oldObject && kind?.read(oldObject);
  const { hash } = after;
  const changed = before?.hash !== hash;
  const isHeld = kind !== undefined && oldObject !== undefined && isTakenOver(canary);
  const held: Held = isHeld ? kind.hold(canary, oldObject, object) : { object };
  const revision = changed ? observeRevision(after, request, lookup) : undefined;
  const annotations = {
    ...(isTakenOver(canary) ? marksOf(oldObject) : {}),
    ...object.metadata.annotations,
    ...(changed ? attribution(request, before, after, revision) : {}),
    ...(held.asked === undefined ? {} : { [replicasAnnotation]: String(held.asked) }),
  };
  const wanted: KubeObject = {
    ...held.object,
    metadata: { ...object.metadata, annotations: withoutUndefined(annotations) },
  };
  const returns = revision !== undefined && lookup.isKnownGood(canary, revision);
  const { asked, part } = held;
  const warnings = warningsFor({ canary, changed, hash, returns, asked, held: part });
  const notice = { namespace: request.namespace, canary: canary.metadata.name };
  return { answer: { warnings, wanted }, ...(changed && !request.dryRun ? { notice } : {}) };
}

/** The Canary is gone: what it left on the target is stale, and costs a call for each change. */
function release(object: KubeObject): AdmissionAnswer {
  const stale: ReadonlySet<string> = new Set(targetAnnotations);
  const annotations = Object.fromEntries(
    Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !stale.has(key)),
  );
  return { warnings: [], wanted: { ...object, metadata: { ...object.metadata, annotations } } };
}

/** Whether the primary serves, and the target is the canary's. */
export const isTakenOver = ({ status }: Canary): boolean =>
  !['', 'Initializing', 'Terminating', 'Terminated'].includes(status?.phase ?? '');

/**
 * What we wrote on the target before: it stays where a manifest that does not have it takes the
 * object's place (`kubectl replace`), or admission would see no further change.
 */
function marksOf(before: KubeObject | undefined): StringMap {
  const found = before?.metadata.annotations ?? {};
  return Object.fromEntries(
    [...targetAnnotations, primaryRevisionAnnotation].flatMap((key) => {
      const mark = found[key];
      return mark === undefined ? [] : [[key, mark]];
    }),
  );
}

/** The revision; undefined where a part of it is not in memory: no stamp is better than a wrong one. */
function observeRevision(
  { hash, template }: Manifest,
  { namespace }: AdmissionRequest,
  lookup: Lookup,
): string | undefined {
  if (!lookup.configTracking || template === undefined) return revisionOf(hash, undefined);
  const checksums: Record<string, string> = {};
  for (const { kind, name } of referencedConfigs(template)) {
    const object = lookup.config(kind, namespace, name);
    if (object === undefined) return undefined;
    if (isTracked(object)) checksums[configKey(kind, name)] = configChecksum(object);
  }
  return revisionOf(hash, checksums);
}

function attribution(
  request: AdmissionRequest,
  before: Manifest | undefined,
  after: Manifest,
  revision: string | undefined,
): Readonly<Record<string, string | undefined>> {
  return {
    [revisionAnnotation]: revision,
    [changedByAnnotation]: request.user,
    [changeCauseAnnotation]: causeOf(request, before, after),
  };
}

const causeCharactersMax = 256;
const kubectlCauseAnnotation = 'kubernetes.io/change-cause';

/** One line on what changed: the user's own words if there are new ones, else the difference. */
function causeOf(
  { object, oldObject }: AdmissionRequest,
  before: Manifest | undefined,
  after: Manifest,
): string {
  const given = object.metadata.annotations?.[kubectlCauseAnnotation];
  const isNew = given !== oldObject?.metadata.annotations?.[kubectlCauseAnnotation];
  return (given !== undefined && isNew ? given : differenceOf(before, after))
    .replace(/\s+/g, ' ')
    .slice(0, causeCharactersMax);
}

function differenceOf(before: Manifest | undefined, after: Manifest): string {
  if (before === undefined) return 'created';
  return [...imageChanges(before, after), ...fieldChanges(before, after)].join(', ');
}

const allContainers = ({ template }: Manifest): readonly Container[] => [
  ...(template?.spec.initContainers ?? []),
  ...(template?.spec.containers ?? []),
];

function imageChanges(before: Manifest, after: Manifest): readonly string[] {
  const known = new Map(allContainers(before).map(({ name, image }) => [name, image]));
  return allContainers(after).flatMap(({ name, image = '' }) => {
    const old = known.get(name);
    return old === undefined || old === image ? [] : [`image ${name}: ${old} -> ${image}`];
  });
}

/** Parts of what is released that differ, images aside. */
function fieldChanges(before: Manifest, after: Manifest): readonly string[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changed = keys.filter((key) => old[key] !== now[key]);
  const what = after.template === undefined ? 'spec' : 'template';
  return changed.length > 0 ? [`${what}: ${changed.toSorted().join(' ')}`] : [];
}

function partsOf({ template, released }: Manifest): StringMap {
  const parts = template === undefined ? released : partsOfTemplate(template);
  return Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, canonicalJson(part)]));
}

function partsOfTemplate({ metadata, spec }: PodTemplateSpec): object {
  const { annotations, labels } = metadata ?? {};
  const { containers, initContainers, ...rest } = spec;
  const imageless = (list: readonly Container[] = []) =>
    list.map((container) => ({ ...container, image: undefined }));
  return {
    annotations,
    labels,
    ...rest,
    containers: imageless(containers),
    initContainers: imageless(initContainers),
  };
}

function withoutUndefined(map: Readonly<Record<string, string | undefined>>): StringMap {
  return Object.fromEntries(
    Object.entries(map).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
