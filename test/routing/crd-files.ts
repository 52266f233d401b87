/** The CustomResourceDefinitions of `test/crds`: which of them define what a provider writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import type { Resource } from '../../src/kube/resources.ts';
import { customResourceDefinitions } from '../../src/kube/resources.ts';

interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

export interface CrdFile {
  /** Below `test/crds`. */
  readonly path: string;
  readonly definition: Definition;
}

const directory = join(import.meta.dirname, '../crds');

/** Groups that every API server has. */
const builtIn: ReadonlySet<string> = new Set(['', 'apps', 'autoscaling', 'networking.k8s.io']);

/** Files are named `[VARIANT.]PLURAL.GROUP.yaml`. */
const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yaml'))
  .toSorted();

function filesOf({ plural, group, version }: Resource<KubeObject>): readonly CrdFile[] {
  const name = `${plural}.${group}`;
  return paths
    .filter((path) => path.endsWith(`${name}.yaml`))
    .map((path) => {
      const text = readFileSync(join(directory, path), 'utf8');
      return { path, definition: parse(text) as Definition };
    })
    .filter(
      ({ definition: { apiVersion, metadata, spec } }) =>
        apiVersion === 'apiextensions.k8s.io/v1' &&
        metadata.name === name &&
        spec.versions.some((it) => it.name === version && it.served),
    );
}

/** Brings resources to a cluster, each by the first file that defines it. */
export async function createCrds(
  api: ControllerApi,
  resources: readonly Resource<KubeObject>[],
): Promise<void> {
  const [files = []] = crdChoices(resources);
  await Promise.all(
    files.map(({ definition }) => api.create(customResourceDefinitions, definition)),
  );
}

/**
 * Every choice of one file for each resource; one empty choice where all are built in. None where a
 * resource is defined by no file.
 */
export function crdChoices(
  resources: readonly Resource<KubeObject>[],
): readonly (readonly CrdFile[])[] {
  let choices: readonly (readonly CrdFile[])[] = [[]];
  for (const resource of resources) {
    if (builtIn.has(resource.group)) continue;
    const fitting = filesOf(resource);
    choices = choices.flatMap((choice) => fitting.map((file) => [...choice, file]));
  }
  return choices;
}
