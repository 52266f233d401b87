/**
 * What is rehearsed: the Canaries of the given documents, each with the objects that it needs. What
 * was not given gets a stand-in, and is said to have one.
 */
import type { Canary } from '../api/canary.ts';
import type {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  KubeObject,
  Secret,
} from '../api/kubernetes.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import { supportedProviders, supportedTargetKinds } from '../api/providers.ts';
import { validateCanary } from '../api/validate.ts';
import type { Resource } from '../kube/resources.ts';
import { referencedConfigs } from '../revision/references.ts';
import { isFields } from './fields.ts';
import { sourceKeysOf } from './routes.ts';
import { createSchemaCheck } from './schema-problems.ts';
import {
  standInAutoscaler,
  standInConfig,
  standInDeployment,
  standInSource,
  standInTemplate,
} from './stand-ins.ts';
import type { FieldPath, Problem, SourceDocument } from './yaml-source.ts';
import { readPath } from './yaml-source.ts';

export interface RehearsalInput {
  readonly canary: Canary;
  readonly deployment: Deployment;
  readonly autoscaler: HorizontalPodAutoscaler | undefined;
  /** Objects that the routes are made after. */
  readonly sources: readonly {
    readonly resource: Resource<KubeObject>;
    readonly object: KubeObject;
  }[];
  readonly configs: readonly (ConfigMap | Secret)[];
  readonly templates: readonly MetricTemplate[];
  /** One line for each stand-in, and for what was left out. */
  readonly assumptions: readonly string[];
  /** Whether the Deployment is a stand-in. */
  readonly isDeploymentGiven: boolean;
}

export interface InputOptions {
  /** Of objects that name none. */
  readonly namespace: string;
  readonly meshProvider: string;
}

