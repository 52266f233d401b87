/**
 * Acts as a developer at the cluster: applies the sample app, releases, changes its configuration,
 * by the calls that kubectl would make, and says what one would have typed.
 */
import type { KubeObject } from '../../api/kubernetes.ts';
import { isAlreadyExists, isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { canaries, configMaps, deployments, namespaces, resource } from '../../kube/resources.ts';
import type { Resource } from '../../kube/resources.ts';
import {
  canaryObject,
  configObject,
  deploymentObject,
  namespaceObject,
  sample,
} from './sample-app.ts';
import type { Change } from './story.ts';

const definitions = resource<KubeObject>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'Cluster',
);

/** Until a custom resource is served after its definition was created. */
const servedMsMax = 30_000;
const lookMs = 50;

/** The custom resources are served when this resolves. */
export async function define(
  kube: KubeClient,
  crds: readonly KubeObject[],
  served: readonly Resource<KubeObject>[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (const crd of crds) await make(kube, definitions, crd, signal);
  const untilMs = clock.monotonic() + servedMsMax;
  for (const it of served) {
    while (!(await isServed(kube, it, signal))) {
      if (clock.monotonic() > untilMs) throw new Error(`the cluster does not serve ${it.plural}`);
      await clock.sleep(lookMs, signal);
    }
  }
}

async function isServed(
  kube: KubeClient,
  resource: Resource<KubeObject>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await kube.list(resource, { limit: 1, signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** A namespace, the app and its configuration, and the Canary. */
export async function applySample(kube: KubeClient, signal: AbortSignal): Promise<void> {
  await make(kube, namespaces, namespaceObject, signal);
  await make(kube, configMaps, configObject, signal);
  await make(kube, deployments, deploymentObject, signal);
  await make(kube, canaries, canaryObject, signal);
}

async function make<T extends KubeObject>(
  kube: KubeClient,
  resource: Resource<T>,
  object: T,
  signal: AbortSignal,
): Promise<void> {
  try {
    await kube.create(resource, object, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

const { namespace, name, container, config, repository } = sample;

/** What makes the change, as it is typed. */
export function commandFor(change: Change): string {
  return change.kind === 'Release'
    ? `kubectl set image deployment/${name} ${container}=${repository}:${change.tag}`
    : `kubectl patch configmap ${config} -p '${JSON.stringify(dataOf(change))}'`;
}

export async function makeChange(
  kube: KubeClient,
  change: Change,
  signal: AbortSignal,
): Promise<void> {
  if (change.kind === 'Configure') {
    const body = dataOf(change);
    await kube.patch(configMaps, { namespace, name: config }, { type: 'merge', body }, { signal });
    return;
  }
  const path = '/spec/template/spec/containers/0/image';
  const value = `${repository}:${change.tag}`;
  const body = [{ op: 'replace', path, value }] as const;
  await kube.patch(deployments, { namespace, name }, { type: 'json', body }, { signal });
}

const dataOf = ({ greeting }: Extract<Change, { kind: 'Configure' }>) => ({ data: { greeting } });
