/**
 * A canary as the reference leaves it (`spec/01`, 1.8, 3.2, 3.9; `spec/02`, 2.3, 2.4, 4.5, 6.1): its
 * objects at a phase, without a field of ours, written before our controller starts.
 */
import type { Canary, CanaryStatus, Phase } from '../../src/api/canary.ts';
import type {
  Condition,
  ConfigMap,
  Deployment,
  KubeObject,
  Service,
} from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import {
  canaries,
  configMaps,
  deployments,
  destinationRules,
  services,
  virtualServices,
} from '../../src/kube/resources.ts';
import { referenceHash } from '../../src/revision/reference-hash.ts';
import { key, target, withImage } from './stage.ts';

export interface Left {
  readonly canary: Canary;
  readonly phase: Phase;
  /** Images of the target and of the primary. */
  readonly images: { readonly target: string; readonly primary: string };
  /** Of the target; the primary has one. */
  readonly replicas: number;
  /** Percent of traffic on the canary, in the VirtualService. */
  readonly routed: number;
  /** `routed` is what those get who match (`spec/02`, 6.1: AB); the others stay on the primary. */
  readonly matched?: boolean;
  /** The pods have the ConfigMap `settings` (`color: red`), the primary's have its copy. */
  readonly configured?: boolean;
  /** Which images the status takes for applied and for promoted. */
  readonly applied: string;
  readonly promoted: string;
  readonly status?: Partial<CanaryStatus>;
  /** The hashes are those of another version of its Kubernetes library. */
  readonly isOtherVersion?: boolean;
  /** The apex Service was there before the canary, and belongs to nobody. */
  readonly hasOwnService?: boolean;
}

const flux = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
};

/** Longer ago than any interval. */
const longAgo = '2025-12-31T23:00:00Z';

const promotedCondition: Readonly<Record<string, Pick<Condition, 'status' | 'message'>>> = {
  Initializing: {
    status: 'Unknown',
    message: 'New Deployment detected, starting initialization.',
  },
  Initialized: { status: 'True', message: 'Deployment initialization completed.' },
  Waiting: { status: 'Unknown', message: 'Waiting for approval.' },
  WaitingPromotion: { status: 'Unknown', message: 'Waiting for approval.' },
  Progressing: {
    status: 'Unknown',
    message: 'New revision detected, progressing canary analysis.',
  },
  Promoting: {
    status: 'Unknown',
    message: 'Canary analysis completed, starting primary rolling update.',
  },
  Finalising: {
    status: 'Unknown',
    message: 'Canary analysis completed, routing all traffic to primary.',
  },
  Succeeded: {
    status: 'True',
    message: 'Canary analysis completed successfully, promotion finished.',
  },
  Failed: { status: 'False', message: 'Canary analysis failed, Deployment scaled to zero.' },
};

export async function leave(api: ControllerApi, left: Left): Promise<void> {
  const { phase, images, applied, promoted, isOtherVersion = false } = left;
  const canary = await api.create(canaries, left.canary);
  const owner = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    name: canary.metadata.name,
    uid: canary.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
  const template = (image: string, settings = 'settings') =>
    left.configured === true
      ? withSettings(image, settings)
      : withImage(target.spec.template, image);
  if (left.configured === true) {
    await api.create(configMaps, settingsOf('settings'));
    await api.create(configMaps, settingsOf('settings-primary', owner));
  }
  const spec = { ...target.spec, replicas: left.replicas, template: template(images.target) };
  const stored = await api.create(deployments, { ...target, spec });
  await api.create(deployments, primaryOf(template(images.primary, 'settings-primary'), owner));
  for (const role of ['', '-primary', '-canary'] as const) {
    const isOwn = role === '' && left.hasOwnService === true;
    await api.create(services, serviceOf(role, isOwn ? undefined : owner));
  }
  for (const object of routesOf(left, owner)) {
    const resource = object.kind === 'VirtualService' ? virtualServices : destinationRules;
    await api.create(resource, object as never);
  }
  const hashOf = (image: string): string => {
    const hash = referenceHash(withImage(stored.spec.template, image));
    return isOtherVersion ? `2${hash.slice(0, -1)}` : hash;
  };
  const condition = {
    type: 'Promoted',
    ...promotedCondition[phase],
    reason: phase,
    lastUpdateTime: longAgo,
    lastTransitionTime: longAgo,
  };
  const status = {
    phase,
    failedChecks: 0,
    canaryWeight: 0,
    iterations: 0,
    ...(applied === '' ? {} : { lastAppliedSpec: hashOf(applied) }),
    ...(promoted === '' ? {} : { lastPromotedSpec: hashOf(promoted) }),
    trackedConfigs: left.configured === true ? { 'configmap/settings': redChecksum } : {},
    lastTransitionTime: longAgo,
    conditions: [condition],
    ...left.status,
  } as CanaryStatus;
  await api.update(canaries, { ...canary, status }, 'status');
}

/** The vector of `spec/01`, 3.11. */
const redChecksum = '241889ca0604e333';

const settingsOf = (name: string, owner?: Owner): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...key, name, ...(owner && { ownerReferences: [owner] }) },
  data: { color: 'red' },
});

function withSettings(image: string, name: string): Deployment['spec']['template'] {
  const { metadata, spec } = withImage(target.spec.template, image);
  const envFrom = [{ configMapRef: { name } }];
  const containers = spec.containers.map((it) => ({ ...it, envFrom }));
  return { ...(metadata && { metadata }), spec: { ...spec, containers } };
}

type Owner = NonNullable<KubeObject['metadata']['ownerReferences']>[number];

function primaryOf(template: Deployment['spec']['template'], owner: Owner): Deployment {
  const labels = { app: 'web-primary' };
  const annotations = { 'flagger-id': '9f3c3c3e-6a33-4c62-9a0c-0f6fb2ee6c4e' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...key, name: 'web-primary', labels, ownerReferences: [owner] },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { labels, annotations } },
    },
  };
}

function serviceOf(role: '' | '-primary' | '-canary', owner: Owner | undefined): Service {
  const name = `web${role}`;
  const selector = { app: role === '-canary' ? 'web' : 'web-primary' };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...key,
      name,
      annotations: flux,
      ...(owner === undefined ? {} : { labels: { app: name }, ownerReferences: [owner] }),
    },
    spec: {
      type: 'ClusterIP',
      selector,
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }],
    },
  };
}

function routesOf(
  { routed, matched = false, canary }: Left,
  owner: Owner,
): readonly (KubeObject & { spec: object })[] {
  const apiVersion = 'networking.istio.io/v1beta1';
  const rule = (host: string) => ({
    apiVersion,
    kind: 'DestinationRule',
    metadata: { ...key, name: host, ownerReferences: [owner] },
    spec: { host },
  });
  const destination = (host: string, weight: number) => ({ destination: { host }, weight });
  const route = [destination('web-primary', 100 - routed), destination('web-canary', routed)];
  const { match } = canary.spec.analysis ?? {};
  const rest = { route: [destination('web-primary', 100 - routed)] };
  const http = matched ? [{ match, route }, rest] : [{ route }];
  return [
    rule('web-canary'),
    rule('web-primary'),
    {
      apiVersion,
      kind: 'VirtualService',
      metadata: { ...key, annotations: flux, ownerReferences: [owner] },
      spec: { hosts: ['web'], gateways: ['mesh'], http },
    },
  ];
}
