/**
 * What a story looks at and changes of a target and its primary, whatever kind they are of. Revisions
 * are told apart by images; a Service, which has none, leads to pods of a release of that name.
 */
import { scaleToZeroLabel } from '../../src/api/annotations.ts';
import type { Canary } from '../../src/api/canary.ts';
import type { KnativeService } from '../../src/api/knative.ts';
import { knativeApiVersion, primaryRevisionAnnotation } from '../../src/api/knative.ts';
import type {
  DaemonSet,
  Deployment,
  KubeObject,
  NamespacedName,
  Service,
} from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import type { Resource } from '../../src/kube/resources.ts';
import {
  daemonSets,
  deployments,
  knativeRevisions,
  knativeServices,
  services,
} from '../../src/kube/resources.ts';

export interface Side {
  readonly resource: Resource<KubeObject>;
  readonly object: KubeObject;
  /** `web:3-bad`. */
  readonly image: string;
  readonly wantedPods: number;
  readonly availablePods: number;
  /** Whether it has pods that can be taken from it. */
  readonly isScaled: boolean;
  readonly withImage: (image: string) => KubeObject;
  /** Absent where nobody scales it by hand. */
  readonly withReplicas?: (replicas: number) => KubeObject;
}

export interface Sides {
  readonly target: Side | undefined;
  readonly primary: Side | undefined;
}

/** How stories deal with targets of a kind. */
export interface SimulatedKind {
  readonly reference: { readonly apiVersion: string; readonly kind: string };
  readonly resource: Resource<KubeObject>;
  /** Whether it reads a ConfigMap that is tracked. */
  readonly hasConfig: boolean;
  readonly first: (name: string, image: string, replicas: number) => KubeObject;
  readonly see: (api: ControllerApi, key: NamespacedName) => Sides;
  /** One of its resource, for people; undefined where it is none of either side. */
  readonly show: (object: KubeObject) => string | undefined;
}

interface Twin<T extends KubeObject> {
  readonly reference: SimulatedKind['reference'];
  readonly resource: Resource<T>;
  readonly hasConfig: boolean;
  readonly first: (name: string, image: string, replicas: number) => T;
  readonly image: (object: T) => string;
  readonly wantedPods: (object: T) => number;
  readonly availablePods: (object: T) => number;
  readonly isScaled: boolean;
  readonly withImage: (object: T, image: string) => T;
  readonly withReplicas?: (object: T, replicas: number) => T;
}

/** A kind whose target and primary are two objects alike. */
function twin<T extends KubeObject>(given: Twin<T>): SimulatedKind {
  const { resource, withReplicas } = given;
  const sideOf = (object: T): Side => ({
    resource,
    object,
    image: given.image(object),
    wantedPods: given.wantedPods(object),
    availablePods: given.availablePods(object),
    isScaled: given.isScaled,
    withImage: (image) => given.withImage(object, image),
    ...(withReplicas && { withReplicas: (replicas) => withReplicas(object, replicas) }),
  });
  const at = (api: ControllerApi, key: NamespacedName): Side | undefined => {
    const object = api.get(resource, key);
    return object && sideOf(object);
  };
  return {
    ...given,
    see: (api, { namespace, name }) => ({
      target: at(api, { namespace, name }),
      primary: at(api, { namespace, name: `${name}-primary` }),
    }),
    show: (object) => {
      const { image, availablePods, wantedPods } = sideOf(object as T);
      return image === '' ? undefined : `${image}, ${availablePods} of ${wantedPods} available`;
    },
  };
}

type Workload = Deployment | DaemonSet;

const podTemplate = (name: string, image: string) => ({
  metadata: { labels: { app: name } },
  spec: {
    containers: [
      {
        name: 'app',
        image,
        ports: [{ containerPort: 8080 }],
        envFrom: [{ configMapRef: { name: `${name}-config` } }],
      },
    ],
  },
});

function withTemplateImage<T extends Workload>(object: T, image: string): T {
  const { template } = object.spec;
  const containers = template.spec.containers.map((it) => ({ ...it, image }));
  const changed = { ...template, spec: { ...template.spec, containers } };
  return { ...object, spec: { ...object.spec, template: changed } };
}

const imageIn = ({ spec }: Workload): string => spec.template.spec.containers[0]?.image ?? '';

