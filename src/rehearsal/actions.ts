/** What users do in a rehearsal, done to the cluster as they would. */
import type { Answerer } from '../admission/server.ts';
import type { Canary } from '../api/canary.ts';
import type { ConfigMap, Deployment, Json, Secret } from '../api/kubernetes.ts';
import type { ControllerApi } from '../cluster/controller-api.ts';
import { applyMergePatch } from '../kube/merge-patch.ts';
import { canaries, configMaps, deployments, secrets } from '../kube/resources.ts';
import { referencedConfigs } from '../revision/references.ts';
import { warningsOf } from './admission.ts';
import type { RehearsalInput } from './input.ts';
import { RehearsalRefused } from './refused.ts';
import type { Action } from './scenario.ts';
import { stableRevision } from './scenario.ts';

export interface Done {
  /** What was done, in one line. */
  readonly text: string;
  /** What `kubectl` would print beside its answer. */
  readonly warnings: readonly string[];
}

/** Rejects with a `StatusError` where the cluster refuses. */
export async function perform(
  action: Action,
  input: RehearsalInput,
  { api, review }: { readonly api: ControllerApi; readonly review: Answerer },
): Promise<Done> {
  switch (action.kind) {
    case 'Deploy':
      return deploy(action.revision, input, api, review);
    case 'ChangeConfig':
      return { text: await changeConfig(action, input, api), warnings: [] };
    case 'PatchCanary':
      return { text: await patchCanary(action.patch, input, api), warnings: [] };
  }
}

/** The Deployment for a revision: its first container has the image of that name. */
export function deploymentOf(revision: string, deployment: Deployment): Deployment {
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

async function deploy(
  revision: string,
  { deployment }: RehearsalInput,
  api: ControllerApi,
  review: Answerer,
): Promise<Done> {
  const { name, namespace = '' } = deployment.metadata;
  const live = api.get(deployments, { namespace, name });
  if (live === undefined) throw new Error(`Deployment ${name} is gone`);
  const { template } = deploymentOf(revision, deployment).spec;
  const changed = { ...live, spec: { ...live.spec, template } };
  const warnings = warningsOf(review, live, changed);
  await api.update(deployments, changed);
  const { image = '' } = template.spec.containers[0] ?? {};
  return { text: `deploy ${revision}: image ${image} in Deployment ${name}`, warnings };
}

async function changeConfig(
  { config, name: wanted, set, revision }: Extract<Action, { kind: 'ChangeConfig' }>,
  { deployment }: RehearsalInput,
  api: ControllerApi,
): Promise<string> {
  const name = wanted ?? firstConfig(deployment, config);
  const { namespace = '' } = deployment.metadata;
  const key = { namespace, name };
  const keys = Object.keys(set).join(', ');
  const said = `deploy ${revision}: ${config} ${name} has a new ${keys}`;
  const missing = (): never => {
    const which = name === '' ? `a ${config}` : `${config} ${name}`;
    throw new RehearsalRefused(
      `the scenario changes ${which}, but Deployment ${deployment.metadata.name} refers to none`,
    );
  };
  if (config === 'ConfigMap') {
    const live: ConfigMap = api.get(configMaps, key) ?? missing();
    await api.update(configMaps, { ...live, data: { ...live.data, ...set } });
    return said;
  }
  const live: Secret = api.get(secrets, key) ?? missing();
  const encoded = Object.entries(set).map(([field, text]) => [
    field,
    Buffer.from(text).toString('base64'),
  ]);
  const data = { ...live.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
  await api.update(secrets, { ...live, data });
  return said;
}

/** The one that a change of configuration means where it names none. */
export function firstConfig({ spec }: Deployment, kind: 'ConfigMap' | 'Secret'): string {
  return referencedConfigs(spec.template).find((it) => it.kind === kind)?.name ?? '';
}

async function patchCanary(
  patch: Json,
  { canary }: RehearsalInput,
  api: ControllerApi,
): Promise<string> {
  const { name, namespace = '' } = canary.metadata;
  const live = api.get(canaries, { namespace, name });
  if (live === undefined) throw new Error(`Canary ${name} is gone`);
  const patched = applyMergePatch(live as unknown as Json, patch) as unknown as Canary;
  await api.update(canaries, patched);
  return `patch Canary ${name}: ${JSON.stringify(patch)}`;
}
