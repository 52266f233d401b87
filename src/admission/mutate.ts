/**
 * What admission does to a Deployment that a Canary has taken over: stamps the revision, who made
 * it and why; holds the replicas that the canary needs; and tells the user what comes next. It never
 * touches the pod template, refuses nobody, and answers from memory.
 */
import {
  changeCauseAnnotation,
  changedByAnnotation,
  replicasAnnotation,
  revisionAnnotation,
  targetAnnotations,
} from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import type { Container, Deployment, PodTemplateSpec, StringMap } from '../api/kubernetes.ts';
import { configChecksum, configKey, isTracked } from '../revision/checksum.ts';
import { canonicalJson } from '../revision/canonical-json.ts';
import { hashTemplate, revisionOf } from '../revision/hash.ts';
import type { ConfigReference } from '../revision/references.ts';
import { referencedConfigs } from '../revision/references.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';
import { warningsFor } from './warnings.ts';

/** What is in memory. Nothing here waits or calls. */
export interface Lookup {
  /** The Canary that has the say over a Deployment. */
  readonly canaryOf: (namespace: string, deployment: string) => Canary | undefined;
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
  const deployment = request.object as Deployment;
  const before = request.oldObject as Deployment | undefined;
  if (request.kind !== 'Deployment' || !hasTemplate(deployment))
    return { answer: { warnings: [] } };
  const canary = lookup.canaryOf(request.namespace, request.name);
  if (canary === undefined) return { answer: release(deployment) };

  const templateHash = hashTemplate(deployment.spec.template);
  const changed = before === undefined || hashTemplate(before.spec.template) !== templateHash;
  const { asked, held } = resize(canary, before, deployment);
  const revision = changed ? observeRevision(deployment, templateHash, request, lookup) : undefined;
  const annotations = {
    ...(isTakenOver(canary) ? marksOf(before) : {}),
    ...deployment.metadata.annotations,
    ...(changed ? attribution(request, before, deployment, revision) : {}),
    ...(asked === undefined ? {} : { [replicasAnnotation]: String(asked) }),
  };
  const wanted: Deployment = {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: withoutUndefined(annotations) },
    spec: held === undefined ? deployment.spec : { ...deployment.spec, replicas: held },
  };
  const returns = revision !== undefined && lookup.isKnownGood(canary, revision);
  const warnings = warningsFor({ canary, changed, templateHash, returns, asked, held });
  const notice = { namespace: request.namespace, canary: canary.metadata.name };
  return { answer: { warnings, wanted }, ...(changed && !request.dryRun ? { notice } : {}) };
}

const hasTemplate = (deployment: Partial<Deployment>): boolean =>
  Array.isArray(deployment.spec?.template?.spec?.containers);

/** The Canary is gone: what it left on the Deployment is stale, and costs a call for each change. */
function release(deployment: Deployment): AdmissionAnswer {
  const stale: ReadonlySet<string> = new Set(targetAnnotations);
  const annotations = Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !stale.has(key)),
  );
  return {
    warnings: [],
    wanted: { ...deployment, metadata: { ...deployment.metadata, annotations } },
  };
}

const isTakenOver = ({ status }: Canary): boolean =>
  !['', 'Initializing', 'Terminating', 'Terminated'].includes(status?.phase ?? '');

/**
 * What we wrote on the Deployment before: it stays where a manifest that does not have it takes the
 * object's place (`kubectl replace`), or admission would see no further change.
 */
function marksOf(before: Deployment | undefined): StringMap {
  const found = before?.metadata.annotations ?? {};
  return Object.fromEntries(
    targetAnnotations.flatMap((key) => {
      const mark = found[key];
      return mark === undefined ? [] : [[key, mark]];
    }),
  );
}

interface Resize {
  /** Replicas that the manifest asks for, where these are others than there are. */
  readonly asked?: number;
  /** Replicas that are kept in their place. */
  readonly held?: number;
}

