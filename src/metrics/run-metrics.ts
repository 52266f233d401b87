/**
 * The metric checks of one verdict (`spec/03`, 1.1): built-in and inline queries in list order, then
 * those of MetricTemplates; the first that is not good ends the verdict. The queries of one pass run
 * side by side, and are judged as if each had waited for the one before it.
 *
 * Also whether the providers can be asked at all (1.9).
 */
import { report } from '../analysis/threshold.ts';
import type { Check, CheckReport } from '../analysis/threshold.ts';
import type { Canary, CanaryMetric, CrossReference } from '../api/canary.ts';
import { displayName, targetDisplayName } from '../api/defaults.ts';
import type { StringMap } from '../api/kubernetes.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import { createPrometheus, hideUser } from './prometheus.ts';
import type { Measurement, MetricProvider } from './provider.ts';
import { renderBuiltInQuery, renderOwnQuery, routeName } from './canary-queries.ts';
import type { BuiltInMetric } from './queries.ts';
import { isBuiltIn, metricsProviderOf } from './queries.ts';
import { providerOf } from './registry.ts';
import type { Transport } from './transport.ts';

export interface MetricsContext {
  /** The controller's own mesh provider, which a canary's may override. */
  readonly meshProvider: string;
  /** The Prometheus of canaries that name none. */
  readonly metricsServer: string;
  readonly template: (namespace: string, name: string) => MetricTemplate | undefined;
  /** Decoded data of a Secret; rejects where it cannot be read. */
  readonly secret: (namespace: string, name: string) => Promise<StringMap>;
  /** Latest created revision of a Knative Service; rejects where it cannot be read. */
  readonly knativeRevision?: (namespace: string, name: string) => Promise<string>;
  readonly transport: Transport;
  readonly signal: AbortSignal;
}

export interface MetricEvent {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
}

export interface Availability {
  readonly passed: boolean;
  /** What is to be said. */
  readonly events: readonly MetricEvent[];
}

/** The events say why a verdict is not good; of a good one nothing is said. */
export interface MetricsOutcome extends Availability {
  /** The checks up to the first that is not good, in order. One that cannot be asked has none. */
  readonly reports: readonly CheckReport[];
  /** What is odd about answers that were judged all the same; for the log. */
  readonly warnings: readonly string[];
}

/** Asks and judges. Rejects only with the signal's reason, when it aborts. */
export async function runMetrics(canary: Canary, context: MetricsContext): Promise<MetricsOutcome> {
  const metrics = canary.spec.analysis?.metrics ?? [];
  if (metrics.length === 0) return { passed: true, events: [], reports: [], warnings: [] };
  const route = await routeOf(canary, context);
  if (!route.ok) return { ...warn(route.error), reports: [], warnings: [] };
  const passes = [
    (metric: CanaryMetric) => builtInQuestions(canary, metric, route.value, context),
    (metric: CanaryMetric) => templateQuestions(canary, metric, route.value, context),
  ];
  const reports: CheckReport[] = [];
  const warnings: string[] = [];
  for (const questionsOf of passes) {
    const pass = await runPass(metrics.flatMap(questionsOf), context.signal);
    reports.push(...pass.reports);
    warnings.push(...pass.warnings);
    if (pass.failure !== undefined) return { ...warn(pass.failure), reports, warnings };
  }
  return { passed: true, events: [], reports, warnings };
}

const warn = (message: string): Availability => ({
  passed: false,
  events: [{ type: 'Warning', message }],
});

type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** A query that is ready to be sent, and what its answer will be held against. */
interface Question {
  readonly check: Check;
  readonly provider: MetricProvider;
  readonly query: string;
  /** Makes the unit in which the answer is judged. */
  readonly factor: number;
}

/** One check that is to be made; an error is its failure, and the event's whole text. */
type Asking = (
  signal: AbortSignal,
) => Promise<Result<CheckReport & { warnings: readonly string[] }>>;

interface PassOutcome {
  readonly reports: readonly CheckReport[];
  readonly warnings: readonly string[];
  readonly failure?: string;
}

