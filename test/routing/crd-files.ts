/** The CustomResourceDefinitions of `test/crds`: which of them define what a provider writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { Resource } from '../../src/kube/resources.ts';

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

export function crdFiles(): readonly CrdFile[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml') && !path.startsWith('flagger'))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(directory, path), 'utf8');
      return { path, definition: parse(text) as Definition };
    })
    .filter(({ definition }) => definition.apiVersion === 'apiextensions.k8s.io/v1');
}

/**
 * Every choice of one file for each resource; one empty choice where all are built in. None where a
 * resource is defined by no file.
 */
export function crdChoices(
  resources: readonly Resource<KubeObject>[],
): readonly (readonly CrdFile[])[] {
  const files = crdFiles();
  let choices: readonly (readonly CrdFile[])[] = [[]];
  for (const { plural, group, version } of resources) {
    if (builtIn.has(group)) continue;
    const fitting = files.filter(
      ({ definition: { metadata, spec } }) =>
        metadata.name === `${plural}.${group}` &&
        spec.versions.some(({ name, served }) => name === version && served),
    );
    choices = choices.flatMap((choice) => fitting.map((file) => [...choice, file]));
  }
  return choices;
}
