/** What NGINX and Skipper have in common: a second Ingress, made after the user's own. */
import type { Canary } from '../api/canary.ts';
import { fluxAnnotations, lastAppliedAnnotation } from '../api/annotations.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject, ObjectMeta, StringMap } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource } from '../kube/resources.ts';
import type { LiveRoutes, RouteKey } from './provider.ts';
import { specOf } from './rendered-route.ts';

export const ingresses: Resource<OpaqueObject> = resource(
  'networking.k8s.io/v1',
  'Ingress',
  'ingresses',
);

interface IngressPath {
  readonly backend?: { readonly service?: { readonly name?: string } };
}
interface IngressRule {
  readonly http?: { readonly paths?: readonly IngressPath[] };
}

export type Source =
  | { readonly ok: true; readonly ingress: KubeObject }
  | { readonly ok: false; readonly error: string };

export const ingressKey = (canary: Canary): RouteKey => ({
  resource: ingresses,
  name: `${canary.spec.ingressRef?.name ?? ''}-canary`,
});

export const sourceIngress = ({ spec }: Canary): readonly RouteKey[] =>
  spec.ingressRef === undefined ? [] : [{ resource: ingresses, name: spec.ingressRef.name }];

/** The user's Ingress; one that does not lead to the apex Service is of no use. */
export function findSource(canary: Canary, provider: string, live: LiveRoutes): Source {
  const [key] = sourceIngress(canary);
  if (key === undefined) {
    return {
      ok: false,
      error: `spec.ingressRef: provider ${provider} needs the name of your Ingress`,
    };
  }
  const ingress = live(key);
  if (ingress === undefined) {
    return { ok: false, error: `spec.ingressRef.name: there is no Ingress ${key.name}, apply it` };
  }
  const { apex } = serviceNames(canary);
  const leads = rulesOf(ingress).some(({ http }) => http?.paths?.some((it) => leadsTo(it, apex)));
  if (leads) return { ok: true, ingress };
  const error = `spec.ingressRef.name: Ingress ${key.name} has no path to Service ${apex}, add one`;
  return { ok: false, error };
}

/** The user's spec, with other paths in place of each that leads to the apex Service. */
export function withPaths(
  canary: Canary,
  ingress: KubeObject,
  to: readonly string[],
): Readonly<Record<string, unknown>> {
  const { apex } = serviceNames(canary);
  const renamed = (path: IngressPath, name: string): IngressPath => ({
    ...path,
    backend: { ...path.backend, service: { ...path.backend?.service, name } },
  });
  const rules = rulesOf(ingress).map((rule) => {
    if (rule.http?.paths === undefined) return rule;
    const paths = rule.http.paths.flatMap((path) =>
      leadsTo(path, apex) ? to.map((name) => renamed(path, name)) : [path],
    );
    return { ...rule, http: { ...rule.http, paths } };
  });
  return { ...specOf(ingress), rules };
}

const rulesOf = (ingress: KubeObject): readonly IngressRule[] =>
  (specOf(ingress)['rules'] ?? []) as unknown as readonly IngressRule[];

const leadsTo = ({ backend }: IngressPath, name: string): boolean =>
  backend?.service?.name === name;

/**
 * Labels and annotations of the user's Ingress on top of what is there. Of annotations that `isOurs`
 * names, those of `own` are there and no others.
 */
export function copiedMetadata(
  { metadata: source }: KubeObject,
  live: Partial<ObjectMeta>,
  { own, isOurs }: { readonly own: StringMap; readonly isOurs: (name: string) => boolean },
): Partial<ObjectMeta> {
  const foreign = (annotations: StringMap = {}): StringMap =>
    Object.fromEntries(
      Object.entries(annotations).filter(
        ([name]) => !isOurs(name) && name !== lastAppliedAnnotation,
      ),
    );
  const labels = { ...live.labels, ...source.labels };
  return {
    ...(Object.keys(labels).length > 0 && { labels }),
    annotations: {
      ...foreign(live.annotations),
      ...foreign(source.annotations),
      ...fluxAnnotations,
      ...own,
    },
  };
}
