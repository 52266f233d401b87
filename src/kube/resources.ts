/** Where each kind lives in the API. A `Resource<T>` says what a call for it answers. */
import type { AlertProvider } from '../api/alert-provider.ts';
import type { Canary } from '../api/canary.ts';
import type { KnativeRevision, KnativeService } from '../api/knative.ts';
import { knativeApiVersion } from '../api/knative.ts';
import type {
  ConfigMap,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  Json,
  KubeObject,
  Lease,
  NamespacedName,
  Secret,
  Service,
} from '../api/kubernetes.ts';
import type { MetricTemplate } from '../api/metric-template.ts';

export interface Resource<T extends KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: it carries the type. */
  readonly object?: T;
}

/** An object whose spec this house passes on without a look inside. */
export interface OpaqueObject extends KubeObject {
  readonly spec: Json;
}

/** An object with fields of a kind of its own beside the metadata. */
export interface OpenObject extends KubeObject {
  readonly [field: string]: unknown;
}

export function resource<T extends KubeObject>(
  groupVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Resource<T> {
  const slash = groupVersion.indexOf('/');
  return {
    group: slash === -1 ? '' : groupVersion.slice(0, slash),
    version: groupVersion.slice(slash + 1),
    kind,
    plural,
    namespaced: scope === 'Namespaced',
  };
}

export function apiVersionOf({ group, version }: Resource<KubeObject>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The path of a resource, or of one object of it, below the server's address. */
export function pathOf(
  { group, version, plural, namespaced }: Resource<KubeObject>,
  place: {
    readonly namespace?: string | undefined;
    readonly name?: string;
    readonly subresource?: string;
  },
): string {
  const parts = group === '' ? ['api', version] : ['apis', group, version];
  if (namespaced && place.namespace !== undefined && place.namespace !== '') {
    parts.push('namespaces', place.namespace);
  }
  parts.push(plural);
  if (place.name !== undefined) parts.push(place.name);
  if (place.subresource !== undefined) parts.push(place.subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** Names an object within its kind. */
export function nameOf({ metadata }: KubeObject): NamespacedName {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

export const canaries = resource<Canary>('flagger.app/v1beta1', 'Canary', 'canaries');
export const metricTemplates = resource<MetricTemplate>(
  'flagger.app/v1beta1',
  'MetricTemplate',
  'metrictemplates',
);
export const alertProviders = resource<AlertProvider>(
  'flagger.app/v1beta1',
  'AlertProvider',
  'alertproviders',
);

export const deployments = resource<Deployment>('apps/v1', 'Deployment', 'deployments');
export const daemonSets = resource<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets');
export const services = resource<Service>('v1', 'Service', 'services');
export const knativeServices = resource<KnativeService>(knativeApiVersion, 'Service', 'services');
export const knativeRevisions = resource<KnativeRevision>(
  knativeApiVersion,
  'Revision',
  'revisions',
);
export const configMaps = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps');
export const secrets = resource<Secret>('v1', 'Secret', 'secrets');
export const namespaces = resource<KubeObject>('v1', 'Namespace', 'namespaces', 'Cluster');
export const horizontalPodAutoscalers = resource<HorizontalPodAutoscaler>(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const leases = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
export const events = resource<OpenObject>('v1', 'Event', 'events');
export const mutatingWebhookConfigurations = resource<OpenObject>(
  'admissionregistration.k8s.io/v1',
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  'Cluster',
);
export const validatingWebhookConfigurations = resource<OpenObject>(
  'admissionregistration.k8s.io/v1',
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  'Cluster',
);
export const customResourceDefinitions = resource<OpaqueObject>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'Cluster',
);
export const virtualServices = resource<OpaqueObject>(
  'networking.istio.io/v1beta1',
  'VirtualService',
  'virtualservices',
);
export const destinationRules = resource<OpaqueObject>(
  'networking.istio.io/v1beta1',
  'DestinationRule',
  'destinationrules',
);
