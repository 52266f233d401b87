/**
 * The ConfigMaps and Secrets that a pod template refers to (`spec/01`, 3.11), and the same template
 * with other names for them.
 */
import type { Container, EnvVar, PodSpec, PodTemplateSpec, Volume } from '../api/kubernetes.ts';

export interface ConfigReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** Pods start without it. The last reference to a name decides. */
  readonly optional: boolean;
}

/** One entry for each object, in the order of first reference. */
export function referencedConfigs(template: PodTemplateSpec): readonly ConfigReference[] {
  const { volumes = [], containers, initContainers = [] } = template.spec;
  const found = new Map<string, ConfigReference>();
  const visit = (kind: ConfigReference['kind'], name?: string, optional = false): void => {
    if (name !== undefined && name !== '') found.set(`${kind}/${name}`, { kind, name, optional });
  };
  for (const volume of volumes) visitVolume(volume, visit);
  for (const container of [...containers, ...initContainers]) visitContainer(container, visit);
  return [...found.values()];
}

type Visit = (kind: ConfigReference['kind'], name?: string, optional?: boolean) => void;

function visitVolume({ configMap, secret, projected }: Volume, visit: Visit): void {
  visit('ConfigMap', configMap?.name, configMap?.optional);
  visit('Secret', secret?.secretName, secret?.optional);
  for (const source of projected?.sources ?? []) {
    visit('ConfigMap', source.configMap?.name, source.configMap?.optional);
    visit('Secret', source.secret?.name, source.secret?.optional);
  }
}

function visitContainer({ env = [], envFrom = [] }: Container, visit: Visit): void {
  for (const { valueFrom } of env) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    visit('ConfigMap', configMapKeyRef?.name, configMapKeyRef?.optional);
    // The API server refuses an entry with both; the reference reads the first.
    if (configMapKeyRef === undefined) visit('Secret', secretKeyRef?.name, secretKeyRef?.optional);
  }
  for (const { configMapRef, secretRef } of envFrom) {
    visit('ConfigMap', configMapRef?.name, configMapRef?.optional);
    visit('Secret', secretRef?.name, secretRef?.optional);
  }
}

/** Another name for a referenced object, or the same. */
export type Rename = (kind: ConfigReference['kind'], name: string) => string;

/** The pod spec with every reference renamed. Nothing else of it changes. */
export function renameReferences(spec: PodSpec, rename: Rename): PodSpec {
  return {
    ...spec,
    containers: spec.containers.map((container) => renameInContainer(container, rename)),
    ...(spec.initContainers && {
      initContainers: spec.initContainers.map((container) => renameInContainer(container, rename)),
    }),
    ...(spec.volumes && { volumes: spec.volumes.map((volume) => renameInVolume(volume, rename)) }),
  };
}

function renameInVolume(volume: Volume, rename: Rename): Volume {
  const { configMap, secret, projected } = volume;
  return {
    ...volume,
    ...(configMap && { configMap: renamed(configMap, 'ConfigMap', rename) }),
    ...(secret?.secretName && {
      secret: { ...secret, secretName: rename('Secret', secret.secretName) },
    }),
    ...(projected?.sources && {
      projected: {
        ...projected,
        sources: projected.sources.map((source) => ({
          ...source,
          ...(source.configMap && { configMap: renamed(source.configMap, 'ConfigMap', rename) }),
          ...(source.secret && { secret: renamed(source.secret, 'Secret', rename) }),
        })),
      },
    }),
  };
}

function renameInContainer(container: Container, rename: Rename): Container {
  const { env, envFrom } = container;
  return {
    ...container,
    ...(env && { env: env.map((variable) => renameInVariable(variable, rename)) }),
    ...(envFrom && {
      envFrom: envFrom.map((source) => ({
        ...source,
        ...(source.configMapRef && {
          configMapRef: renamed(source.configMapRef, 'ConfigMap', rename),
        }),
        ...(source.secretRef && { secretRef: renamed(source.secretRef, 'Secret', rename) }),
      })),
    }),
  };
}

function renameInVariable(variable: EnvVar, rename: Rename): EnvVar {
  const { valueFrom } = variable;
  if (valueFrom === undefined) return variable;
  const { configMapKeyRef, secretKeyRef } = valueFrom;
  return {
    ...variable,
    valueFrom: {
      ...valueFrom,
      ...(configMapKeyRef && { configMapKeyRef: renamed(configMapKeyRef, 'ConfigMap', rename) }),
      ...(secretKeyRef && { secretKeyRef: renamed(secretKeyRef, 'Secret', rename) }),
    },
  };
}

function renamed<T extends { readonly name?: string }>(
  reference: T,
  kind: ConfigReference['kind'],
  rename: Rename,
): T {
  return reference.name ? { ...reference, name: rename(kind, reference.name) } : reference;
}