const deployment = twin<Deployment>({
  reference: { apiVersion: 'apps/v1', kind: 'Deployment' },
  resource: deployments,
  hasConfig: true,
  first: (name, image, replicas) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: podTemplate(name, image),
      replicas,
      progressDeadlineSeconds: 60,
    },
  }),
  image: imageIn,
  wantedPods: ({ spec }) => spec.replicas ?? 1,
  availablePods: ({ status }) => status?.availableReplicas ?? 0,
  isScaled: true,
  withImage: withTemplateImage,
  withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
});

const daemonSet = twin<DaemonSet>({
  reference: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  resource: daemonSets,
  hasConfig: true,
  first: (name, image) => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: podTemplate(name, image),
      updateStrategy: { type: 'RollingUpdate' },
    },
  }),
  image: imageIn,
  // As its controller has counted nodes.
  wantedPods: ({ spec, status }) =>
    scaleToZeroLabel in (spec.template.spec.nodeSelector ?? {})
      ? 0
      : (status?.desiredNumberScheduled ?? 1),
  availablePods: ({ status }) => status?.numberAvailable ?? 0,
  isScaled: true,
  withImage: withTemplateImage,
});

/** A label's value has no colon. */
const releaseOf = (image: string): string => image.replace(':', '.');

const service = twin<Service>({
  reference: { apiVersion: 'v1', kind: 'Service' },
  resource: services,
  hasConfig: false,
  first: (name, image) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      ports: [{ port: 80, targetPort: 8080 }],
      selector: { app: name, release: releaseOf(image) },
    },
  }),
  image: ({ spec }) => spec.selector?.['release']?.replace('.', ':') ?? '',
  wantedPods: () => 1,
  availablePods: () => 1,
  isScaled: false,
  withImage: (object, image) => {
    const selector = { ...object.spec.selector, release: releaseOf(image) };
    return { ...object, spec: { ...object.spec, selector } };
  },
});

const knativeTemplate = (image: string) => ({ spec: { containers: [{ image }] } });

function imageOfTemplate(template: unknown): string {
  const { spec } = (template ?? {}) as ReturnType<typeof knativeTemplate>;
  return spec.containers[0]?.image ?? '';
}

/** A revision is what the template of its Service was. */
function revisionSide(api: ControllerApi, object: KnativeService, name = ''): Side | undefined {
  const { namespace = '' } = object.metadata;
  const revision = api.get(knativeRevisions, { namespace, name });
  if (revision === undefined) return undefined;
  const isReady = revision.status?.conditions?.some((it) => it.status === 'True') === true;
  return {
    resource: knativeServices,
    object,
    image: imageOfTemplate(revision),
    wantedPods: 1,
    availablePods: isReady ? 1 : 0,
    isScaled: false,
    withImage: (image) => {
      const template = knativeTemplate(image);
      const changed: KnativeService = { ...object, spec: { ...object.spec, template } };
      return changed;
    },
  };
}

const knativeService: SimulatedKind = {
  reference: { apiVersion: knativeApiVersion, kind: 'Service' },
  resource: knativeServices,
  hasConfig: false,
  first: (name, image): KnativeService => ({
    apiVersion: knativeApiVersion,
    kind: 'Service',
    metadata: { name },
    spec: { template: knativeTemplate(image) },
  }),
  see: (api, key) => {
    const object = api.get(knativeServices, key);
    const marked = object?.metadata.annotations?.[primaryRevisionAnnotation];
    return {
      target: object && revisionSide(api, object, object.status?.latestCreatedRevisionName),
      primary: object && revisionSide(api, object, marked),
    };
  },
  show: (object) => {
    const { spec, metadata } = object as KnativeService;
    const primary = metadata.annotations?.[primaryRevisionAnnotation] ?? 'none';
    return `${imageOfTemplate(spec.template)}, primary ${primary}`;
  },
};

export const simulatedKinds = { deployment, daemonSet, service, knativeService };

export function kindOf({ targetRef }: Canary['spec']): SimulatedKind {
  const found = Object.values(simulatedKinds).find(
    ({ reference }) =>
      reference.kind === targetRef.kind && reference.apiVersion === targetRef.apiVersion,
  );
  if (found === undefined) throw new Error(`no story has a ${targetRef.kind}`);
  return found;
}
