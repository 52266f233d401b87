/** Where a Service leads: v1 Endpoints and discovery.k8s.io/v1 EndpointSlice. */
import type { KubeObject } from '../../api/kubernetes.ts';
import { age, column, shownSome } from './columns.ts';
import { each, fill, inside } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { validateEndpoints, validateEndpointSlice } from './networking-validation.ts';

interface Endpoints extends KubeObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip?: string }[];
    readonly ports?: readonly { readonly port?: number }[];
  }[];
}

interface EndpointSlice extends KubeObject {
  readonly addressType?: string;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?: readonly { readonly addresses?: readonly string[] }[] | null;
}

const shownMax = 3;

function subsetsText({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    const ips = addresses.map(({ ip = '' }) => ip);
    if (ports.length === 0) return ips;
    return ports.flatMap(({ port = 0 }) => ips.map((ip) => hostAndPort(ip, port)));
  });
  if (all.length === 0) return subsets.length === 0 ? '<none>' : '';
  return shownSome(all, shownMax);
}

const hostAndPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

const orUnset = (texts: readonly string[]): string =>
  texts.length === 0 ? '<unset>' : shownSome(texts, shownMax);

const endpoints: Kind = {
  definition: 'io.k8s.api.core.v1.Endpoints',
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  validate: validateEndpoints,
  shortNames: ['ep'],
  columns: [column<Endpoints>('Endpoints', subsetsText), age],
  defaults: { subsets: each(inside({ ports: each(inside({ protocol: fill('TCP') })) })) },
};

const endpointSlice: Kind = {
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  validate: validateEndpointSlice,
  hasGeneration: true,
  columns: [
    column<EndpointSlice>('AddressType', ({ addressType }) => addressType ?? ''),
    column<EndpointSlice>('Ports', ({ ports }) =>
      orUnset((ports ?? []).map(({ name, port }) => String(port ?? name ?? '*'))),
    ),
    column<EndpointSlice>('Endpoints', ({ endpoints }) =>
      orUnset((endpoints ?? []).flatMap(({ addresses = [] }) => addresses)),
    ),
    age,
  ],
  defaults: { ports: each(inside({ name: fill(''), protocol: fill('TCP') })) },
};

export const endpointKinds = (): readonly Kind[] => [endpoints, endpointSlice];
