/** A namespace with admission webhooks that are asked about nothing but what is in it. */
import assert from 'node:assert/strict';
import { textAt } from './match.ts';
import { configMap, configMaps } from './paths.ts';
import type { Ground } from './site.ts';
import type { Review, Verdict, WebhookServer } from './webhook-server.ts';

const api = '/apis/admissionregistration.k8s.io/v1';
export const collections = {
  Mutating: `${api}/mutatingwebhookconfigurations`,
  Validating: `${api}/validatingwebhookconfigurations`,
};

interface Hook {
  readonly kind?: keyof typeof collections;
  readonly answer: (review: Review) => Verdict;
  /** Over what is registered otherwise. */
  readonly webhook?: object;
}

export interface Stage {
  readonly ground: Ground;
  readonly namespace: string;
  /** ConfigMaps in it, for which the webhooks are asked. */
  readonly path: string;
  readonly server: WebhookServer;
  /** Resolves when the API server asks it. Answers its name in messages. */
  readonly register: (hook: Hook) => Promise<string>;
}

/** A namespace with webhooks of its own. All are gone at the end. */
export async function staged(ground: Ground, play: (stage: Stage) => Promise<void>): Promise<void> {
  const server = await ground.webhookServer();
  const namespace = await ground.namespace();
  const path = configMaps(namespace);
  const registered: string[] = [];
  const register: Stage['register'] = async ({ kind = 'Mutating', answer, webhook = {} }) => {
    const id = ground.name('hook');
    const name = `${id}.conformance.test`;
    const url = server.urlOf(id, answer);
    const created = await ground.calls.create(collections[kind], {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: id },
      webhooks: [
        {
          name,
          clientConfig: { url, caBundle: server.caBundle },
          rules: [rule('', 'configmaps', ['CREATE', 'UPDATE', 'DELETE'])],
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 5,
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          ...webhook,
        },
      ],
    });
    assert.equal(created.code, 201, textAt(created.body, 'message'));
    registered.push(`${collections[kind]}/${id}`);
    await ground.until(`${id} is asked`, async () => {
      const { code } = await ground.calls.create(path, configMap('probe'), { dryRun: 'All' });
      return server.reviewsOf(id).length > 0 || code >= 500;
    });
    return name;
  };
  try {
    await play({ ground, namespace, path, server, register });
  } finally {
    for (const path of registered) await ground.calls.delete(path);
  }
}

export const rule = (group: string, resource: string, operations: readonly string[]): object => ({
  operations,
  apiGroups: [group],
  apiVersions: ['v1'],
  resources: [resource],
});

export const allow = (): Verdict => ({ allowed: true });
export const adding = (key: string, value: string) => (): Verdict => ({
  allowed: true,
  patch: [{ op: 'add', path: '/data', value: { [key]: value } }],
});
export const nameIn = (review: Review): string => textAt(review, 'name');
/** The reviews about what the test did; not of its registration, nor of what each namespace gets. */
export const seriousOf = (reviews: readonly Review[]): readonly Review[] =>
  reviews.filter((review) => !['probe', 'kube-root-ca.crt'].includes(nameIn(review)));
export const idOf = (name: string): string => name.split('.')[0] ?? '';
