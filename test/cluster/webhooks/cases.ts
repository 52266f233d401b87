/**
 * What is asked of an API server to learn how it treats admission webhooks. Each case has webhooks
 * of its own, told apart by a label on the object. `record.ts` writes down the answers, and the tests
 * replay them.
 */
import type { Webhook } from '../../../src/cluster/webhook-configuration.ts';

/** What a webhook does when it is asked. */
export type Script =
  | {
      readonly kind: 'allow';
      readonly warnings?: readonly string[];
      readonly patch?: readonly object[];
    }
  | { readonly kind: 'deny'; readonly status?: object }
  /** A response as it is, with the request's uid. */
  | { readonly kind: 'respond'; readonly response: object }
  | { readonly kind: 'reply'; readonly code: number; readonly text: string }
  | { readonly kind: 'wrong-uid' }
  | { readonly kind: 'wrong-version' }
  | { readonly kind: 'never' }
  /** Nobody listens. */
  | { readonly kind: 'closed' };

export interface WebhookCase {
  /** By name; the script is what it does. */
  readonly mutating?: Readonly<Record<string, Hook>>;
  readonly validating?: Readonly<Record<string, Hook>>;
  readonly write?: Write;
}

export interface Hook extends Partial<Omit<Webhook, 'name' | 'clientConfig' | 'rules'>> {
  readonly does: Script;
  readonly rule?: object;
}

export interface Write {
  /** Default: create. */
  readonly verb: 'create' | 'update' | 'delete' | 'scale';
  readonly kind?: 'ConfigMap' | 'Deployment';
  readonly dryRun?: boolean;
  readonly namespace?: string;
}

/** Webhooks that want to see everything that is written of the two kinds. */
export const anything = {
  operations: ['*'],
  apiGroups: ['', 'apps'],
  apiVersions: ['*'],
  resources: ['configmaps', 'deployments', 'deployments/*'],
} as const;

/** Beside `default`, with a label. */
export const namespaceLabels = { tier: 'gold' } as const;
export const otherNamespace = 'gilded';

/** Stands for the name of the object of the case. */
const nameHere = '$NAME';

const allow: Script = { kind: 'allow' };
const refuse: Script = { kind: 'deny', status: { message: 'no' } };
const add = (path: string, value: unknown): Script => ({
  kind: 'allow',
  patch: [{ op: 'add', path, value }],
});
const validating = (does: Script, more: Omit<Hook, 'does'> = {}): WebhookCase => ({
  validating: { 'judge.test.io': { does, ...more } },
});
const mutating = (does: Script, more: Omit<Hook, 'does'> = {}): WebhookCase => ({
  mutating: { 'change.test.io': { does, ...more } },
});
const when = (expression: string): Omit<Hook, 'does'> => ({
  matchConditions: [{ name: 'when', expression }],
});
const rule = (changes: object): Omit<Hook, 'does'> => ({ rule: { ...anything, ...changes } });
/** A scale has no labels to be told apart by. */
const ownScale: Omit<Hook, 'does'> = {
  objectSelector: {},
  matchConditions: [{ name: 'own', expression: `object.metadata.name == '${nameHere}'` }],
};
const dryRun: Write = { verb: 'create', dryRun: true };

