/** Objects that take the place of those that were not given. */
import type { Canary } from '../api/canary.ts';
import type {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Json,
  KubeObject,
  Secret,
} from '../api/kubernetes.ts';
import { canaryApiVersion } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { apiVersionOf } from '../kube/resources.ts';

const replicas = 2;

/** Two pods of one container, on the port that the Canary's Services point to. */
export function standInDeployment({ metadata, spec }: Canary): Deployment {
  const { name } = spec.targetRef;
  const labels = { app: name };
  const { port = 80, targetPort = port } = spec.service ?? {};
  const containerPort = typeof targetPort === 'number' ? targetPort : port;
  const portName = typeof targetPort === 'string' ? { name: targetPort } : {};
  const container = {
    name,
    image: `registry.example/${name}:stable`,
    ports: [{ containerPort, ...portName }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: metadata.namespace ?? '' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

export function standInAutoscaler(
  { metadata, spec }: Canary,
  name: string,
): HorizontalPodAutoscaler {
  const { apiVersion, kind, name: target } = spec.targetRef;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: metadata.namespace ?? '' },
    spec: {
      scaleTargetRef: { apiVersion, kind, name: target },
      minReplicas: replicas,
      maxReplicas: 2 * replicas,
    },
  };
}

export function standInConfig(
  kind: 'ConfigMap' | 'Secret',
  namespace: string,
  name: string,
): ConfigMap | Secret {
  return { apiVersion: 'v1', kind, metadata: { name, namespace } };
}

/** Its query is no question of anybody else's. */
export function standInTemplate(namespace: string, name: string): MetricTemplate {
  return {
    apiVersion: canaryApiVersion,
    kind: 'MetricTemplate',
    metadata: { name, namespace },
    spec: {
      provider: { type: 'prometheus', address: 'http://prometheus.example' },
      query: `stand_in{template="${namespace}/${name}", target="{{ target }}"}`,
    },
  };
}

/** An object that leads all requests to the apex Service, as the route's provider expects one. */
export function standInSource(
  canary: Canary,
  resource: Resource<KubeObject>,
  name: string,
): KubeObject {
  const { metadata, spec } = canary;
  const { apex } = serviceNames(canary);
  const port = spec.service?.port ?? 80;
  const backend = { service: { name: apex, port: { number: port } } };
  const ingress = { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] };
  const backends = [{ serviceName: apex, servicePort: port }];
  const route = { http: [{ name: 'all', match: { paths: ['/*'] }, backends }] };
  const specs: Readonly<Record<string, Json>> = { Ingress: ingress, ApisixRoute: route };
  const made: OpaqueObject = {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { name, namespace: metadata.namespace ?? '' },
    spec: specs[resource.kind] ?? {},
  };
  return made;
}
