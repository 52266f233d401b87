/**
 * Apache APISIX (`spec/02`, 7.6): a route of high priority, made after the entry of the user's own
 * ApisixRoute that leads to the apex Service. The user's route is not touched.
 */
import { lastAppliedAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import { serviceNames } from '../api/defaults.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../kube/resources.ts';
import { resource } from '../kube/resources.ts';
import { confirmByConditions } from './condition-status.ts';
import { inexpressible } from './inexpressible.ts';
import type { LiveRoutes, RouteKey, RoutingProvider, Split } from './provider.ts';
import { renderedRoute, specOf, splitFrom } from './rendered-route.ts';

const apisixRoutes: Resource<OpaqueObject> = resource(
  'apisix.apache.org/v2',
  'ApisixRoute',
  'apisixroutes',
);

/** Above what users give their own routes. */
const priority = 10_000;

/** What versions 2 and 1 of the ingress controller call it. */
const conditionTypes = ['Accepted', 'ResourcesAvailable'];

interface Backend {
  readonly serviceName?: string;
  readonly weight?: number;
}
interface Entry {
  readonly websocket?: boolean;
  readonly backends?: readonly Backend[];
}

type Source =
  | {
      readonly ok: true;
      readonly route: KubeObject;
      readonly entry: Entry;
      readonly backend: Backend;
    }
  | { readonly ok: false; readonly error: string };

const keyOf = (canary: Canary): RouteKey => ({
  resource: apisixRoutes,
  name: `${canary.spec.routeRef?.name ?? ''}-${serviceNames(canary).apex}-canary`,
});

const sourceKeys = ({ spec }: Canary): readonly RouteKey[] =>
  spec.routeRef === undefined ? [] : [{ resource: apisixRoutes, name: spec.routeRef.name }];

export const apisix: RoutingProvider = {
  name: 'apisix',
  routeKeys: (canary) => [keyOf(canary)],
  sourceKeys,
  render: (canary, split, _cookies, live) => {
    const error = inexpressible(canary, split, { provider: 'apisix', abTesting: false });
    if (error !== undefined) return { ok: false, error };
    const source = findSource(canary, live);
    if (!source.ok) return source;
    const { route, entry, backend } = source;
    const names = serviceNames(canary);
    const backends = [
      { ...backend, serviceName: names.primary, weight: split.primary },
      { ...backend, serviceName: names.canary, weight: split.canary },
    ];
    const http = [{ ...entry, websocket: entry.websocket ?? false, priority, backends }];
    const { ingressClassName } = specOf(route);
    const spec = { ...(ingressClassName !== undefined && { ingressClassName }), http };
    const { labels, annotations = {} } = route.metadata;
    const { [lastAppliedAnnotation]: _, ...copied } = annotations;
    const rendered = renderedRoute(canary, live, {
      ...keyOf(canary),
      spec,
      metadata: (base) => ({
        ...(labels !== undefined && { labels: { ...base.labels, ...labels } }),
        ...(Object.keys(copied).length > 0 && { annotations: { ...base.annotations, ...copied } }),
      }),
    });
    return { ok: true, objects: [rendered] };
  },
  confirm: (canary, live) => {
    const key = keyOf(canary);
    const route = `ApisixRoute ${key.name}`;
    return confirmByConditions(live(key), { route, controller: 'APISIX', types: conditionTypes });
  },
  read: (canary, live) => readEntry(canary, live(keyOf(canary))),
  revert: () => [],
};

/** The first entry that leads to the apex Service, and to nothing else. */
function findSource(canary: Canary, live: LiveRoutes): Source {
  const [key] = sourceKeys(canary);
  const refused = (field: string, text: string): Source => ({
    ok: false,
    error: `spec.routeRef${field}: ${text}`,
  });
  if (key === undefined) return refused('', 'provider apisix needs the name of your ApisixRoute');
  const route = live(key);
  if (route === undefined) return refused('.name', `there is no ApisixRoute ${key.name}, apply it`);
  const { apex } = serviceNames(canary);
  const entry = entriesOf(route).find(({ backends }) =>
    backends?.some(({ serviceName }) => serviceName === apex),
  );
  const where = `ApisixRoute ${key.name}`;
  if (entry === undefined) return refused('.name', `${where} has no backend ${apex}, add one`);
  const [backend, ...more] = entry.backends ?? [];
  if (backend !== undefined && more.length === 0) return { ok: true, route, entry, backend };
  return refused(
    '.name',
    `${where} has other backends beside ${apex}, give them an entry of their own`,
  );
}

const entriesOf = (route: KubeObject | undefined): readonly Entry[] =>
  (specOf(route)['http'] ?? []) as unknown as readonly Entry[];

function readEntry(canary: Canary, found: KubeObject | undefined): Split | undefined {
  const names = serviceNames(canary);
  const backends = entriesOf(found).flatMap((entry) => entry.backends ?? []);
  const weightOf = (name: string) => backends.find((it) => it.serviceName === name)?.weight;
  return splitFrom(weightOf(names.primary), weightOf(names.canary));
}