export const cases: Readonly<Record<string, WebhookCase>> = {
  'an object is allowed': validating(allow),
  'a refusal with a message': validating(refuse),
  'a refusal with a reason': validating({ kind: 'deny', status: { reason: 'Forbidden' } }),
  'a refusal with a code': validating({
    kind: 'deny',
    status: {
      code: 403,
      reason: 'Forbidden',
      message: 'not you',
      details: { causes: [{ field: 'a', message: 'b' }] },
    },
  }),
  'a refusal with a code of success': validating({
    kind: 'deny',
    status: { code: 200, message: 'ok?' },
  }),
  'a refusal without explanation': validating({ kind: 'deny' }),
  'a refusal by a mutating webhook': mutating(refuse),
  'a warning': validating({ kind: 'allow', warnings: ['beware', 'of this'] }),
  'a warning with a refusal': validating({
    kind: 'respond',
    response: { allowed: false, warnings: ['told you'], status: { message: 'no' } },
  }),
  'a patch': mutating(add('/data', { a: 'b' })),
  'a patch of nothing': mutating({ kind: 'allow', patch: [] }),
  'a patch that does not apply': mutating({
    kind: 'allow',
    patch: [{ op: 'remove', path: '/data/none' }],
  }),
  'a patch without its type': mutating({
    kind: 'respond',
    response: { allowed: true, patch: Buffer.from('[]').toString('base64') },
  }),
  'a type without a patch': mutating({
    kind: 'respond',
    response: { allowed: true, patchType: 'JSONPatch' },
  }),
  'a patch of another type': mutating({
    kind: 'respond',
    response: {
      allowed: true,
      patch: Buffer.from('[{"op":"remove","path":"/data"}]').toString('base64'),
      patchType: 'Merge',
    },
  }),
  'a patch by a validating webhook': validating({
    kind: 'respond',
    response: {
      allowed: true,
      patch: Buffer.from('[]').toString('base64'),
      patchType: 'JSONPatch',
    },
  }),
  'a patch of a deletion': {
    ...mutating(add('/data', { a: 'b' })),
    write: { verb: 'delete' },
  },
  'an answer to another question': validating({ kind: 'wrong-uid' }),
  'an answer of another version': validating({ kind: 'wrong-version' }),
  'an answer without a response': validating({
    kind: 'reply',
    code: 200,
    text: '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
  }),
  'a failure of the webhook': validating({ kind: 'reply', code: 500, text: 'it broke' }),
  'no such page': validating({ kind: 'reply', code: 404, text: '404 page not found' }),
  'a status for an answer': validating({
    kind: 'reply',
    code: 503,
    text: JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      message: 'later',
      code: 503,
    }),
  }),
  'no answer in time': validating({ kind: 'never' }, { timeoutSeconds: 1 }),
  'nobody listens': validating({ kind: 'closed' }),
  'nobody listens, and nobody minds': validating({ kind: 'closed' }, { failurePolicy: 'Ignore' }),
  'a failure that is ignored': mutating(
    { kind: 'reply', code: 500, text: 'x' },
    { failurePolicy: 'Ignore' },
  ),
  'a refusal counts, whatever the failure policy': validating(refuse, { failurePolicy: 'Ignore' }),
  'a dry run': { ...validating(refuse, { sideEffects: 'NoneOnDryRun' }), write: dryRun },
  'a condition that holds': validating(refuse, when("object.metadata.name.startsWith('case-')")),
  'a condition that does not hold': validating(refuse, when("object.data.here == 'other'")),
  'a condition about the user': validating(
    refuse,
    when("request.userInfo.username == 'kubernetes-admin'"),
  ),
  'a condition about the request': validating(
    refuse,
    when(
      "request.operation == 'CREATE' && request.resource.resource == 'configmaps' && request.namespace == 'default' && !request.dryRun",
    ),
  ),
  'a condition about an object that was not': validating(refuse, when('oldObject == null')),
  'a condition that stumbles': validating(refuse, when("object.data.none == 'x'")),
  'a condition that stumbles, and nobody minds': validating(refuse, {
    ...when("object.data.none == 'x'"),
    failurePolicy: 'Ignore',
  }),
  'one condition stumbles, another is false': validating(refuse, {
    matchConditions: [
      { name: 'a', expression: "object.data.none == 'x'" },
      { name: 'b', expression: 'false' },
    ],
  }),
  'a condition on annotations that may be absent': validating(
    refuse,
    when("has(object.metadata.annotations) && 'a/b' in object.metadata.annotations"),
  ),
  'a rule for other operations': validating(refuse, rule({ operations: ['UPDATE'] })),
  'a rule for another group': validating(refuse, rule({ apiGroups: ['apps'] })),
  'a rule for another resource': validating(refuse, rule({ resources: ['secrets'] })),
  'a rule for all resources': validating(refuse, rule({ apiGroups: ['*'], resources: ['*'] })),
  'a rule for all parts of the resource': validating(refuse, rule({ resources: ['configmaps/*'] })),
  'a rule for a part of the resource': validating(
    refuse,
    rule({ resources: ['configmaps/status'] }),
  ),
  'a rule for what has no namespace': validating(refuse, rule({ scope: 'Cluster' })),
  'a rule for what has a namespace': validating(refuse, rule({ scope: 'Namespaced' })),
  'a namespace that is not selected': validating(refuse, {
    namespaceSelector: { matchLabels: namespaceLabels },
  }),
  'a namespace that is selected': {
    ...validating(refuse, {
      namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }] },
    }),
    write: { verb: 'create', namespace: otherNamespace },
  },
  'an update': {
    ...validating({ kind: 'allow', warnings: ['seen'] }),
    write: { verb: 'update' },
  },
  'a deletion': { ...validating(refuse), write: { verb: 'delete' } },
  'a scale': {
    ...mutating(
      { kind: 'allow', patch: [{ op: 'replace', path: '/spec/replicas', value: 5 }] },
      { ...rule({ resources: ['deployments/scale'] }), ...ownScale },
    ),
    write: { verb: 'scale', kind: 'Deployment' },
  },
  'a part that no rule names': {
    ...validating(refuse, {
      ...rule({ resources: ['deployments'], operations: ['UPDATE'] }),
      ...ownScale,
    }),
    write: { verb: 'scale', kind: 'Deployment' },
  },
  'a scale has no labels': {
    ...validating(refuse, rule({ resources: ['deployments/scale'] })),
    write: { verb: 'scale', kind: 'Deployment' },
  },
  'two patches, in order of their names': {
    mutating: {
      'b.test.io': { does: { kind: 'allow', patch: [{ op: 'add', path: '/data/b', value: 'x' }] } },
      'a.test.io': {
        does: { kind: 'allow', patch: [{ op: 'add', path: '/data', value: { a: 'x' } }] },
      },
    },
  },
  'the second change wakes the first': {
    mutating: {
      'a.test.io': { does: add('/data/a', 'x'), reinvocationPolicy: 'IfNeeded' },
      'b.test.io': { does: add('/data/b', 'x') },
    },
  },
  'no change wakes nobody': {
    mutating: {
      'a.test.io': { does: add('/data/a', 'x'), reinvocationPolicy: 'IfNeeded' },
      'b.test.io': { does: allow },
    },
  },
  'who does not want to be woken is not': {
    mutating: {
      'a.test.io': { does: add('/data/a', 'x'), reinvocationPolicy: 'Never' },
      'b.test.io': { does: add('/data/b', 'x') },
    },
  },
  'those who judge see what was changed': {
    mutating: { 'a.test.io': { does: add('/data/a', 'changed') } },
    validating: { 'b.test.io': { does: refuse } },
  },
};

