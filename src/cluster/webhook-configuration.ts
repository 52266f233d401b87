/** Admission webhooks as they are configured, and whether one of them wants to see a request. */
import type { KubeObject, LabelSelector, StringMap } from '../api/kubernetes.ts';
import type { Expression } from './cel.ts';
import type { ResourceType } from './resource-type.ts';
import type { Operation } from './writing.ts';

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
  /** Default: 443. */
  readonly port?: number;
}

/** Where a webhook is: a URL, or a Service of the cluster. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: ServiceReference;
  /** PEM in base64. Without it, the authorities of the system are trusted. */
  readonly caBundle?: string;
}

export interface WebhookRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
}

export interface Webhook {
  readonly name: string;
  readonly clientConfig: WebhookClientConfig;
  readonly rules?: readonly WebhookRule[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly timeoutSeconds?: number;
  readonly sideEffects?: string;
  readonly admissionReviewVersions?: readonly string[];
  /** Of mutating ones: `IfNeeded` or `Never`. */
  readonly reinvocationPolicy?: string;
}

/** A MutatingWebhookConfiguration or a ValidatingWebhookConfiguration. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[];
}

/** A webhook, read once. */
export interface CompiledWebhook {
  readonly webhook: Webhook;
  readonly failsOpen: boolean;
  readonly timeoutMs: number;
  readonly namespaces: LabelMatch | undefined;
  readonly objects: LabelMatch | undefined;
  readonly conditions: readonly CompiledCondition[];
}

export interface CompiledCondition {
  readonly expression: string;
  readonly evaluate: Expression;
}

type LabelMatch = (labels: StringMap) => boolean;

const timeoutSecondsDefault = 10;

export function compileWebhook(
  webhook: Webhook,
  compile: (expression: string) => Expression,
): CompiledWebhook {
  const { failurePolicy = 'Fail', timeoutSeconds = timeoutSecondsDefault } = webhook;
  return {
    webhook,
    failsOpen: failurePolicy === 'Ignore',
    timeoutMs: timeoutSeconds * 1000,
    namespaces: compileSelector(webhook.namespaceSelector),
    objects: compileSelector(webhook.objectSelector),
    conditions: (webhook.matchConditions ?? []).map(({ expression }) => ({
      expression,
      evaluate: compile(expression),
    })),
  };
}

/** By the order of their names, and in each by the order of its webhooks. */
export function compileWebhooks(
  configurations: readonly WebhookConfiguration[],
  compile: (expression: string) => Expression,
): readonly CompiledWebhook[] {
  return configurations
    .toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))
    .flatMap(({ webhooks = [] }) => webhooks.map((it) => compileWebhook(it, compile)));
}

/** Undefined where everything matches. */
function compileSelector(selector: LabelSelector | undefined): LabelMatch | undefined {
  const equal = Object.entries(selector?.matchLabels ?? {});
  const expressions = selector?.matchExpressions ?? [];
  if (equal.length === 0 && expressions.length === 0) return undefined;
  return (labels) =>
    equal.every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    });
}

/** These would let a webhook keep itself from being removed. */
const exemptKinds: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

export const isExempt = ({ group, kind }: ResourceType): boolean =>
  group === 'admissionregistration.k8s.io' && exemptKinds.has(kind);

/**
 * The version of the resource that the webhook wants to see; undefined where it wants none. With the
 * match policy `Equivalent`, a rule for another version of the resource will do.
 */
export function wantedVersion(
  { rules = [], matchPolicy = 'Equivalent' }: Webhook,
  asked: {
    readonly type: ResourceType;
    readonly operation: Operation;
    readonly subresource: string;
  },
  versions: readonly ResourceType[],
): ResourceType | undefined {
  const { type, operation, subresource } = asked;
  const hasRule = (wanted: ResourceType): boolean =>
    rules.some((rule) => matchesRule(rule, wanted, operation, subresource));
  if (hasRule(type)) return type;
  return matchPolicy === 'Equivalent' ? versions.find(hasRule) : undefined;
}

const covers = (wanted: readonly string[] | undefined, value: string): boolean =>
  wanted?.some((it) => it === '*' || it === value) === true;

function matchesRule(
  rule: WebhookRule,
  { group, version, plural, namespaced }: ResourceType,
  operation: string,
  subresource: string,
): boolean {
  const { scope = '*', resources = [] } = rule;
  if (scope === 'Namespaced' && !namespaced) return false;
  if (scope === 'Cluster' && namespaced) return false;
  return (
    covers(rule.operations, operation) &&
    covers(rule.apiGroups, group) &&
    covers(rule.apiVersions, version) &&
    resources.some((it) => {
      const [resource = '', part = ''] = it.split('/', 2);
      const isPart = part === '*' || part === subresource;
      return (resource === '*' || resource === plural) && isPart;
    })
  );
}

export interface Candidate {
  /** Of the object, and of what it was: of those that there are. */
  readonly labels: readonly StringMap[];
  /** Undefined for what is in no namespace and is none. */
  readonly namespaceLabels: () => StringMap | undefined;
}

/** Whether its selectors let the object through. */
export function isSelected({ namespaces, objects }: CompiledWebhook, it: Candidate): boolean {
  if (namespaces !== undefined) {
    const labels = it.namespaceLabels();
    if (labels !== undefined && !namespaces(labels)) return false;
  }
  if (objects === undefined) return true;
  return it.labels.some(objects);
}