/** Asks all at once, and reads the answers in order up to the first that is not good. */
async function runPass(askings: readonly Asking[], signal: AbortSignal): Promise<PassOutcome> {
  const rest = new AbortController();
  const stop = (): void => rest.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const reports: CheckReport[] = [];
  const warnings: string[] = [];
  try {
    const answers = askings.map((ask) => ask(rest.signal));
    // The answers after the first failure are nobody's: one that rejects must not end the process.
    void Promise.allSettled(answers);
    for (const pending of answers) {
      const answer = await pending;
      signal.throwIfAborted();
      if (!answer.ok) return { reports, warnings, failure: answer.error };
      const { warnings: odd, ...judged } = answer.value;
      reports.push(judged);
      warnings.push(...odd);
      if (judged.verdict.kind !== 'Passed') {
        return { reports, warnings, failure: judged.verdict.message };
      }
    }
    return { reports, warnings };
  } finally {
    signal.removeEventListener('abort', stop);
    rest.abort();
  }
}

async function ask({ check, provider, query, factor }: Question, signal: AbortSignal) {
  const answer = await provider.query(query, { signal });
  const measurement: Measurement =
    answer.kind === 'Value' ? { ...answer, value: answer.value * factor } : answer;
  const odd = answer.kind === 'Value' ? (answer.warnings ?? []) : [];
  const warnings = odd.map((warning) => `metric ${check.metric.name}: ${warning}`);
  return { ok: true, value: { ...report(check, measurement), warnings } } as const;
}

const refusal =
  (error: string): Asking =>
  async () => ({ ok: false, error });

/** One entry may ask for two checks: a built-in metric, and an inline query. */
function builtInQuestions(
  canary: Canary,
  metric: CanaryMetric,
  route: string,
  context: MetricsContext,
): readonly Asking[] {
  const askings: Asking[] = [];
  if (isBuiltInMetric(metric)) {
    const provider = metricsProviderOf(canary, context.meshProvider);
    const built = renderBuiltInQuery(provider, canary, metric, route);
    const { rendered, factor, failsPlainly } = built;
    const measured = metric.name === 'request-duration' ? 'duration' : 'success rate';
    const check = { ...checkOf(canary, metric, provider), measured, failsPlainly } as const;
    askings.push(
      rendered.ok
        ? askServer(canary, { check, query: rendered.text, factor }, context)
        : refusal(`Prometheus query failed: ${rendered.error}`),
    );
  }
  if (metric.query) {
    const rendered = renderOwnQuery(metric.query, canary, metric, route);
    const check = checkOf(canary, metric, '');
    askings.push(
      rendered.ok
        ? askServer(canary, { check, query: rendered.text, factor: 1 }, context)
        : refusal(`Prometheus query failed for ${metric.name}: ${rendered.error}`),
    );
  }
  return askings;
}

const isBuiltInMetric = (
  metric: CanaryMetric,
): metric is CanaryMetric & { readonly name: BuiltInMetric } => isBuiltIn(metric.name);

function askServer(
  canary: Canary,
  question: Omit<Question, 'provider'>,
  context: MetricsContext,
): Asking {
  const server = serverOf(canary, context);
  if (!server.ok) return refusal(`Error ${server.error}`);
  return (signal) => ask({ ...question, provider: server.value }, signal);
}

function serverOf({ spec }: Canary, context: MetricsContext): Result<MetricProvider> {
  const address = spec.metricsServer || context.metricsServer;
  const made = createPrometheus({ address, transport: context.transport });
  if (made.ok) return { ok: true, value: made.provider };
  const error = `building Prometheus client for ${hideUser(address)} ${made.error}`;
  return { ok: false, error };
}

function templateQuestions(
  canary: Canary,
  metric: CanaryMetric,
  route: string,
  context: MetricsContext,
): readonly Asking[] {
  const { templateRef } = metric;
  if (templateRef === undefined) {
    if (isBuiltIn(metric.name) || metric.query) return [];
    return [
      refusal('Metric query failed for no usable metrics template and query were configured'),
    ];
  }
  const asking: Asking = async (signal) => {
    const found = await providerFromTemplate(canary, templateRef, context);
    if (!found.ok) return { ok: false, error: `Metric ${found.error}` };
    const { provider, template, label } = found.value;
    const rendered = renderOwnQuery(template.spec.query, canary, metric, route);
    if (!rendered.ok) {
      return { ok: false, error: `Metric ${label} query render error: ${rendered.error}` };
    }
    const check: Check = { ...checkOf(canary, metric, ''), templated: true };
    return ask({ check, provider, query: rendered.text, factor: 1 }, signal);
  };
  return [asking];
}

