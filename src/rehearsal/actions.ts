/** What users do in a rehearsal, done to the cluster as they would. */
import type { Canary } from '../api/canary.ts';
import type { ConfigMap, Deployment, Json, Secret, StringMap } from '../api/kubernetes.ts';
import type { ControllerApi } from '../cluster/controller-api.ts';
import { applyMergePatch } from '../kube/merge-patch.ts';
import { canaries, configMaps, deployments, nameOf, secrets } from '../kube/resources.ts';
import { referencedConfigs } from '../revision/references.ts';
import type { ClusterUser } from './cluster-user.ts';
import type { RehearsalInput } from './input.ts';
import { RehearsalRefused } from './refused.ts';
import type { Action } from './scenario.ts';
import { stableRevision } from './scenario.ts';

export interface Deed {
  /** What is to be done, in one line. */
  readonly text: string;
  /**
   * Does it, and answers what `kubectl` would print beside its answer. Rejects with a
   * `RehearsalRefused` where the cluster refuses.
   */
  readonly run: () => Promise<readonly string[]>;
}

export interface Hands {
  readonly api: Pick<ControllerApi, 'get'>;
  readonly user: ClusterUser;
}

/** Throws a `RehearsalRefused` where there is nothing to do it to. */
export function deedOf(action: Action, input: RehearsalInput, hands: Hands): Deed {
  switch (action.kind) {
    case 'Deploy':
      return deploy(action.revision, input, hands);
    case 'ChangeConfig':
      return changeConfig(action, input, hands);
    case 'PatchCanary':
      return patchCanary(action.patch, input, hands);
  }
}

/** The Deployment for a revision: its first container has the image of that name. */
function deploymentOf(revision: string, deployment: Deployment): Deployment {
  if (revision === stableRevision) return deployment;
  const { spec } = deployment;
  const [first, ...others] = spec.template.spec.containers;
  if (first === undefined) return deployment;
  const container = { ...first, image: imageOf(first.image ?? 'stand-in', revision) };
  const podSpec = { ...spec.template.spec, containers: [container, ...others] };
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: podSpec } } };
}

/** The tag is what follows the last colon behind the last slash; a digest goes. */
function imageOf(image: string, tag: string): string {
  const [named = ''] = image.split('@', 1);
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const repository = colon === -1 ? named : named.slice(0, colon);
  const wanted = `${repository}:${tag}`;
  return wanted === image ? `${wanted}-rehearsed` : wanted;
}

function deploy(revision: string, { deployment }: RehearsalInput, { api, user }: Hands): Deed {
  const { name } = deployment.metadata;
  const live = api.get(deployments, nameOf(deployment));
  if (live === undefined) throw new Error(`Deployment ${name} is gone`);
  const { template } = deploymentOf(revision, deployment).spec;
  const changed = { ...live, spec: { ...live.spec, template } };
  const { image = '' } = template.spec.containers[0] ?? {};
  const text = `deploy ${revision}: image ${image} in Deployment ${name}`;
  return { text, run: () => user.update(deployments, changed) };
}

function changeConfig(
  { config, name: wanted, set, revision }: Extract<Action, { kind: 'ChangeConfig' }>,
  { deployment }: RehearsalInput,
  { api, user }: Hands,
): Deed {
  const name = wanted ?? firstConfig(deployment, config);
  const key = { ...nameOf(deployment), name };
  const text = `deploy ${revision}: ${config} ${name} has a new ${Object.keys(set).join(', ')}`;
  const missing = (): never => {
    const which = name === '' ? `a ${config}` : `${config} ${name}`;
    const target = deployment.metadata.name;
    throw new RehearsalRefused(
      `the scenario changes ${which}, but Deployment ${target} refers to none`,
    );
  };
  if (config === 'ConfigMap') {
    const live: ConfigMap = api.get(configMaps, key) ?? missing();
    const changed = { ...live, data: { ...live.data, ...set } };
    return { text, run: () => user.update(configMaps, changed) };
  }
  const live: Secret = api.get(secrets, key) ?? missing();
  const changed = { ...live, data: { ...live.data, ...encoded(set) } };
  return { text, run: () => user.update(secrets, changed) };
}

/** As Secrets hold their values. */
const encoded = (texts: StringMap): StringMap =>
  Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );

/** The one that a change of configuration means where it names none. */
function firstConfig({ spec }: Deployment, kind: 'ConfigMap' | 'Secret'): string {
  return referencedConfigs(spec.template).find((it) => it.kind === kind)?.name ?? '';
}

function patchCanary(patch: Json, { canary }: RehearsalInput, { api, user }: Hands): Deed {
  const { name } = canary.metadata;
  const live = api.get(canaries, nameOf(canary));
  if (live === undefined) throw new Error(`Canary ${name} is gone`);
  const patched = applyMergePatch(live as unknown as Json, patch) as unknown as Canary;
  const text = `patch Canary ${name}: ${JSON.stringify(patch)}`;
  return { text, run: () => user.update(canaries, patched) };
}
