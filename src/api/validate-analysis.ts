/** Whether an analysis can come to an end, and ask what it means to ask. */
import { parseDuration } from './duration.ts';
import type { ProviderAbilities } from './providers.ts';
import type { Fields, Finding, Subject } from './validate-input.ts';
import {
  duration,
  fieldsOf,
  ignored,
  isKnative,
  listOf,
  numberOf,
  refuse,
  shown,
  textOf,
  warn,
} from './validate-input.ts';
import { metricChecks } from './validate-metrics.ts';
import { opensToTesters } from './validate-routes.ts';

export const analysisChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  interval,
  rollbackWindow,
  threshold,
  wholeNumbers,
  percentages,
  stepWeights,
  stepWeightPromotion,
  progress,
  match,
  mirror,
  sessionAffinity,
  ...metricChecks,
];

const at = (field: string): string => `spec.analysis.${field}`;

/** As the reference has it: shorter intervals are raised. */
const intervalMsMin = 10_000;

function* interval({ analysis }: Subject): Iterable<Finding> {
  const text = textOf(analysis['interval']);
  yield* duration(at('interval'), text);
  const parsed = parseDuration(text);
  if (parsed.ok && parsed.ms >= 0 && parsed.ms < intervalMsMin) {
    yield warn(at('interval'), `${text} is raised to 10s, the shortest interval`);
  }
}

function* rollbackWindow({ spec, analysis }: Subject): Iterable<Finding> {
  const text = textOf(analysis['rollbackWindow']);
  if (text === '') return;
  yield* duration(at('rollbackWindow'), text);
  if (spec['skipAnalysis'] === true) {
    yield ignored(at('rollbackWindow'), 'skipAnalysis promotes every revision');
  }
}

function* threshold({ analysis }: Subject): Iterable<Finding> {
  const value = numberOf(analysis['threshold']);
  if (value !== undefined && value <= 0) {
    yield warn(at('threshold'), `${value} acts as 1: the first failed check ends a rollout`);
  }
}

function* wholeNumbers({ analysis }: Subject): Iterable<Finding> {
  const values: (readonly [string, unknown])[] = [
    'threshold',
    'iterations',
    'stepWeight',
    'maxWeight',
    'stepWeightPromotion',
    'mirrorWeight',
    'primaryReadyThreshold',
    'canaryReadyThreshold',
  ].map((field) => [at(field), analysis[field]] as const);
  const affinity = fieldsOf(analysis['sessionAffinity']);
  values.push([at('sessionAffinity.maxAge'), affinity['maxAge']]);
  for (const [path, value] of values) {
    const number = numberOf(value);
    if (number === undefined) continue;
    if (!Number.isInteger(number)) yield refuse(path, `${number} is not a whole number`);
    else if (number < 0 && !path.endsWith('.threshold')) yield refuse(path, `${number} is below 0`);
  }
}

/** Beyond 100 there is no traffic to send; some fields are cut there, others can never be met. */
const beyond: Readonly<Record<string, 'Cut' | 'Never'>> = {
  stepWeight: 'Cut',
  stepWeightPromotion: 'Cut',
  maxWeight: 'Never',
  mirrorWeight: 'Never',
  primaryReadyThreshold: 'Never',
  canaryReadyThreshold: 'Never',
};

function* percentages({ analysis }: Subject): Iterable<Finding> {
  for (const [field, consequence] of Object.entries(beyond)) {
    const value = numberOf(analysis[field]) ?? 0;
    if (value <= 100) continue;
    if (consequence === 'Cut') yield warn(at(field), `${value} acts as 100`);
    else yield refuse(at(field), `${value} is above 100, which is all there is`);
  }
}

function* stepWeights({ analysis }: Subject): Iterable<Finding> {
  let before = 0;
  for (const [index, value] of listOf(analysis['stepWeights']).entries()) {
    const path = at(`stepWeights[${index}]`);
    const weight = numberOf(value);
    if (weight === undefined) continue;
    if (!Number.isInteger(weight)) yield refuse(path, `${weight} is not a whole number`);
    else if (weight < 0) yield refuse(path, `${weight} is below 0`);
    else if (weight > 100) yield warn(path, `${weight} acts as 100`);
    if (weight >= 0 && weight <= before) {
      const because = index === 0 ? 'where every rollout starts' : `after ${before}`;
      yield refuse(path, `${weight} is no step up ${because}: weights must rise`);
    }
    before = Math.max(before, weight);
  }
  if (before > 0 && analysis['maxWeight'] !== undefined) {
    yield ignored(at('maxWeight'), 'stepWeights says where the rollout ends');
  }
}