/** In the namespace `default` unless the case says otherwise. Holds what every case needs. */
export function objectOf(name: string, { kind = 'ConfigMap', namespace }: Partial<Write>): object {
  const metadata = { name, namespace: namespace ?? 'default', labels: { case: name } };
  if (kind === 'ConfigMap') return { apiVersion: 'v1', kind, metadata, data: { here: 'x' } };
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  };
}

/** The webhooks of a case: named, with the address of each, and only for the object of that case. */
export function webhooksOf(
  hooks: Readonly<Record<string, Hook>> = {},
  { label, urlOf, caBundle }: Place,
): readonly (readonly Webhook[])[] {
  const inCase = (value: object): Partial<Webhook> =>
    JSON.parse(JSON.stringify(value).replaceAll(nameHere, label)) as Partial<Webhook>;
  return Object.entries(hooks).map(([name, { does, rule: wanted, ...settings }]) => [
    {
      name,
      rules: [wanted ?? anything],
      objectSelector: { matchLabels: { case: label } },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 10,
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      ...inCase(settings),
      clientConfig: { url: urlOf(name, does), caBundle },
    },
  ]);
}

export interface Place {
  /** Which objects the webhooks see. */
  readonly label: string;
  readonly urlOf: (name: string, script: Script) => string;
  readonly caBundle: string;
}

/** An AdmissionReview, as the script answers it; undefined where it answers with none. */
export function answerTo(
  script: Script,
  review: { readonly request: { readonly uid: string } },
): object | undefined {
  const { uid } = review.request;
  const reply = (response: object, apiVersion = 'admission.k8s.io/v1'): object => ({
    apiVersion,
    kind: 'AdmissionReview',
    response: { uid, ...response },
  });
  switch (script.kind) {
    case 'allow': {
      const { warnings, patch } = script;
      const text = patch === undefined ? undefined : JSON.stringify(patch);
      return reply({
        allowed: true,
        ...(warnings !== undefined && { warnings }),
        ...(text !== undefined && {
          patch: Buffer.from(text).toString('base64'),
          patchType: 'JSONPatch',
        }),
      });
    }
    case 'deny':
      return reply({
        allowed: false,
        ...(script.status !== undefined && { status: script.status }),
      });
    case 'respond':
      return reply(script.response);
    case 'wrong-uid':
      return reply({ uid: 'another', allowed: true });
    case 'wrong-version':
      return reply({ allowed: true }, 'admission.k8s.io/v2');
    case 'reply':
    case 'never':
    case 'closed':
      return undefined;
  }
}
