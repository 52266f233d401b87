/**
 * The application that the demo releases: its objects as a user would apply them, and how each of
 * its revisions behaves. There is no code behind the images; what the traffic meets is read from
 * the tag and from the configuration that the side's pods refer to.
 */
import type { Canary } from '../../api/canary.ts';
import { canaryApiVersion } from '../../api/canary.ts';
import type { ConfigMap, Deployment, KubeObject } from '../../api/kubernetes.ts';
import type { Behaviour } from './traffic.ts';

export const sample = {
  namespace: 'demo',
  name: 'sample',
  primary: 'sample-primary',
  container: 'app',
  config: 'sample-config',
  primaryConfig: 'sample-config-primary',
  repository: 'aviary/sample',
} as const;

const { namespace, name, container, config } = sample;

export const firstImage = `${sample.repository}:1.0.0`;

export const namespaceObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace },
};

export const configObject: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: config, namespace },
  data: { greeting: 'hello', failPercent: '0' },
};

const labels = { app: name };

export const deploymentObject: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: container,
            image: firstImage,
            ports: [{ name: 'http', containerPort: 8080 }],
            envFrom: [{ configMapRef: { name: config } }],
          },
        ],
      },
    },
  },
};

export const canaryObject: Canary = {
  apiVersion: canaryApiVersion,
  kind: 'Canary',
  metadata: { name, namespace },
  spec: {
    provider: 'istio',
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    progressDeadlineSeconds: 60,
    service: { port: 80, targetPort: 'http' },
    analysis: {
      interval: '10s',
      threshold: 2,
      stepWeight: 10,
      maxWeight: 50,
      metrics: [
        { name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '10s' },
        { name: 'request-duration', thresholdRange: { max: 500 }, interval: '10s' },
      ],
    },
  },
};

/** `1.0.0` of `aviary/sample:1.0.0`. */
export function tagOf({ spec }: Deployment): string {
  const image = spec.template.spec.containers[0]?.image ?? '';
  return /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
}

const healthy: Behaviour = { failureRatio: 0, latencyMs: 25 };

/** A tag with `bad` in it fails 30 % of its requests, one with `slow` takes its time. */
export function behaviourOf(deployment: Deployment, config: ConfigMap | undefined): Behaviour {
  const tag = tagOf(deployment);
  const configured = Number(config?.data?.['failPercent'] ?? 0);
  const failPercent = Number.isFinite(configured) ? Math.min(Math.max(configured, 0), 100) : 100;
  const ratio = tag.includes('bad') ? 0.3 : 0;
  return {
    failureRatio: Math.max(ratio, failPercent / 100),
    latencyMs: tag.includes('slow') ? 400 : healthy.latencyMs,
  };
}
