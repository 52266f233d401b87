/**
 * How API servers know of the webhooks: the two configurations, rendered here for the manifests and
 * for the process that runs outside of a cluster, and kept up to date with the CA that is served.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import {
  approveAnnotation,
  canaryAnnotation,
  decisionsAnnotation,
  rejectAnnotation,
} from '../api/annotations.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { OpenObject, Resource } from '../kube/resources.ts';
import {
  canaries,
  daemonSets,
  deployments,
  knativeServices,
  mutatingWebhookConfigurations,
  services,
  validatingWebhookConfigurations,
} from '../kube/resources.ts';

export type WebhookAddress =
  | {
      readonly kind: 'Service';
      readonly namespace: string;
      readonly name: string;
      readonly port: number;
    }
  /** `https://HOST:PORT`, without a path. */
  | { readonly kind: 'Url'; readonly url: string };

export const configurationName = 'aviary';

/** Mutating webhooks run one after the other and share about 30 s with the request itself. */
const timeoutSeconds = 2;

const carries = (object: string, annotation = canaryAnnotation): string =>
  `(${object} != null && has(${object}.metadata.annotations) && ` +
  `'${annotation}' in ${object}.metadata.annotations)`;

/** Only what a Canary has taken over, and only what changes its revision, its size or its traffic. */
const targets = [
  {
    resource: deployments,
    name: 'template-or-replicas-change',
    change:
      'object.spec.template != oldObject.spec.template || ' +
      'object.spec.replicas != oldObject.spec.replicas',
  },
  {
    resource: daemonSets,
    name: 'template-change',
    change: 'object.spec.template != oldObject.spec.template',
  },
  { resource: services, name: 'spec-change', change: 'object.spec != oldObject.spec' },
  {
    resource: knativeServices,
    name: 'spec-change',
    change: 'object.spec != oldObject.spec',
  },
];

/** Only what is about gates: commands, and whatever somebody writes about decisions. */
const decisionIn = (object: string): string =>
  `${object}.metadata.annotations['${decisionsAnnotation}']`;
const gateConditions = [
  {
    name: 'about-gates',
    expression: [
      carries('object', approveAnnotation),
      carries('object', rejectAnnotation),
      `${carries('object', decisionsAnnotation)} != ${carries('oldObject', decisionsAnnotation)}`,
      `(${carries('object', decisionsAnnotation)} && ${carries('oldObject', decisionsAnnotation)} && ` +
        `${decisionIn('object')} != ${decisionIn('oldObject')})`,
    ].join(' || '),
  },
];

/** Our own writes scale targets; they are what admission would otherwise hold on to. */
const notOurselves = (user: string) => ({
  name: 'not-aviary',
  expression: `request.userInfo.username != ${JSON.stringify(user)}`,
});

export interface RegistrationOptions {
  readonly address: WebhookAddress;
  /** User name of the controller to the API server: its own writes are not sent. */
  readonly user: string;
  /** The one namespace that the controller watches; all where absent or empty. */
  readonly namespace?: string;
  /** PEM; manifests have none. */
  readonly caBundle?: string;
}

export function renderMutatingConfiguration(options: RegistrationOptions): OpenObject {
  const address = clientConfig(options, '/mutate');
  return configuration(
    'MutatingWebhookConfiguration',
    ...targets.map(({ resource, name, change }) => ({
      name: `${resource === knativeServices ? 'knative-' : ''}${resource.plural}.aviary.dev`,
      clientConfig: address,
      rules: [rule(resource)],
      matchConditions: [
        { name: 'taken-over', expression: `${carries('object')} || ${carries('oldObject')}` },
        { name, expression: `oldObject == null || ${change}` },
        notOurselves(options.user),
      ],
      reinvocationPolicy: 'IfNeeded',
      sideEffects: 'NoneOnDryRun',
      ...common(options),
    })),
    {
      name: 'gates.aviary.dev',
      clientConfig: address,
      rules: [rule(canaries)],
      matchConditions: [...gateConditions, notOurselves(options.user)],
      // A second call could not tell what the first one wrote from what somebody forged.
      reinvocationPolicy: 'Never',
      sideEffects: 'NoneOnDryRun',
      ...common(options),
    },
  );
}

