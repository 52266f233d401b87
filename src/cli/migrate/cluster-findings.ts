/**
 * What the cluster itself says about a switch: two controllers at once, definitions that would drop
 * what the controller writes, rights that are missing. Only read.
 */
import type { Canary } from '../../api/canary.ts';
import type { Deployment, KubeObject, Lease } from '../../api/kubernetes.ts';
import { effectiveProvider } from '../../api/providers.ts';
import { isForbidden, isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Resource } from '../../kube/resources.ts';
import { customResourceDefinitions, leases, resource } from '../../kube/resources.ts';
import { providerFor } from '../../routing/registry.ts';
import type { Finding } from './report.ts';
import { attention, note } from './report.ts';

export interface Looking {
  readonly kube: Pick<KubeClient, 'get' | 'list'>;
  readonly signal: AbortSignal;
}

/** The reference's lease, which is ours as well. */
const leaseName = 'flagger-leader-election';
const roleName = 'aviary';
const pageSize = 500;

interface ClusterRole extends KubeObject {
  readonly rules?: readonly {
    readonly apiGroups?: readonly string[];
    readonly resources?: readonly string[];
    readonly verbs?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

interface Definition extends KubeObject {
  readonly spec?: {
    readonly versions?: readonly {
      readonly name?: string;
      readonly schema?: { readonly openAPIV3Schema?: Schema };
    }[];
  };
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

const clusterRoles = resource<ClusterRole>(
  'rbac.authorization.k8s.io/v1',
  'ClusterRole',
  'clusterroles',
  'Cluster',
);

export async function listAll<T extends KubeObject>(
  kind: Resource<T>,
  { kube, signal }: Looking,
  namespace?: string,
): Promise<readonly T[]> {
  const found: T[] = [];
  let continueToken: string | undefined;
  do {
    const page = await kube.list(kind, {
      signal,
      namespace: namespace === '' ? undefined : namespace,
      limit: pageSize,
      continueToken,
    });
    found.push(...page.items);
    continueToken = page.continueToken;
  } while (continueToken !== undefined);
  return found;
}

/** A Deployment that runs the reference, wherever its image comes from. */
export function referenceDeployments(all: readonly Deployment[]): readonly Deployment[] {
  return all.filter(({ spec }) =>
    spec.template.spec.containers.some(({ image = '' }) => /(^|\/)flagger([:@]|$)/.test(image)),
  );
}

/** Its command line; empty where there is none. */
export function argumentsOf(deployment: Deployment | undefined): readonly string[] {
  const container = deployment?.spec.template.spec.containers.find(({ image = '' }) =>
    /(^|\/)flagger([:@]|$)/.test(image),
  ) as { readonly command?: readonly string[]; readonly args?: readonly string[] } | undefined;
  const words = [...(container?.command ?? []), ...(container?.args ?? [])];
  return words.slice(
    Math.max(
      0,
      words.findIndex((word) => word.startsWith('-')),
    ),
  );
}

export interface ClusterFacts {
  /** Those that run the reference. */
  readonly found: readonly Deployment[];
  readonly canaries: readonly Canary[];
  readonly meshProvider: string;
  readonly nowMs: number;
}

export async function clusterFindings(
  looking: Looking,
  facts: ClusterFacts,
): Promise<readonly Finding[]> {
  return [
    ...facts.found.flatMap(runs),
    ...(await optional('leases', () => leaseFindings(looking, facts.nowMs))),
    ...(await optional('customresourcedefinitions', () => definitionFindings(looking))),
    ...(await optional('clusterroles', () => roleFindings(looking, facts))),
  ];
}

/** What this user may not read is said, and the rest is looked at. */
async function optional(
  kinds: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return [note('NotLookedAt', `${kinds}: ${(error as Error).message}`)];
  }
}

function runs({ metadata, spec, status }: Deployment): readonly Finding[] {
  const { name, namespace = '' } = metadata;
  const { replicas = 1 } = spec;
  if (replicas === 0 && (status?.replicas ?? 0) === 0) return [];
  const stop = `kubectl -n ${namespace} scale deployment/${name} --replicas=0`;
  const message =
    `deployment ${namespace}/${name} runs the controller that is to be replaced; two at once ` +
    `undo each other's work: ${stop} before Aviary starts`;
  return [attention('TwoControllers', message)];
}

async function leaseFindings(looking: Looking, nowMs: number): Promise<readonly Finding[]> {
  const all: readonly Lease[] = await listAll(leases, looking);
  return all.flatMap(({ metadata, spec = {} }) => {
    const { holderIdentity = '', renewTime = '', leaseDurationSeconds = 60 } = spec;
    const heldUntilMs = Date.parse(renewTime) + leaseDurationSeconds * 1000;
    const isHeld = holderIdentity !== '' && heldUntilMs > nowMs;
    if (metadata.name !== leaseName || !isHeld) return [];
    const where = `${metadata.namespace ?? ''}/${leaseName}`;
    return [attention('LeaseHeld', `lease ${where} is held by ${holderIdentity}, who acts now`)];
  });
}

/** Fields of the status without which the controller forgets what it did. */
const statusFields = ['trackedTarget', 'draining', 'gates', 'journal'] as const;

async function definitionFindings({ kube, signal }: Looking): Promise<readonly Finding[]> {
  const name = 'canaries.flagger.app';
  let definition: Definition;
  try {
    const key = { name, namespace: '' };
    definition = (await kube.get(customResourceDefinitions, key, { signal })) as Definition;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return [attention('NoDefinition', `there is no definition ${name}: apply manifests/crds`)];
  }
  const version = definition.spec?.versions?.find((it) => it.name === 'v1beta1');
  const { properties } = version?.schema?.openAPIV3Schema ?? {};
  const known = properties?.['status']?.properties ?? {};
  const missing = statusFields.filter((field) => known[field] === undefined);
  if (missing.length === 0) return [];
  const fields = missing.map((field) => `status.${field}`).join(', ');
  const message = `definition ${name} would drop ${fields}: apply manifests/crds first`;
  return [attention('OldDefinition', message)];
}

async function roleFindings(
  { kube, signal }: Looking,
  { canaries, meshProvider }: Pick<ClusterFacts, 'canaries' | 'meshProvider'>,
): Promise<readonly Finding[]> {
  let role: ClusterRole;
  try {
    role = await kube.get(clusterRoles, { name: roleName, namespace: '' }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const message = `there is no ClusterRole ${roleName}: apply manifests/rbac.yaml`;
    return [attention('NoRights', message)];
  }
  const missing = new Set<string>();
  for (const canary of canaries) {
    const provider = providerFor(effectiveProvider(canary.spec.provider, meshProvider));
    for (const key of provider?.routeKeys(canary) ?? []) {
      const { group, plural } = key.resource;
      if (!isGranted(role, group, plural)) missing.add(`${plural}.${group}`);
    }
  }
  return [...missing].map((kind) =>
    attention('NoRights', `ClusterRole ${roleName} may not list, watch, create and patch ${kind}`),
  );
}

const routeVerbs = ['list', 'watch', 'create', 'patch'];

function isGranted({ rules = [] }: ClusterRole, group: string, plural: string): boolean {
  const covers = (list: readonly string[] = [], wanted: string): boolean =>
    list.includes(wanted) || list.includes('*');
  return routeVerbs.every((verb) =>
    rules.some(
      ({ apiGroups, resources, verbs, resourceNames }) =>
        resourceNames === undefined &&
        covers(apiGroups, group) &&
        covers(resources, plural) &&
        covers(verbs, verb),
    ),
  );
}

/** Objects that a cluster may not even know the kind of. */
export async function listIfKnown<T extends KubeObject>(
  kind: Resource<T>,
  looking: Looking,
  namespace: string,
): Promise<readonly T[]> {
  try {
    return await listAll(kind, looking, namespace);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
