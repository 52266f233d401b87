/**
 * What admission does to a Deployment that a Canary has taken over: stamps the revision, who made
 * it and why; holds the replicas that the canary needs; and tells the user what comes next. It never
 * touches the pod template, refuses nobody, and answers from memory.
 */
import {
  canaryAnnotation,
  changeCauseAnnotation,
  changedByAnnotation,
  replicasAnnotation,
  revisionAnnotation,
} from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import type { Deployment, PodTemplateSpec, StringMap } from '../api/kubernetes.ts';
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

  const changed = before === undefined || templateDiffers(before, deployment);
  const held = heldReplicas(canary, before, deployment);
  const revision = changed ? observeRevision(deployment, request.namespace, lookup) : undefined;
  const annotations = {
    ...deployment.metadata.annotations,
    ...(changed ? attribution(request, before, deployment, revision) : {}),
    ...(held === undefined ? {} : { [replicasAnnotation]: String(deployment.spec.replicas ?? 1) }),
  };
  const wanted: Deployment = {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: withoutUndefined(annotations) },
    spec: held === undefined ? deployment.spec : { ...deployment.spec, replicas: held },
  };
  const warnings = warningsFor({
    canary,
    changed,
    templateHash: hashTemplate(deployment.spec.template),
    asked: deployment.spec.replicas ?? 1,
    held,
  });
  const notice = { namespace: request.namespace, canary: canary.metadata.name };
  return { answer: { warnings, wanted }, ...(changed && !request.dryRun ? { notice } : {}) };
}

const hasTemplate = (deployment: Partial<Deployment>): boolean =>
  Array.isArray(deployment.spec?.template?.spec?.containers);

const templateDiffers = (before: Deployment, after: Deployment): boolean =>
  canonicalJson(before.spec.template) !== canonicalJson(after.spec.template);

/** The Canary is gone: its name on the Deployment is stale, and costs a call for each change. */
function release(deployment: Deployment): AdmissionAnswer {
  const { [canaryAnnotation]: _, ...annotations } = deployment.metadata.annotations ?? {};
  const wanted = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  return { warnings: [], wanted };
}

/**
 * Replicas that the canary needs while a manifest asks for others: a manifest that is applied again
 * from Git must not bring idle pods up, or take the pods of a running analysis away.
 */
function heldReplicas(
  canary: Canary,
  before: Deployment | undefined,
  after: Deployment,
): number | undefined {
  const phase = canary.status?.phase ?? '';
  const holds = !['', 'Initializing', 'Terminating', 'Terminated'].includes(phase);
  if (!holds || before === undefined || canary.spec.suspend === true) return undefined;
  // The target's pods serve until its traffic has left them.
  const present = before.spec.replicas ?? 1;
  return present === (after.spec.replicas ?? 1) ? undefined : present;
}

/** The revision; undefined where a part of it is not in memory: no stamp is better than a wrong one. */
function observeRevision(
  { spec }: Deployment,
  namespace: string,
  lookup: Lookup,
): string | undefined {
  const hash = hashTemplate(spec.template);
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
  if (given !== undefined && given !== before?.metadata.annotations?.[kubectlCauseAnnotation]) {
    return given.replace(/\s+/g, ' ').slice(0, causeCharactersMax);
  }
  if (before === undefined) return 'created';
  const parts = [...imageChanges(before, after), ...fieldChanges(before, after)];
  return parts.join(', ').slice(0, causeCharactersMax);
}

function imageChanges(before: Deployment, after: Deployment): readonly string[] {
  const containers = ({ spec }: PodTemplateSpec) => [
    ...(spec.initContainers ?? []),
    ...spec.containers,
  ];
  const known = new Map(containers(before.spec.template).map(({ name, image }) => [name, image]));
  return containers(after.spec.template).flatMap(({ name, image = '' }) => {
    const old = known.get(name);
    return old === undefined || old === image ? [] : [`image ${name}: ${old} -> ${image}`];
  });
}

/** Parts of the template that differ, images aside. */
function fieldChanges(before: Deployment, after: Deployment): readonly string[] {
  const parts = (deployment: Deployment): StringMap => {
    const { metadata, spec } = deployment.spec.template;
    const containers = spec.containers.map((container) => ({ ...container, image: undefined }));
    const all = { ...metadata, ...spec, containers };
    return Object.fromEntries(Object.entries(all).map(([key, part]) => [key, canonicalJson(part)]));
  };
  const [old, now] = [parts(before), parts(after)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changed = keys.filter((key) => old[key] !== now[key]);
  return changed.length > 0 ? [`template: ${changed.toSorted().join(' ')}`] : [];
}

function withoutUndefined(map: Readonly<Record<string, string | undefined>>): StringMap {
  return Object.fromEntries(
    Object.entries(map).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
