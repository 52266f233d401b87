/** The target of this folder's tests, its Canary, and the objects that are expected of them. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Canary, CanarySpec } from '../../src/api/canary.ts';
import type { Deployment } from '../../src/api/kubernetes.ts';
import type { PrimaryOptions } from '../../src/targets/primary.ts';

/** A file of expectations; the caller knows what it holds. */
export function golden(name: string): unknown {
  const path = new URL(`../golden/targets/${name}.yaml`, import.meta.url);
  return parse(readFileSync(path, 'utf8'), { merge: true });
}

export const target = golden('podinfo') as Deployment;

export const canaryWith = (spec: Partial<CanarySpec> = {}): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { name: 'podinfo', namespace: 'test', uid: 'c0000000-0000-4000-8000-000000000001' },
  spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' }, ...spec },
});

export const selector = { label: 'app', value: 'podinfo' };

export const primaryOptions: PrimaryOptions<Deployment> = {
  canary: canaryWith(),
  target,
  selector,
  copied: [
    { kind: 'ConfigMap', name: 'podinfo-config' },
    { kind: 'Secret', name: 'podinfo-secret' },
  ],
  selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
  includeLabelPrefix: 'app.kubernetes.io',
  uuid: '22222222-2222-4222-8222-222222222222',
  revision: '0123456789',
};

export const resized = (deployment: Deployment, replicas: number): Deployment => ({
  ...deployment,
  spec: { ...deployment.spec, replicas },
});
