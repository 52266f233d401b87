/**
 * AdmissionReviews as an API server sends them, and what is in memory when they come: Deployment
 * podinfo, which its Canary has taken over, and whose primary runs the revision before the change.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import jsonpatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import type { Lookup } from '../../src/admission/mutate.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';
import { answerReview, parseReview } from '../../src/admission/review.ts';
import type { Canary, CanarySpec, CanaryStatus } from '../../src/api/canary.ts';
import type { ConfigMap, Deployment, KubeObject, Secret } from '../../src/api/kubernetes.ts';
import { hashTemplate } from '../../src/revision/hash.ts';

export type ReviewName =
  | 'set-image'
  | 'set-image-dry-run'
  | 'apply-replicas'
  | 'rollout-restart'
  | 'create'
  | 'delete'
  | 'canary-create'
  | 'canary-update'
  | 'canary-delete';

/** The body as it came. */
export function readReview(name: ReviewName): { readonly request: { readonly uid: string } } {
  const path = new URL(`reviews/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as { readonly request: { readonly uid: string } };
}

export function readRequest(name: ReviewName): AdmissionRequest {
  const parsed = parseReview(readReview(name));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.request;
}

export const before = readRequest('set-image').oldObject as Deployment;
export const after = readRequest('set-image').object as Deployment;

/** Hashes of the revision that the primary runs, and of the one that `set-image` brings. */
export const promotedHash = hashTemplate(before.spec.template);
export const changedHash = hashTemplate(after.spec.template);

export interface CanaryParts {
  readonly spec?: Partial<CanarySpec>;
  readonly status?: Partial<CanaryStatus>;
}

export function podinfoCanary({ spec, status }: CanaryParts = {}): Canary {
  const { object } = readRequest('canary-create');
  const canary = object as Canary;
  return {
    ...canary,
    spec: { ...canary.spec, ...spec },
    status: {
      phase: 'Initialized',
      failedChecks: 0,
      canaryWeight: 0,
      iterations: 0,
      lastAppliedSpec: promotedHash,
      lastPromotedSpec: promotedHash,
      ...status,
    },
  };
}

export function lookupOf(
  canary: Canary | undefined,
  configs: readonly (ConfigMap | Secret)[] = [],
): Lookup {
  return {
    configTracking: true,
    isKnownGood: () => false,
    canaryOf: (namespace, target) =>
      namespace === 'test' && isDeepStrictEqual(target, canary?.spec.targetRef)
        ? canary
        : undefined,
    config: (kind, _, name) =>
      configs.find((config) => config.kind === kind && config.metadata.name === name),
  };
}

export interface DeploymentParts {
  readonly replicas?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly template?: Partial<Deployment['spec']['template']>;
}

/** A Deployment with some of it changed. */
export function withParts(deployment: Deployment, parts: DeploymentParts): Deployment {
  const { metadata, spec } = deployment;
  return {
    ...deployment,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...parts.annotations } },
    spec: {
      ...spec,
      ...(parts.replicas === undefined ? {} : { replicas: parts.replicas }),
      template: { ...spec.template, ...parts.template },
    },
  };
}

/** What is stored: the object with the patch that an API server applies. */
export function stored(request: AdmissionRequest, wanted: KubeObject | undefined): Deployment {
  const answer = wanted === undefined ? { warnings: [] } : { warnings: [], wanted };
  const { response } = answerReview(request.uid, request.object, answer);
  const object = structuredClone(request.object) as Deployment;
  return 'patch' in response ? patched(object, response.patch ?? '') : object;
}

export function patchOf(base64: string): Operation[] {
  return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as Operation[];
}

export function patched(object: Deployment, base64: string): Deployment {
  return jsonpatch.applyPatch(structuredClone(object), patchOf(base64), true).newDocument;
}