export type ReadInputs =
  | { readonly ok: true; readonly inputs: readonly RehearsalInput[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readInputs(
  documents: readonly SourceDocument[],
  options: InputOptions,
): ReadInputs {
  const problems: Problem[] = [];
  const found = documents.flatMap((document) => objectsOf(document, options, problems));
  const check = createSchemaCheck();
  for (const { object, document, path: start } of found) {
    for (const { path, message } of check(object)) {
      const line = document.lineOf([...start, ...readPath(path)]);
      problems.push({ file: document.file, line, path, message });
    }
  }
  // What has the wrong type has no meaning that could be looked at.
  if (problems.length > 0) return refused(problems);
  const inputs = found
    .filter(({ object }) => object.kind === 'Canary')
    .flatMap((given) => inputOf(given, found, options, problems));
  return problems.length > 0 ? refused(problems) : { ok: true, inputs };
}

/** In the order in which the lines stand. */
const refused = (problems: readonly Problem[]): ReadInputs => ({
  ok: false,
  problems: problems.toSorted(
    (one, other) => one.file.localeCompare(other.file) || (one.line ?? 0) - (other.line ?? 0),
  ),
});

interface Given {
  readonly object: KubeObject;
  readonly document: SourceDocument;
  /** Where in the document the object begins. */
  readonly path: FieldPath;
}

function objectsOf(
  document: SourceDocument,
  options: InputOptions,
  problems: Problem[],
): readonly Given[] {
  const { value, file } = document;
  if (isFields(value) && value['kind'] === 'List' && Array.isArray(value['items'])) {
    const items: readonly unknown[] = value['items'];
    return items.flatMap((item, index) =>
      objectOf(item, { document, path: ['items', index] }, options, problems),
    );
  }
  if (isFields(value)) return objectOf(value, { document, path: [] }, options, problems);
  problems.push({ file, line: document.lineOf([]), path: '', message: 'is no Kubernetes object' });
  return [];
}

function objectOf(
  value: unknown,
  place: Omit<Given, 'object'>,
  options: InputOptions,
  problems: Problem[],
): readonly Given[] {
  const fields = isFields(value) ? value : {};
  const metadata = isFields(fields['metadata']) ? fields['metadata'] : {};
  const missing = [
    ...(typeof fields['apiVersion'] === 'string' ? [] : ['apiVersion']),
    ...(typeof fields['kind'] === 'string' ? [] : ['kind']),
    ...(typeof metadata['name'] === 'string' ? [] : ['metadata.name']),
  ];
  for (const path of missing) {
    const { document } = place;
    const line = document.lineOf([...place.path, ...readPath(path)]);
    problems.push({ file: document.file, line, path, message: 'is missing' });
  }
  if (missing.length > 0) return [];
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : '';
  const { labels, annotations, name } = metadata;
  // What a cluster once wrote of itself is not asked for again.
  const kept = { name, namespace: namespace || options.namespace, labels, annotations };
  const { status: _, ...rest } = withoutNulls(fields);
  return [
    { ...place, object: { ...rest, metadata: withoutAbsent(kept) } as unknown as KubeObject },
  ];
}

/** A null among fields is as good as no field (Kubernetes API conventions, "Null values"). */
function withoutNulls(
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const kept = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(
    kept.map(([key, value]) => [key, isFields(value) ? withoutNulls(value) : inList(value)]),
  );
}

const inList = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((item: unknown) => (isFields(item) ? withoutNulls(item) : inList(item)))
    : value;

const withoutAbsent = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function inputOf(
  given: Given,
  all: readonly Given[],
  { meshProvider }: InputOptions,
  problems: Problem[],
): readonly RehearsalInput[] {
  const canary = given.object as Canary;
  const before = problems.length;
  const complain = (path: string, message: string): void => {
    const { file } = given.document;
    const line = given.document.lineOf([...given.path, ...readPath(path)]);
    problems.push({ file, line, path, message });
  };
  const { errors } = validateCanary(canary, {
    providers: supportedProviders,
    targetKinds: supportedTargetKinds,
    // A rehearsal's cluster has no KEDA, so a ScaledObject would scale nothing in it.
    autoscalerKinds: ['HorizontalPodAutoscaler'],
    noCrossNamespaceRefs: false,
    meshProvider,
  });
  for (const { path, message } of errors) complain(path, message);
  // What is refused may lack anything, its spec too.
  if (problems.length > before) return [];
  const { kind } = canary.spec.targetRef;
  if (kind !== 'Deployment') {
    complain('spec.targetRef.kind', `a rehearsal has pods of Deployments, none of a ${kind}`);
    return [];
  }
  return [
    assemble(
      canary,
      all.map(({ object }) => object),
      meshProvider,
    ),
  ];
}

function assemble(
  canary: Canary,
  objects: readonly KubeObject[],
  meshProvider: string,
): RehearsalInput {
  const { namespace = '' } = canary.metadata;
  const { targetRef, autoscalerRef } = canary.spec;
  const assumptions: string[] = [];
  const find = (kind: string, name: string, home = namespace): KubeObject | undefined =>
    objects.find(
      ({ kind: found, metadata }) =>
        found === kind && metadata.name === name && metadata.namespace === home,
    );
  const orStandIn = <T extends KubeObject>(found: T | undefined, make: () => T): T => {
    if (found !== undefined) return found;
    const made = make();
    assumptions.push(
      `${made.kind} ${made.metadata.name} was not given: a stand-in takes its place`,
    );
    return made;
  };

  const givenDeployment = find('Deployment', targetRef.name) as Deployment | undefined;
  const deployment = orStandIn(givenDeployment, () => standInDeployment(canary));
  const scales = (object: KubeObject): object is HorizontalPodAutoscaler =>
    object.kind === 'HorizontalPodAutoscaler' &&
    object.metadata.namespace === namespace &&
    (object as HorizontalPodAutoscaler).spec.scaleTargetRef.name === targetRef.name;
  const autoscaler =
    autoscalerRef === undefined
      ? objects.find(scales)
      : orStandIn(
          find(autoscalerRef.kind, autoscalerRef.name) as HorizontalPodAutoscaler | undefined,
          () => standInAutoscaler(canary, autoscalerRef.name),
        );
  const configs = referencedConfigs(deployment.spec.template)
    .filter(({ kind, name, optional }) => !optional || find(kind, name) !== undefined)
    .map(({ kind, name }) =>
      orStandIn(find(kind, name), () => standInConfig(kind, namespace, name)),
    );
  const templates = (canary.spec.analysis?.metrics ?? []).flatMap(({ templateRef }) => {
    if (templateRef === undefined) return [];
    const home = templateRef.namespace || namespace;
    const found = find('MetricTemplate', templateRef.name, home) as MetricTemplate | undefined;
    return [orStandIn(found, () => standInTemplate(home, templateRef.name))];
  });
  const sources = sourceKeysOf(canary, meshProvider).map(({ resource, name, namespace: home }) => ({
    resource,
    object: orStandIn(find(resource.kind, name, home), () => standInSource(canary, resource, name)),
  }));
  return {
    canary,
    deployment,
    autoscaler,
    configs,
    templates,
    sources,
    assumptions,
    isDeploymentGiven: givenDeployment !== undefined,
  };
}