export function renderValidatingConfiguration(options: RegistrationOptions): OpenObject {
  return configuration('ValidatingWebhookConfiguration', {
    name: 'canaries.aviary.dev',
    clientConfig: clientConfig(options, '/validate'),
    rules: [rule(canaries, ['CREATE', 'UPDATE', 'DELETE'])],
    sideEffects: 'None',
    ...common(options),
  });
}

/** A webhook of ours never stands between users and their cluster: it fails open. */
const common = ({ namespace = '' }: RegistrationOptions) => ({
  admissionReviewVersions: ['v1'],
  failurePolicy: 'Ignore',
  matchPolicy: 'Equivalent',
  // What is not watched is not in memory, and would be taken for what is gone.
  namespaceSelector:
    namespace === '' ? {} : { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  timeoutSeconds,
});

const configuration = (kind: string, ...webhooks: readonly object[]): OpenObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: configurationName, labels: { 'app.kubernetes.io/name': 'aviary' } },
  webhooks,
});

const rule = (
  { group, version, plural }: Resource<KubeObject>,
  operations: readonly string[] = ['CREATE', 'UPDATE'],
) => ({
  apiGroups: [group],
  apiVersions: [version],
  resources: [plural],
  operations,
  scope: 'Namespaced',
});

function clientConfig({ address, caBundle }: RegistrationOptions, path: string): object {
  const trusted =
    caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') };
  if (address.kind === 'Url')
    return { url: `${address.url.replace(/\/$/, '')}${path}`, ...trusted };
  const { namespace, name, port } = address;
  return { service: { namespace, name, path, port }, ...trusted };
}

/** Two replicas that start together write after each other; the second finds nothing to do. */
const triesMax = 5;

/**
 * Makes both configurations say what they must; writes nothing where they do. What others have added
 * to a webhook of ours stays until something else of it must change.
 */
export async function ensureRegistration(
  kube: Pick<KubeClient, 'get' | 'create' | 'patch'>,
  options: RegistrationOptions,
  signal: AbortSignal,
): Promise<void> {
  const mutating = renderMutatingConfiguration(options);
  await ensure(kube, mutatingWebhookConfigurations, mutating, signal);
  const validating = renderValidatingConfiguration(options);
  await ensure(kube, validatingWebhookConfigurations, validating, signal);
}

async function ensure(
  kube: Pick<KubeClient, 'get' | 'create' | 'patch'>,
  resource: Resource<OpenObject>,
  wanted: OpenObject,
  signal: AbortSignal,
): Promise<void> {
  const key = { namespace: '', name: configurationName };
  for (let tries = 1; ; tries += 1) {
    try {
      const found = await kube.get(resource, key, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (found === undefined) await kube.create(resource, wanted, { signal });
      else if (!says(found, wanted)) {
        const { resourceVersion } = found.metadata;
        const body = { metadata: { resourceVersion }, webhooks: wanted['webhooks'] };
        await kube.patch(resource, key, { type: 'merge', body }, { signal });
      }
      return;
    } catch (error) {
      // Another replica was faster, or somebody deleted it in between: look again.
      const raced = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
      if (!raced || tries === triesMax) throw error;
    }
  }
}

/** Whether every field that we want is there; the API server adds defaults of its own. */
function says(found: KubeObject, wanted: OpenObject): boolean {
  return includes((found as OpenObject)['webhooks'], wanted['webhooks']);
}

function includes(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(found) &&
      found.length === wanted.length &&
      wanted.every((item, index) => includes(found[index], item))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...found };
  // An empty selector is all; one that says something is not.
  if (Object.keys(wanted).length === 0) return Object.keys(fields).length === 0;
  return Object.entries(wanted).every(([key, item]) => includes(fields[key], item));
}
