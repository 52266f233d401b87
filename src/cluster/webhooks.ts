/**
 * Admission webhooks: those that change an object, one after the other, and those that judge it, all
 * at once. A request that concerns none of them costs one look into a table.
 *
 *   mutating, by configuration name ──> again, if a later one changed it ──> validating, together
 *
 * Rules: k8s.io/apiserver, `admission/plugin/webhook`. Audit annotations are not kept, and v1beta1
 * reviews are not spoken.
 */
import type { StringMap } from '../api/kubernetes.ts';
import { createCompiler, createPlainObjects, reasonOf } from './cel.ts';
import { isEqual } from './json.ts';
import { uuid } from './metadata.ts';
import type { ResourceType, StoredObject } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import { withReplicas } from './scale.ts';
import { forbidden } from './status-error.ts';
import type {
  CompiledWebhook,
  WebhookClientConfig,
  WebhookConfiguration,
} from './webhook-configuration.ts';
import { compileWebhooks, isExempt, isSelected, wantedVersion } from './webhook-configuration.ts';
import type { AdmissionReview, Verdict } from './webhook-review.ts';
import {
  CallFailure,
  describe,
  dryRunUnsupported,
  internalError,
  patchedBy,
  shownObject,
  verdictOf,
} from './webhook-review.ts';
import type { Admission, AdmissionRequest, Operation } from './writing.ts';
import { isNamespace } from './writing.ts';

/**
 * Asks a webhook. Resolves with the answer's body; rejects where there is none in time, with an
 * error whose message says why.
 */
export type CallWebhook = (
  client: WebhookClientConfig,
  review: AdmissionReview,
  timeoutMs: number,
) => Promise<unknown>;

export interface AdmissionChainOptions {
  readonly call: CallWebhook;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Undefined where there is no such namespace. */
  readonly labelsOf: (namespace: string) => StringMap | undefined;
  /** The other versions of a resource. */
  readonly versionsOf: (type: ResourceType) => readonly ResourceType[];
  /** Told of failures that a failure policy ignored. */
  readonly onFailedOpen?: (webhook: string, error: Error) => void;
}

export interface AdmissionChain extends Admission {
  /** Takes the place of all that there were. */
  configure(
    mutating: readonly WebhookConfiguration[],
    validating: readonly WebhookConfiguration[],
  ): void;
  /** To be called when resources came or went, as rules may speak of them. */
  forget(): void;
}

/** A webhook that one of its rules lets see such requests, and in what version. */
interface Concerned {
  readonly hook: CompiledWebhook;
  readonly wanted: ResourceType;
}

interface Concerns {
  readonly mutating: readonly Concerned[];
  readonly validating: readonly Concerned[];
}

const nobody: Concerns = { mutating: [], validating: [] };

export function createAdmissionChain(options: AdmissionChainOptions): AdmissionChain {
  const compile = createCompiler(['object', 'oldObject', 'request']);
  const plain = createPlainObjects();
  let mutating: readonly CompiledWebhook[] = [];
  let validating: readonly CompiledWebhook[] = [];
  let table = new Map<ResourceType, Map<string, Concerns>>();

  const concerned = (
    hooks: readonly CompiledWebhook[],
    asked: Pick<AdmissionRequest, 'type' | 'operation' | 'subresource'>,
  ): readonly Concerned[] =>
    hooks.flatMap((hook) => {
      const wanted = wantedVersion(hook.webhook, asked, options.versionsOf(asked.type));
      return wanted === undefined ? [] : [{ hook, wanted }];
    });

  const concernsOf = (type: ResourceType, operation: Operation, subresource: string): Concerns => {
    if (mutating.length === 0 && validating.length === 0) return nobody;
    let row = table.get(type);
    if (row === undefined) table.set(type, (row = new Map()));
    const key = subresource === '' ? operation : `${operation}/${subresource}`;
    const known = row.get(key);
    if (known !== undefined) return known;
    const asked = { type, operation, subresource };
    const found = isExempt(type)
      ? nobody
      : { mutating: concerned(mutating, asked), validating: concerned(validating, asked) };
    row.set(key, found);
    return found;
  };

  return {
    configure: (changing, judging) => {
      mutating = compileWebhooks(changing, compile);
      validating = compileWebhooks(judging, compile);
      table = new Map();
    },
    forget: () => {
      table = new Map();
    },
    concerns: (type, operation, subresource) => {
      const found = concernsOf(type, operation, subresource);
      return found.mutating.length > 0 || found.validating.length > 0;
    },
    mutate: async (request, warn) => {
      const { type, operation, subresource, object } = request;
      if (object === undefined) throw new Error('a deletion is not mutated');
      const hooks = concernsOf(type, operation, subresource).mutating;
      return hooks.length === 0
        ? object
        : mutate({ ...request, object }, hooks, { options, plain, warn });
    },
    validate: async (request, warn) => {
      const { type, operation, subresource } = request;
      const { mutating: changing, validating: judging } = concernsOf(type, operation, subresource);
      // Nothing of a deletion can be changed, but it can be refused.
      if (operation === 'DELETE') await ask(changing, request, { options, plain, warn });
      await judge(judging, request, { options, plain, warn });
    },
  };
}

interface Context {
  readonly options: AdmissionChainOptions;
  readonly plain: Plain;
  readonly warn: (text: string) => void;
}

type Mutation = AdmissionRequest & { readonly object: StoredObject };

