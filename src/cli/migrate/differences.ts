/** What taking over would change of one canary's objects, as findings. Pure. */
import { targetAnnotations } from '../../api/annotations.ts';
import type { Canary, CanaryStatus, Phase } from '../../api/canary.ts';
import { effectiveProvider } from '../../api/providers.ts';
import { primaryName, serviceNames } from '../../api/defaults.ts';
import type { Deployment, Json, KubeObject } from '../../api/kubernetes.ts';
import { mergePatchBetween } from '../../kube/merge-patch.ts';
import { providerFor } from '../../routing/registry.ts';
import type { Finding } from './report.ts';
import { attention, note } from './report.ts';
import type { Write } from './tied-client.ts';

const resting: readonly Phase[] = ['Initialized', 'Succeeded', 'Failed'];
const isFresh = (phase: Phase): boolean => phase === '' || phase === 'Initializing';

/** What each canary's controller would write, in order; the rest is nobody's. */
export function isAbout(canary: Canary, meshProvider: string, write: Write): boolean {
  const { namespace = '', name } = canary.metadata;
  if (write.namespace !== namespace) return false;
  if (write.resource.plural === 'canaries') return write.name === name;
  const owner = write.after.metadata.ownerReferences?.find(({ kind }) => kind === 'Canary');
  if (owner !== undefined) return owner.name === name;
  const { plural } = write.resource;
  if (plural === 'deployments' || plural === 'daemonsets') {
    return [canary.spec.targetRef.name, primaryName(canary)].includes(write.name);
  }
  if (plural === 'services' && Object.values(serviceNames(canary)).includes(write.name)) {
    return true;
  }
  const provider = providerFor(effectiveProvider(canary.spec.provider, meshProvider));
  return (provider?.routeKeys(canary) ?? []).some(
    (key) => key.resource.plural === plural && key.name === write.name,
  );
}

export function differences(
  canary: Canary,
  writes: readonly Write[],
  after: CanaryStatus | undefined,
): readonly Finding[] {
  const phase = canary.status?.phase ?? '';
  const stalled = after?.conditions?.find(({ type }) => type === 'Stalled');
  return [
    ...(stalled === undefined
      ? []
      : [attention(stalled.reason ?? 'Stalled', stalled.message ?? '')]),
    ...rollout(canary, phase, after?.phase ?? phase),
    ...writes.flatMap((write) => [...changeOf(canary, write, standingOf(phase, after))]),
  ];
}

function rollout(canary: Canary, before: Phase, after: Phase): readonly Finding[] {
  if (canary.spec.suspend === true) {
    return [note('Suspended', 'nothing happens before spec.suspend is false')];
  }
  if (isFresh(before)) return [note('NotInitialized', 'it would be initialized as a new one')];
  if (resting.includes(before)) {
    if (resting.includes(after)) return [];
    const cause = 'the target is not what the status remembers';
    return [attention('RolloutStarts', `a rollout would start (phase ${after}): ${cause}`)];
  }
  const { canaryWeight = 0 } = canary.status ?? {};
  const where = `phase ${before}, weight ${canaryWeight}`;
  if (after !== before && resting.includes(after)) {
    return [attention('RolloutEnds', `the rollout under way (${where}) would end: ${after}`)];
  }
  return [
    attention('RolloutInFlight', `a rollout is under way (${where}): it goes on where it is`),
  ];
}

/** Making objects is what is expected of a new canary, and scaling of a rollout. */
type Standing = 'New' | 'Resting' | 'Rolling';

function standingOf(before: Phase, after: CanaryStatus | undefined): Standing {
  if (isFresh(before)) return 'New';
  return resting.includes(before) && resting.includes(after?.phase ?? before)
    ? 'Resting'
    : 'Rolling';
}

function* changeOf(canary: Canary, write: Write, standing: Standing): Iterable<Finding> {
  const { resource, name, before, after } = write;
  if (resource.plural === 'canaries') {
    yield* statusChange(before, after);
    return;
  }
  const object = `${resource.kind} ${name}`;
  if (before === undefined) {
    const made = `${object} would be made`;
    yield standing === 'New' ? note('ObjectMade', made) : attention('ObjectMade', made);
    return;
  }
  const paths = changedPaths(before, after);
  if (paths.length === 0) return;
  const isTarget = name === canary.spec.targetRef.name && resource.plural !== 'services';
  if (isTarget && paths.every(isMark)) {
    yield note('TargetMarked', `${object} gets annotations of aviary.dev; no pod restarts`);
    return;
  }
  if (isTarget && paths.every((path) => isMark(path) || path === 'spec.replicas')) {
    const { replicas = 1 } = (after as Deployment).spec;
    const scaled = `${object} would be scaled to ${replicas}`;
    yield standing === 'Resting' ? attention('TargetScaled', scaled) : note('TargetScaled', scaled);
    return;
  }
  const changed = `${object} would be changed: ${paths.join(', ')}`;
  if (paths.some((path) => path.startsWith('spec.template'))) {
    yield attention('PodsRestart', `${changed}; its pods restart`);
  } else if (paths.every((path) => path.startsWith('metadata.'))) {
    yield note('MetadataChanged', changed);
  } else {
    yield standing === 'New' ? note('ObjectChanged', changed) : attention('ObjectChanged', changed);
  }
}

function* statusChange(before: KubeObject | undefined, after: KubeObject): Iterable<Finding> {
  const [old, now] = [before, after].map((it) => (it as Canary | undefined)?.status);
  if (old?.lastAppliedSpec === undefined || old.lastAppliedSpec === now?.lastAppliedSpec) return;
  if (old.phase === now?.phase) yield note('StatusTakenOver', 'its hashes become those of Aviary');
}

/** Leaves of the difference, as `spec.http` or `metadata.labels.app`; versions aside. */
function changedPaths(before: KubeObject, after: KubeObject): readonly string[] {
  const difference = mergePatchBetween(bare(before), bare(after));
  return difference === undefined ? [] : leaves(difference, '').slice(0, pathsMax);
}

/** More paths than this help nobody. */
const pathsMax = 8;

function bare(object: KubeObject): Json {
  const { resourceVersion: _, generation: __, ...metadata } = object.metadata;
  const { managedFields: ___, ...rest } = metadata as typeof metadata & { managedFields?: unknown };
  return { ...object, metadata: rest } as unknown as Json;
}

function leaves(value: Json, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, path === '' ? key : `${path}.${key}`),
  );
}

const marks = targetAnnotations.map((key) => `metadata.annotations.${key}`);
const isMark = (path: string): boolean => marks.includes(path);
