/** What users have before some providers can do anything: an Ingress, an ApisixRoute. */
import type { Canary } from '../../src/api/canary.ts';
import { serviceNames } from '../../src/api/defaults.ts';
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import type { OpaqueObject } from '../../src/kube/resources.ts';
import type { RoutingProvider } from '../../src/routing/provider.ts';

/** The canary as the provider needs it: with the names of those objects. */
export function furnished(provider: RoutingProvider, canary: Canary): Canary {
  const refs: Readonly<Record<string, object>> = {
    nginx: { ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' } },
    skipper: { ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' } },
    apisix: { routeRef: { apiVersion: 'apisix.apache.org/v2', kind: 'ApisixRoute', name: 'shop' } },
  };
  const { service } = canary.spec;
  const meshed = service === undefined ? {} : { service: { meshName: 'global', ...service } };
  return { ...canary, spec: { ...canary.spec, ...meshed, ...refs[provider.name] } };
}

/** What there is before some providers are asked: Services of the sides, as ours. */
function sideServices(canary: Canary): readonly KubeObject[] {
  const { primary, canary: other } = serviceNames(canary);
  const service = (name: string, app: string): KubeObject & { spec: Json } => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: canary.metadata.namespace ?? '' },
    spec: { selector: { app } },
  });
  return [service(primary, 'podinfo-primary'), service(other, 'podinfo')];
}

export const sourcesFor = (canary: Canary): readonly KubeObject[] => [
  ...sideServices(canary),
  ...userObjects(canary),
];

/** The Ingress and the ApisixRoute that lead users to the apex. */
export function userObjects(canary: Canary): readonly OpaqueObject[] {
  const { apex } = serviceNames(canary);
  const { namespace = '' } = canary.metadata;
  const object = (apiVersion: string, kind: string, spec: Json): OpaqueObject => ({
    apiVersion,
    kind,
    metadata: { name: 'shop', namespace },
    spec,
  });
  const backend = { service: { name: apex, port: { number: 80 } } };
  const paths = [{ path: '/', pathType: 'Prefix', backend }];
  return [
    object('networking.k8s.io/v1', 'Ingress', {
      ingressClassName: 'public',
      rules: [{ host: 'app.example.com', http: { paths } }, { host: 'other.example.com' }],
    }),
    object('apisix.apache.org/v2', 'ApisixRoute', {
      ingressClassName: 'apisix',
      http: [
        {
          name: 'all',
          match: { hosts: ['app.example.com'], paths: ['/*'] },
          backends: [{ serviceName: apex, servicePort: 80 }],
        },
      ],
    }),
  ];
}