/** The second round is for those that asked for it, and were called before somebody changed it. */
async function mutate(
  request: Mutation,
  hooks: readonly Concerned[],
  context: Context,
): Promise<StoredObject> {
  let current = request;
  let called = new Set<Concerned>();
  const due = new Set<Concerned>();
  for (const isAgain of [false, true]) {
    if (isAgain && due.size === 0) break;
    for (const it of hooks) {
      if (isAgain && !due.has(it)) continue;
      const object = await mutateBy(it, current, context);
      if (object !== undefined && !isEqual(object, current.object)) {
        current = { ...current, object };
        for (const earlier of called) due.add(earlier);
        called = new Set();
      }
      if (it.hook.webhook.reinvocationPolicy === 'IfNeeded') called.add(it);
    }
  }
  return current.object;
}

/** Undefined where the webhook has nothing to change, or nothing to say. */
async function mutateBy(
  it: Concerned,
  request: Mutation,
  context: Context,
): Promise<StoredObject | undefined> {
  const verdict = await consult(it, request, { ...context, isMutating: true });
  if (verdict?.patch === undefined) return undefined;
  const { type, subresource, object } = request;
  const shown = shownObject(object, it.wanted, subresource) ?? {};
  const patched = patchedBy(verdict.patch, shown);
  if (subresource === 'scale') return withReplicas(type, object, patched);
  return type.withDefaults({ ...(patched as StoredObject), apiVersion: apiVersionOf(type) });
}

/** Mutating webhooks on a deletion: in order, and only for their opinion. */
async function ask(
  hooks: readonly Concerned[],
  request: AdmissionRequest,
  context: Context,
): Promise<void> {
  for (const it of hooks) {
    const verdict = await consult(it, request, { ...context, isMutating: true });
    if (verdict?.patch === undefined) continue;
    const name = JSON.stringify(it.hook.webhook.name);
    throw internalError(
      `admission webhook ${name} attempted to modify the object, which is not supported for this operation`,
    );
  }
}

/** All of them are asked; of several refusals, the first webhook's is told. */
async function judge(
  hooks: readonly Concerned[],
  request: AdmissionRequest,
  context: Context,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    hooks.map((it) => consult(it, request, { ...context, isMutating: false })),
  );
  const refusal = outcomes.find((it) => it.status === 'rejected');
  if (refusal !== undefined) throw refusal.reason;
}

/**
 * What the webhook says; undefined where it does not want to see the object, or could not be asked
 * and that is to be ignored. Throws the denial.
 */
async function consult(
  { hook, wanted }: Concerned,
  request: AdmissionRequest,
  { options, plain, warn, isMutating }: Context & { readonly isMutating: boolean },
): Promise<Verdict | undefined> {
  const { webhook, failsOpen, timeoutMs } = hook;
  if (!isSelected(hook, candidateOf(request, options))) return undefined;
  if (!meetsConditions(hook, wanted, request, plain)) return undefined;
  const { sideEffects = 'Unknown', name, clientConfig } = webhook;
  if (request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    throw dryRunUnsupported(name);
  }
  let verdict: Verdict;
  try {
    const review = reviewOf(request, wanted, uuid(options.random));
    const answer = await answerOf(options.call(clientConfig, review, timeoutMs));
    verdict = verdictOf(answer, { name, uid: review.request.uid, isMutating });
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error;
    const failure = `failed calling webhook ${JSON.stringify(name)}: ${error.message}`;
    if (!failsOpen) throw internalError(failure);
    options.onFailedOpen?.(name, new Error(failure, { cause: error }));
    return undefined;
  }
  verdict.warnings.forEach(warn);
  if (verdict.denial !== undefined) throw verdict.denial;
  return verdict;
}

async function answerOf(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CallFailure(`failed to call webhook: ${why}`, { cause });
  }
}

function candidateOf(
  { type, subresource, operation, object, oldObject, namespace, name }: AdmissionRequest,
  { labelsOf }: AdmissionChainOptions,
): Parameters<typeof isSelected>[1] {
  // A scale has no labels.
  const labels = [object, oldObject].flatMap((it) => {
    if (it === undefined) return [];
    return [subresource === 'scale' ? {} : (it.metadata.labels ?? {})];
  });
  return {
    labels,
    namespaceLabels: () => {
      if (isNamespace(type)) {
        const isOwn = subresource === '' && operation !== 'DELETE';
        return (isOwn ? object?.metadata.labels : labelsOf(name)) ?? {};
      }
      return namespace === '' ? undefined : (labelsOf(namespace) ?? {});
    },
  };
}

/** Objects as match conditions see them. */
type Plain = ReturnType<typeof createPlainObjects>;

/** One that is false decides, whatever the others run into. */
function meetsConditions(
  { conditions, failsOpen }: CompiledWebhook,
  wanted: ResourceType,
  request: AdmissionRequest,
  plain: Plain,
): boolean {
  if (conditions.length === 0) return true;
  const seen = (object: StoredObject | undefined): unknown => {
    const shown = shownObject(object, wanted, request.subresource);
    return shown && plain(shown);
  };
  const variables = {
    object: seen(request.object),
    oldObject: seen(request.oldObject),
    request: plain({ uid: '', name: '', namespace: '', ...describe(request, wanted) }),
  };
  const errors: string[] = [];
  for (const { expression, evaluate } of conditions) {
    const { value, error } = evaluate(variables);
    if (value === false) return false;
    if (value !== true) {
      const why = error === undefined ? 'it is not a condition' : reasonOf(error);
      errors.push(`expression '${expression}' resulted in error: ${why}`);
    }
  }
  if (errors.length === 0) return true;
  if (failsOpen) return false;
  const why = errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;
  throw forbidden(request.type, request.name, why);
}

function reviewOf(request: AdmissionRequest, wanted: ResourceType, uid: string): AdmissionReview {
  const { object, oldObject, subresource } = request;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      ...describe(request, wanted),
      object: shownObject(object, wanted, subresource),
      oldObject: shownObject(oldObject, wanted, subresource),
    },
  };
}
