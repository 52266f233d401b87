/** Whether the checks of an analysis can pass, and whether any of them can fail. */
import { isGateType } from './approval.ts';
import type { Fields, Finding, Subject } from './validate-input.ts';
import {
  duration,
  fieldsOf,
  listOf,
  numberOf,
  refuse,
  shown,
  textOf,
  warn,
} from './validate-input.ts';

export const metricChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  metrics,
  webhooks,
  anythingAtAll,
];

const at = (field: string): string => `spec.analysis.${field}`;
const builtIn = ['request-success-rate', 'request-duration'];

function* metrics({ analysis }: Subject): Iterable<Finding> {
  for (const [index, value] of listOf(analysis['metrics']).entries()) {
    const metric = fieldsOf(value);
    const path = at(`metrics[${index}]`);
    yield* duration(`${path}.interval`, textOf(metric['interval']));
    if (isUsable(metric)) {
      yield* bounds(path, metric);
    } else {
      yield refuse(
        path,
        `${shown(metric['name'])} is not built in (${builtIn.join(', ')}) and has neither ` +
          'templateRef nor query: it would fail every check',
      );
    }
  }
}

function isUsable(metric: Fields): boolean {
  const isBuiltIn = builtIn.includes(textOf(metric['name']));
  const template = textOf(fieldsOf(metric['templateRef'])['name']);
  return isBuiltIn || textOf(metric['query']) !== '' || template !== '';
}

function* bounds(path: string, metric: Fields): Iterable<Finding> {
  const isRate = metric['name'] === 'request-success-rate';
  const range = metric['thresholdRange'];
  if (range === undefined) {
    const single = numberOf(metric['threshold']);
    if (isRate) yield* rateBounds(path, single ?? 0, undefined);
    else if (single === undefined) {
      yield warn(path, 'has no threshold: any value above 0 fails the check');
    }
    return;
  }
  const min = numberOf(fieldsOf(range)['min']);
  const max = numberOf(fieldsOf(range)['max']);
  const field = `${path}.thresholdRange`;
  if (min === undefined && max === undefined) {
    yield warn(field, 'has neither min nor max: the check passes whatever the value');
  } else if (min !== undefined && max !== undefined && min > max) {
    yield refuse(field, `min ${min} is above max ${max}: no value would pass`);
  } else if (isRate) {
    yield* rateBounds(field, min ?? 0, max);
  }
}

/** A rate lies between 0 and 100. */
function* rateBounds(path: string, min: number, max: number | undefined): Iterable<Finding> {
  if (min > 100) yield refuse(path, `no success rate reaches ${min}: it is a percentage`);
  else if (max !== undefined && max < 0) yield refuse(path, 'no success rate is below 0');
  else if (min <= 0 && (max === undefined || max >= 100)) {
    yield warn(path, 'every success rate passes: set min, such as 99');
  } else if (min > 0 && min <= 1) {
    yield warn(path, `${min} is ${min} percent, not a share of one: did you mean ${min * 100}?`);
  }
}

function* webhooks({ analysis }: Subject): Iterable<Finding> {
  for (const [index, value] of listOf(analysis['webhooks']).entries()) {
    const hook = fieldsOf(value);
    const path = at(`webhooks[${index}]`);
    yield* duration(`${path}.timeout`, textOf(hook['timeout']));
    yield* hookUrl(path, hook);
    yield* gateName(path, hook);
    const retries = numberOf(hook['retries']);
    if (retries === undefined) continue;
    if (!Number.isInteger(retries)) {
      yield refuse(`${path}.retries`, `${retries} is not a whole number`);
    } else if (retries < 0) yield refuse(`${path}.retries`, `${retries} is below 0`);
  }
}

function* hookUrl(path: string, { type, url }: Fields): Iterable<Finding> {
  const isGate = isGateType(textOf(type));
  if (url === undefined) {
    if (isGate) return;
    const kind = textOf(type) || 'rollout';
    const message = `is missing: only confirm and rollback hooks can do without, ${kind} has to be called`;
    yield refuse(`${path}.url`, message);
  } else if (!/^https?:\/\/[^/]/i.test(textOf(url))) {
    yield refuse(`${path}.url`, `${shown(url)} is no http or https URL`);
  }
}

/** What opens a gate names it among others, and may name a revision behind an `@`. */
function* gateName(path: string, { type, url, name }: Fields): Iterable<Finding> {
  if (url !== undefined || !isGateType(textOf(type))) return;
  const text = textOf(name);
  if (text !== '' && text === text.trim() && !/[,@]/.test(text)) return;
  yield refuse(`${path}.name`, `${shown(name)} cannot be named in an annotation: no comma, no @`);
}

const judging = new Set(['', 'rollout', 'pre-rollout', 'rollback']);

function* anythingAtAll({ spec, analysis }: Subject): Iterable<Finding> {
  if (spec['analysis'] === undefined || spec['skipAnalysis'] === true) return;
  if (listOf(analysis['metrics']).length > 0) return;
  const judges = listOf(analysis['webhooks']).some((hook) =>
    judging.has(textOf(fieldsOf(hook)['type'])),
  );
  if (judges) return;
  const message = 'nothing can fail: without metrics and test webhooks each revision is promoted';
  yield warn('spec.analysis', message);
}
