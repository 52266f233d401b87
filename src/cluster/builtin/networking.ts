/** Kinds of networking.k8s.io/v1. Rules: Kubernetes, `pkg/apis/networking/v1/defaults.go`. */
import type { Json, KubeObject } from '../../api/kubernetes.ts';
import { age, column, shownSelector } from './columns.ts';
import { each, fill, inside, isList } from './defaulting.ts';
import type { Rule } from './defaulting.ts';
import type { Kind } from './kind.ts';
import {
  validateIngress,
  validateIngressClass,
  validateNetworkPolicy,
} from './networking-validation.ts';

interface Ingress extends KubeObject {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly rules?: readonly { readonly host?: string }[];
    readonly tls?: readonly object[];
  };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

interface IngressClass extends KubeObject {
  readonly spec?: {
    readonly controller?: string;
    readonly parameters?: {
      readonly apiGroup?: string;
      readonly kind?: string;
      readonly name?: string;
    };
  };
}

interface NetworkPolicy extends KubeObject {
  readonly spec?: { readonly podSelector?: object };
}

const hostsShownMax = 3;

function hostsOf({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts = rules.flatMap(({ host = '' }) => (host === '' ? [] : [host]));
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, hostsShownMax).join(',');
  return hosts.length >= hostsShownMax && rules.length > hostsShownMax
    ? `${shown} + ${rules.length - hostsShownMax} more...`
    : shown;
}

function addressesOf({ status }: Ingress): string {
  const found = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '', hostname = '' }) => {
    const address = ip === '' ? hostname : ip;
    return address === '' ? [] : [address];
  });
  return [...new Set(found)].toSorted().join(',');
}

function parametersOf({ spec }: IngressClass): string {
  if (spec?.parameters === undefined) return '<none>';
  const { apiGroup, kind = '', name = '' } = spec.parameters;
  return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`;
}

const networking = { group: 'networking.k8s.io', version: 'v1' } as const;
const definition = (kind: string): string => `io.k8s.api.networking.v1.${kind}`;

const ingress: Kind = {
  ...networking,
  definition: definition('Ingress'),
  kind: 'Ingress',
  plural: 'ingresses',
  validate: validateIngress,
  shortNames: ['ing'],
  hasStatus: true,
  columns: [
    column<Ingress>('Class', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    column<Ingress>('Hosts', hostsOf),
    column<Ingress>('Address', addressesOf),
    column<Ingress>('Ports', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    age,
  ],
};

const isDefaultClass = 'ingressclass.kubernetes.io/is-default-class';

const ingressClass: Kind = {
  ...networking,
  definition: definition('IngressClass'),
  kind: 'IngressClass',
  plural: 'ingressclasses',
  validate: validateIngressClass,
  namespaced: false,
  hasGeneration: true,
  columns: [
    column<IngressClass>(
      'Name',
      ({ metadata: { name, annotations } }) =>
        annotations?.[isDefaultClass] === 'true' ? `${name} (default)` : name,
      { format: 'name' },
    ),
    column<IngressClass>('Controller', ({ spec }) => spec?.controller ?? ''),
    column<IngressClass>('Parameters', parametersOf),
    age,
  ],
  defaults: { spec: inside({ parameters: inside({ scope: fill('Cluster') }) }) },
};

const ports = inside({ ports: each(inside({ protocol: fill('TCP') })) });

const policyTypes: Rule = (value, { egress }) => {
  if (isList(value) && value.length > 0) return value;
  const types: Json = ['Ingress'];
  return isList(egress) && egress.length > 0 ? [...types, 'Egress'] : types;
};

const networkPolicy: Kind = {
  ...networking,
  definition: definition('NetworkPolicy'),
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  validate: validateNetworkPolicy,
  shortNames: ['netpol'],
  hasGeneration: true,
  columns: [
    column<NetworkPolicy>('Pod-Selector', ({ spec }) => shownSelector(spec?.podSelector)),
    age,
  ],
  defaults: {
    spec: inside({ ingress: each(ports), egress: each(ports), policyTypes }),
  },
};

export const networkingKinds = (): readonly Kind[] => [ingress, ingressClass, networkPolicy];
