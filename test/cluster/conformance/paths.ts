/** Where things live in the API, and the smallest objects of each kind. */

export const configMaps = (namespace: string): string =>
  `/api/v1/namespaces/${namespace}/configmaps`;
export const secrets = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;
export const pods = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
export const services = (namespace: string): string => `/api/v1/namespaces/${namespace}/services`;
export const events = (namespace: string): string => `/api/v1/namespaces/${namespace}/events`;
export const deployments = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/deployments`;
export const replicaSets = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/replicasets`;
export const daemonSets = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/daemonsets`;
export const leases = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
export const endpointSlices = (namespace: string): string =>
  `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
export const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const namespaces = '/api/v1/namespaces';

export type Labels = Readonly<Record<string, string>>;

export function configMap(name: string, data: Labels = {}, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function pod(name: string, metadata: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { containers: [{ name: 'main', image: 'podinfo:6.0.0' }] },
  };
}

export interface DeploymentChoice {
  readonly replicas?: number;
  readonly image?: string;
  readonly annotations?: Labels;
  readonly spec?: object;
}

/** Its pods carry the label `app` with its name. */
export function deployment(name: string, choice: DeploymentChoice = {}): object {
  const { replicas = 1, image = 'podinfo:6.0.0', annotations, spec } = choice;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, ...(annotations && { annotations }) },
        spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 9898 }] }] },
      },
      ...spec,
    },
  };
}

export function service(name: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 9898 }], ...spec },
  };
}