interface TemplateProvider {
  readonly provider: MetricProvider;
  readonly template: MetricTemplate;
  /** As messages name the template. */
  readonly label: string;
}

async function providerFromTemplate(
  canary: Canary,
  { name, namespace }: CrossReference,
  { template: lookUp, secret, transport }: MetricsContext,
): Promise<Result<TemplateProvider>> {
  const home = namespace || (canary.metadata.namespace ?? '');
  const label = `template ${name}.${home}`;
  const template = lookUp(home, name);
  if (template === undefined) {
    const missing = `metrictemplate.flagger.app "${name}" not found`;
    return { ok: false, error: `${label} error: ${missing}` };
  }
  const { secretRef, type } = template.spec.provider;
  let credentials: StringMap | undefined;
  if (secretRef !== undefined) {
    try {
      credentials = await secret(home, secretRef.name);
    } catch (error) {
      return { ok: false, error: `${label} secret ${secretRef.name} error: ${reasonOf(error)}` };
    }
  }
  const made = providerOf(template, credentials, transport);
  if (!made.ok) return { ok: false, error: `${label} provider ${type} error: ${made.error}` };
  return { ok: true, value: { provider: made.provider, template, label } };
}

/** Whether the metric providers of a canary can be asked; the first that cannot is named. */
export async function checkAvailability(
  canary: Canary,
  context: MetricsContext,
): Promise<Availability> {
  for (const metric of canary.spec.analysis?.metrics ?? []) {
    const wrong = isBuiltIn(metric.name)
      ? await probeServer(canary, context)
      : await probeTemplate(canary, metric, context);
    if (wrong !== undefined) return warn(`Error checking metric providers: ${wrong}`);
  }
  const message = 'all the metrics providers are available!';
  return { passed: true, events: [{ type: 'Normal', message }] };
}

async function probeServer(canary: Canary, context: MetricsContext): Promise<string | undefined> {
  const server = serverOf(canary, context);
  if (!server.ok) return `error ${server.error}`;
  const wrong = await server.value.probe(context);
  // The misspelling is the reference's, and people search for it.
  return wrong === undefined ? undefined : `prometheus not avaiable: ${wrong}`;
}

async function probeTemplate(
  canary: Canary,
  { templateRef }: CanaryMetric,
  context: MetricsContext,
): Promise<string | undefined> {
  if (templateRef === undefined) return undefined;
  const found = await providerFromTemplate(canary, templateRef, context);
  if (!found.ok) return `metric ${found.error}`;
  const { provider, template, label } = found.value;
  const wrong = await provider.probe(context);
  if (wrong === undefined) return undefined;
  return `${template.spec.provider.type} in metric ${label} not avaiable: ${wrong}`;
}

const checkOf = (canary: Canary, metric: CanaryMetric, provider: string): Check => ({
  canary: displayName(canary),
  target: targetDisplayName(canary),
  provider,
  metric,
  measured: 'query',
  templated: false,
});

/** What `{{ route }}` means; of Knative, the revision that was created last. */
async function routeOf(canary: Canary, context: MetricsContext): Promise<Result<string>> {
  const { targetRef, provider } = canary.spec;
  const isKnative = provider === 'knative' || context.meshProvider === 'knative';
  if (!isKnative || context.knativeRevision === undefined) {
    return { ok: true, value: routeName(canary) };
  }
  const { namespace = '' } = canary.metadata;
  try {
    return { ok: true, value: await context.knativeRevision(namespace, targetRef.name) };
  } catch (error) {
    const key = `${namespace}/${targetRef.name}`;
    return { ok: false, error: `Error fetching Knative service ${key} ${reasonOf(error)}` };
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'it cannot be read';