/**
 * A manifest that is applied again from Git must not bring idle pods up, take pods away that serve,
 * or overrule an autoscaler. More of the pods that serve, where no autoscaler has the say, is what
 * somebody wants and harms nobody. `kubectl scale` and autoscalers write another resource, which is
 * never held.
 */
function resize(canary: Canary, before: Deployment | undefined, after: Deployment): Resize {
  if (!isTakenOver(canary) || before === undefined) return {};
  const present = before.spec.replicas ?? 1;
  const asked = after.spec.replicas ?? 1;
  if (asked === present) return {};
  const grows = present > 0 && asked > present;
  return grows && canary.spec.autoscalerRef === undefined ? { asked } : { asked, held: present };
}

/** The revision; undefined where a part of it is not in memory: no stamp is better than a wrong one. */
function observeRevision(
  { spec }: Deployment,
  hash: string,
  { namespace }: AdmissionRequest,
  lookup: Lookup,
): string | undefined {
  if (!lookup.configTracking) return revisionOf(hash, undefined);
  const checksums: Record<string, string> = {};
  for (const { kind, name } of referencedConfigs(spec.template)) {
    const object = lookup.config(kind, namespace, name);
    if (object === undefined) return undefined;
    if (isTracked(object)) checksums[configKey(kind, name)] = configChecksum(object);
  }
  return revisionOf(hash, checksums);
}

function attribution(
  { user }: AdmissionRequest,
  before: Deployment | undefined,
  after: Deployment,
  revision: string | undefined,
): Readonly<Record<string, string | undefined>> {
  return {
    [revisionAnnotation]: revision,
    [changedByAnnotation]: user,
    [changeCauseAnnotation]: causeOf(before, after),
  };
}

const causeCharactersMax = 256;
const kubectlCauseAnnotation = 'kubernetes.io/change-cause';

/** One line on what changed: the user's own words if there are new ones, else the difference. */
function causeOf(before: Deployment | undefined, after: Deployment): string {
  const given = after.metadata.annotations?.[kubectlCauseAnnotation];
  const isNew = given !== before?.metadata.annotations?.[kubectlCauseAnnotation];
  return (given !== undefined && isNew ? given : differenceOf(before, after))
    .replace(/\s+/g, ' ')
    .slice(0, causeCharactersMax);
}

function differenceOf(before: Deployment | undefined, after: Deployment): string {
  if (before === undefined) return 'created';
  return [...imageChanges(before, after), ...fieldChanges(before, after)].join(', ');
}

const allContainers = ({ spec }: PodTemplateSpec) => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];

function imageChanges(before: Deployment, after: Deployment): readonly string[] {
  const known = new Map(
    allContainers(before.spec.template).map(({ name, image }) => [name, image]),
  );
  return allContainers(after.spec.template).flatMap(({ name, image = '' }) => {
    const old = known.get(name);
    return old === undefined || old === image ? [] : [`image ${name}: ${old} -> ${image}`];
  });
}

/** Parts of the template that differ, images aside. */
function fieldChanges(before: Deployment, after: Deployment): readonly string[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changed = keys.filter((key) => old[key] !== now[key]);
  return changed.length > 0 ? [`template: ${changed.toSorted().join(' ')}`] : [];
}

function partsOf({ spec }: Deployment): StringMap {
  const { annotations, labels } = spec.template.metadata ?? {};
  const { containers, initContainers, ...rest } = spec.template.spec;
  const imageless = (list: readonly Container[] = []) =>
    list.map((container) => ({ ...container, image: undefined }));
  const all = {
    annotations,
    labels,
    ...rest,
    containers: imageless(containers),
    initContainers: imageless(initContainers),
  };
  return Object.fromEntries(Object.entries(all).map(([key, part]) => [key, canonicalJson(part)]));
}

function withoutUndefined(map: Readonly<Record<string, string | undefined>>): StringMap {
  return Object.fromEntries(
    Object.entries(map).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