function* stepWeightPromotion(subject: Subject): Iterable<Finding> {
  const { analysis, abilities, provider } = subject;
  const step = numberOf(analysis['stepWeightPromotion']) ?? 0;
  if (step <= 0 || abilities === undefined) return;
  if (!abilities.weights) {
    yield ignored(at('stepWeightPromotion'), `${routesOf(provider)} does not split traffic`);
  } else if (isKnative(subject)) {
    const reason = 'the canary is the primary from the moment that it is promoted';
    yield ignored(at('stepWeightPromotion'), `${reason} behind Knative`);
  }
}

function* progress(subject: Subject): Iterable<Finding> {
  const { spec, analysis, abilities, provider } = subject;
  const iterations = numberOf(analysis['iterations']) ?? 0;
  if (spec['analysis'] === undefined || iterations > 0 || abilities === undefined) return;
  if (!abilities.weights) {
    const reason = `Progressive traffic is not supported when using the ${provider} provider`;
    yield warn(at('iterations'), `${reason}: the analysis runs 10 iterations`);
    return;
  }
  const step = numberOf(analysis['stepWeight']) ?? 0;
  const steps = listOf(analysis['stepWeights']);
  if (step === 0 && steps.length === 0) {
    const message =
      'a rollout would never advance: set stepWeight, stepWeights or iterations above 0';
    yield refuse(at('stepWeight'), message);
  }
  yield* overshoot(analysis, step);
}

function* overshoot(analysis: Fields, step: number): Iterable<Finding> {
  const max = numberOf(analysis['maxWeight']) ?? 0;
  if (step <= 0 || max <= 0 || max > 100) return;
  const last = Math.min(100, Math.ceil(max / step) * step);
  if (last > max) {
    yield warn(
      at('maxWeight'),
      `${max} is no multiple of stepWeight ${step}: the last step is ${last}`,
    );
  }
}

function* match(subject: Subject): Iterable<Finding> {
  const { analysis, abilities, provider } = subject;
  const items = listOf(analysis['match']);
  if (items.length === 0 || abilities === undefined) return;
  if (!abilities.weights) {
    const message = `A/B testing is not supported when using the ${provider} provider`;
    yield warn(at('match'), message);
    return;
  }
  if ((numberOf(analysis['iterations']) ?? 0) <= 0 && !opensToTesters(subject)) {
    yield ignored(at('match'), 'A/B testing needs iterations above 0');
    return;
  }
  if (abilities.match === undefined) {
    // Ignored, it would send everybody to the canary.
    yield refuse(at('match'), `A/B testing is not supported by ${routesOf(provider)}`);
    return;
  }
  for (const [index, item] of items.entries()) {
    yield* matchItem(at(`match[${index}]`), fieldsOf(item), abilities.match);
  }
}

const routesOf = (provider: string): string =>
  `provider ${provider}${provider === 'istio' ? ' with appProtocol tcp' : ''}`;

function* matchItem(
  path: string,
  item: Fields,
  able: NonNullable<ProviderAbilities['match']>,
): Iterable<Finding> {
  let conditions = 0;
  for (const field of ['headers', 'queryParams'] as const) {
    for (const [name, condition] of Object.entries(fieldsOf(item[field]))) {
      conditions += 1;
      for (const operator of Object.keys(fieldsOf(condition))) {
        if ((able[field] as readonly string[]).includes(operator)) continue;
        const where = `${path}.${field}[${shown(name)}].${operator.slice(0, 20)}`;
        yield refuse(
          where,
          `the provider cannot express it: use ${able[field].join(', ') || 'headers'}`,
        );
      }
    }
  }
  const labels = Object.keys(fieldsOf(item['sourceLabels'])).length;
  if (labels > 0 && !able.sourceLabels) {
    yield refuse(`${path}.sourceLabels`, 'the provider cannot express it');
  }
  if (conditions + labels === 0) {
    yield refuse(path, 'has no condition, so it would send everybody to the canary');
  }
}

function* mirror({ analysis, abilities, provider }: Subject): Iterable<Finding> {
  if (analysis['mirror'] !== true) {
    if (analysis['mirrorWeight'] !== undefined)
      yield ignored(at('mirrorWeight'), 'mirror is not set');
    return;
  }
  if (abilities === undefined || abilities.mirroring) return;
  yield warn(at('mirror'), `is skipped: ${routesOf(provider)} does not mirror traffic`);
}

function* sessionAffinity({ analysis, abilities, provider }: Subject): Iterable<Finding> {
  if (analysis['sessionAffinity'] === undefined || abilities === undefined) return;
  if (abilities.sessionAffinity) return;
  yield ignored(at('sessionAffinity'), `${routesOf(provider)} does not support it`);
}
