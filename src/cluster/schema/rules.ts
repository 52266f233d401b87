/**
 * Rules in CEL that a schema has for its values (`x-kubernetes-validations`). `self` is the value;
 * a rule that names `oldSelf` is about a change, and does not concern a first value.
 * Rules and wording: k8s.io/apiextensions-apiserver, `apiserver/schema/cel/validation.go`. Costs
 * are not counted, and nothing is checked before a value comes: types are those of the values.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Expression } from '../cel.ts';
import { createCompiler, optionalOf, reasonOf } from '../cel.ts';
import type { FieldError } from '../status-error.ts';
import type { ToDuration } from './cel-value.ts';
import { celValue } from './cel-value.ts';
import type { Inspection, Visit } from './descend.ts';
import { duplicate, forbidden, invalid, noPath, required } from './field-errors.ts';
import type { Schema, ValidationRule } from './schema.ts';

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly usesOldSelf: boolean;
  readonly test: Expression;
  readonly message: Expression | undefined;
}

const rulesOf = (schema: Schema): readonly ValidationRule[] =>
  schema['x-kubernetes-validations'] ?? [];

/** `root` is the schema of a whole object: its rules see the names, which it does not describe. */
export function createRules(root: Schema): Inspection {
  const named = withNames(root);
  const compile = createCompiler(['self', 'oldSelf']);
  const duration = compile('duration(self)');
  const toDuration: ToDuration = (text) => duration({ self: text }).value;
  const compiled = new Map<Schema, readonly CompiledRule[]>();
  const compiledOf = (schema: Schema): readonly CompiledRule[] => {
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    const rules = rulesOf(schema)
      .filter(({ rule }) => rule.trim() !== '')
      .map((rule) => compiledRule(rule, compile));
    compiled.set(schema, rules);
    return rules;
  };
  return {
    concerns: (schema) => rulesOf(schema).length > 0,
    looksBack: (schema) => rulesOf(schema).some(isTransition),
    visit: (value, schema, visit) => {
      const described = schema === root ? named : schema;
      const scope = scopeOf(value, described, visit, toDuration);
      for (const rule of compiledOf(schema)) apply(rule, value, schema, { visit, scope });
    },
  };
}

const text: Schema = { type: 'string' };

function withNames(root: Schema): Schema {
  const metadata: Schema = { type: 'object', properties: { name: text, generateName: text } };
  return {
    ...root,
    properties: { ...root.properties, apiVersion: text, kind: text, metadata },
  };
}

/** Whether it is about a change. */
const isTransition = ({ rule, messageExpression = '' }: ValidationRule): boolean =>
  /\boldSelf\b/.test(`${rule} ${messageExpression}`);

function compiledRule(rule: ValidationRule, compile: (text: string) => Expression): CompiledRule {
  const { messageExpression = '' } = rule;
  return {
    rule,
    usesOldSelf: isTransition(rule),
    test: compile(rule.rule),
    message: messageExpression === '' ? undefined : compile(messageExpression),
  };
}

/** Values are made when a rule first wants them. */
interface Scope {
  self(): unknown;
  oldSelf(): unknown;
}

function scopeOf(value: Json, schema: Schema, { before }: Visit, toDuration: ToDuration): Scope {
  let self: unknown;
  let oldSelf: unknown;
  return {
    self: () => (self ??= celValue(value, schema, toDuration)),
    oldSelf: () =>
      (oldSelf ??= before === undefined ? undefined : celValue(before as Json, schema, toDuration)),
  };
}

function apply(
  { rule, usesOldSelf, test, message }: CompiledRule,
  value: Json,
  schema: Schema,
  { visit, scope }: { readonly visit: Visit; readonly scope: Scope },
): void {
  const isOptional = rule.optionalOldSelf === true;
  if (usesOldSelf && visit.before === undefined && !isOptional) return;
  const old = usesOldSelf ? scope.oldSelf() : undefined;
  const variables = { self: scope.self(), oldSelf: isOptional ? optionalOf(old) : old };
  // A list passes for a text that has a format, and then its rules cannot read it.
  const isUnreadable = schema.type === 'string' && typeof value !== 'string';
  const outcome = isUnreadable ? { error: unreadable } : test(variables);
  if (outcome.value === true) return;
  if (outcome.error !== undefined) {
    const why = stumbled(reasonOf(outcome.error), textOf(rule));
    visit.report(invalid(visit.path(), schema.type ?? '', why));
    return;
  }
  if (!usesOldSelf && visit.isUnchanged()) return;
  const said = message?.(variables).value;
  const detail = typeof said === 'string' && isOneLine(said) ? said.trim() : messageOf(rule);
  const shown = schema.type === 'object' || schema.type === 'array' ? undefined : value;
  visit.report(errorFor(rule.reason, pathOf(visit, rule), shown, detail));
}

const unreadable = 'invalid data, expected string, got []interface {}';

function stumbled(reason: string, rule: string): string {
  return reason === 'no such overload'
    ? `'${reason}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`
    : `${reason} evaluating rule: ${rule}`;
}

const isOneLine = (text: string): boolean => text.trim() !== '' && !text.trim().includes('\n');

const textOf = ({ message = '', rule }: ValidationRule): string =>
  (message === '' ? rule : message).trim();

const messageOf = (rule: ValidationRule): string =>
  (rule.message ?? '') === '' ? `failed rule: ${textOf(rule)}` : textOf(rule);

/** `.a.b` or `['a']`, below the value that has the rule. */
function pathOf(visit: Visit, { fieldPath = '' }: ValidationRule): string {
  const path = visit.path();
  if (fieldPath === '') return path;
  const below = fieldPath.replaceAll(/\['([^']*)'\]/g, '.$1');
  return path === noPath ? below.replace(/^\./, '') : path + below;
}

function errorFor(
  reason: string | undefined,
  path: string,
  value: Json | undefined,
  detail: string,
): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail);
    case 'FieldValueRequired':
      return required(path, detail);
    case 'FieldValueDuplicate':
      return duplicate(path, value);
    case undefined:
    default:
      return invalid(path, value, detail);
  }
}
