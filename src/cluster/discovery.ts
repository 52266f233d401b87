/**
 * What the API server says of itself: its version, its health, its groups and their resources, each
 * group alone or all in one document (`apidiscovery.k8s.io/v2`).
 * Rules: Kubernetes docs, "The Kubernetes API", API discovery; k8s.io/api, `apidiscovery/v2`.
 */
import type { Json } from '../api/kubernetes.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';

/** An answer whose body is not an object of the API. */
export interface ApiDocument {
  readonly contentType: string;
  readonly body: string;
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const objectVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];
const partVerbs = ['get', 'patch', 'update'];

/** Undefined where the path is none of discovery's. */
export function discoveryAnswer(
  path: string,
  accept: string | undefined,
  types: readonly ResourceType[],
): ApiDocument | undefined {
  const parts = path.split('/').filter((it) => it !== '');
  const [root, group, version, ...rest] = parts;
  if (rest.length > 0) return undefined;
  if (root === 'api' && version === undefined) {
    if (group === undefined) {
      return wantsAggregated(accept) ? aggregatedDocument(types, true) : json(coreVersions(types));
    }
    return resourcesDocument(types, '', group);
  }
  if (root === 'apis') {
    if (group === undefined) {
      return wantsAggregated(accept) ? aggregatedDocument(types, false) : json(groupList(types));
    }
    return version === undefined
      ? groupDocument(types, group)
      : resourcesDocument(types, group, version);
  }
  return group === undefined ? ownDocument(root) : undefined;
}

function ownDocument(name: string | undefined): ApiDocument | undefined {
  switch (name) {
    case undefined:
      return json({ paths: ['/api', '/apis', '/healthz', '/livez', '/readyz', '/version'] });
    case 'version':
      return json(version);
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { contentType: 'text/plain; charset=utf-8', body: 'ok' };
    default:
      return undefined;
  }
}

/** The version whose behaviour is imitated. */
const version: Json = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.3',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};

const json = (body: Json): ApiDocument => ({
  contentType: 'application/json',
  body: JSON.stringify(body),
});

/** Clients name what they would like best first; the older `v2beta1` is not spoken. */
function wantsAggregated(accept = ''): boolean {
  const first = accept.split(',').find((it) => !it.includes('v=v2beta1')) ?? '';
  return first.includes('g=apidiscovery.k8s.io') && first.includes('v=v2');
}

/** Versions of a group, in the order of registration: the first is preferred. */
const versionsOf = (types: readonly ResourceType[], group: string): readonly string[] => [
  ...new Set(types.filter((it) => it.group === group).map((it) => it.version)),
];

const groupsOf = (types: readonly ResourceType[]): readonly string[] =>
  [...new Set(types.map((it) => it.group))].filter((it) => it !== '');

const coreVersions = (types: readonly ResourceType[]): Json => ({
  kind: 'APIVersions',
  versions: versionsOf(types, ''),
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1' }],
});

function groupOf(types: readonly ResourceType[], name: string) {
  const versions = versionsOf(types, name).map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] ?? { groupVersion: '', version: '' } };
}

const groupList = (types: readonly ResourceType[]): Json => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupsOf(types).map((it) => groupOf(types, it)),
});

function groupDocument(types: readonly ResourceType[], name: string): ApiDocument | undefined {
  if (!types.some((it) => it.group === name)) return undefined;
  return json({ kind: 'APIGroup', apiVersion: 'v1', ...groupOf(types, name) });
}

function resourcesDocument(
  types: readonly ResourceType[],
  group: string,
  version: string,
): ApiDocument | undefined {
  const found = types.filter((it) => it.group === group && it.version === version);
  const [first] = found;
  if (first === undefined) return undefined;
  return json({
    kind: 'APIResourceList',
    ...(group !== '' && { apiVersion: 'v1' }),
    groupVersion: apiVersionOf(first),
    resources: byPlural(found).flatMap(listedResources),
  });
}

const byPlural = (types: readonly ResourceType[]): readonly ResourceType[] =>
  types.toSorted((one, other) => (one.plural < other.plural ? -1 : 1));

const isNamespace = ({ group, plural }: ResourceType): boolean =>
  group === '' && plural === 'namespaces';

/** Reviews are asked, and not kept; namespaces go one by one. */
function verbsOf(type: ResourceType): readonly string[] {
  if (type.answer !== undefined) return ['create'];
  return isNamespace(type) ? objectVerbs.filter((it) => it !== 'deletecollection') : objectVerbs;
}

interface Part {
  readonly name: string;
  readonly verbs: readonly string[];
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
}

function partsOf(type: ResourceType): readonly Part[] {
  const own = { group: type.group, version: type.version, kind: type.kind };
  const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  return [
    ...(isNamespace(type) ? [{ name: 'finalize', kind: own, verbs: ['update'] }] : []),
    ...(type.scale === undefined ? [] : [{ name: 'scale', kind: scale, verbs: partVerbs }]),
    ...(type.hasStatus ? [{ name: 'status', kind: own, verbs: partVerbs }] : []),
  ];
}

function listedResources(type: ResourceType): readonly Json[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = type;
  const resource = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(type),
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
  const parts = partsOf(type).map(({ name, kind: part, verbs }) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(name === 'scale' && { group: part.group, version: part.version }),
    kind: part.kind,
    verbs,
  }));
  return [resource, ...parts];
}

function aggregatedDocument(types: readonly ResourceType[], isCore: boolean): ApiDocument {
  const groups = isCore ? [''] : groupsOf(types);
  const body: Json = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: isCore ? {} : { name: group },
      versions: versionsOf(types, group).map((version) => ({
        version,
        resources: byPlural(types.filter((it) => it.group === group && it.version === version)).map(
          discoveredResource,
        ),
        freshness: 'Current',
      })),
    })),
  };
  return { contentType: aggregated, body: JSON.stringify(body) };
}

function discoveredResource(type: ResourceType): Json {
  const { group, version, kind, plural, singular, shortNames, categories, namespaced } = type;
  const parts = partsOf(type).map((part) => ({
    subresource: part.name,
    responseKind: part.kind,
    verbs: part.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(type),
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(parts.length > 0 && { subresources: parts }),
  };
}
