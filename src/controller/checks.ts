/**
 * The checks of one verdict that need metric providers: built-in and inline queries in list order,
 * then those of MetricTemplates; the first that is not good ends the verdict (`spec/03`, 1.1).
 */
import { judge } from '../analysis/threshold.ts';
import type { Check, Measured, Verdict } from '../analysis/threshold.ts';
import type { Canary, CanaryMetric } from '../api/canary.ts';
import { displayName, targetDisplayName } from '../api/defaults.ts';
import type { StringMap } from '../api/kubernetes.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import { createPrometheus } from '../metrics/prometheus.ts';
import type { MetricProvider, Measurement } from '../metrics/provider.ts';
import { builtInQuery, isBuiltIn } from '../metrics/queries.ts';
import { providerOf } from '../metrics/registry.ts';
import { renderQuery } from '../metrics/template.ts';
import type { Settings } from './settings.ts';

export interface ChecksOptions {
  readonly settings: Settings;
  readonly template: (namespace: string, name: string) => MetricTemplate | undefined;
  /** Decoded data of a Secret; rejects where it cannot be read. */
  readonly secret: (namespace: string, name: string) => Promise<StringMap>;
  /** A value that was measured, before it is judged; durations in milliseconds. */
  readonly measured: (
    canary: Canary,
    metric: CanaryMetric,
    measured: Measured,
    value: number,
  ) => void;
}

export interface Checks {
  /** The first verdict of the canary's metrics that is not good; undefined where all are. */
  analyse(canary: Canary, signal: AbortSignal): Promise<string | undefined>;
  /** Whether all metric providers can be asked: what is wrong with the first that cannot. */
  probe(canary: Canary, signal: AbortSignal): Promise<string | undefined>;
}

/** A metric whose query is ready to be sent, or is known to be impossible. */
interface Prepared {
  readonly measured: Measured;
  readonly templated: boolean;
  readonly provider: MetricProvider;
  readonly query: string;
  readonly factor: number;
}

type Preparation =
  | { readonly ok: true; readonly prepared: Prepared }
  | { readonly ok: false; readonly message: string };

/** The window of a metric that names none (M-04: of templates too). */
const intervalDefault = '1m';

export function createChecks(options: ChecksOptions): Checks {
  const { settings } = options;

  const analyse: Checks['analyse'] = async (canary, signal) => {
    const metrics = canary.spec.analysis?.metrics ?? [];
    for (const metric of metrics) {
      for (const preparation of prepareBuiltIn(canary, metric, settings)) {
        const message = await check(canary, metric, preparation, signal);
        if (message !== undefined) return message;
      }
    }
    for (const metric of metrics) {
      const preparation = await prepareTemplate(canary, metric, options);
      const message = preparation && (await check(canary, metric, preparation, signal));
      if (message !== undefined) return message;
    }
    return undefined;
  };

  const check = async (
    canary: Canary,
    metric: CanaryMetric,
    preparation: Preparation,
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    if (!preparation.ok) return preparation.message;
    const { measured, templated, provider, query, factor } = preparation.prepared;
    const answer = await provider.query(query, { signal });
    const measurement: Measurement =
      answer.kind === 'Value' ? { kind: 'Value', value: answer.value * factor } : answer;
    if (measurement.kind === 'Value') {
      options.measured(canary, metric, measured, measurement.value);
    }
    const subject: Check = {
      canary: displayName(canary),
      target: targetDisplayName(canary),
      provider: canary.spec.provider ?? settings.meshProvider,
      metric,
      measured,
      templated,
    };
    const verdict: Verdict = judge(subject, measurement);
    return verdict.kind === 'Passed' ? undefined : verdict.message;
  };

  const probe: Checks['probe'] = async (canary, signal) => {
    for (const metric of canary.spec.analysis?.metrics ?? []) {
      const wrong = isBuiltIn(metric.name)
        ? await probeBuiltIn(canary, settings, signal)
        : await probeTemplate(canary, metric, options, signal);
      if (wrong !== undefined) return `Error checking metric providers: ${wrong}`;
    }
    return undefined;
  };
  return { analyse, probe };
}

const serverOf = (canary: Canary, settings: Settings): string =>
  canary.spec.metricsServer || settings.metricsServer;

/** One entry may ask for two checks: a built-in metric, and an inline query. */
function prepareBuiltIn(
  canary: Canary,
  metric: CanaryMetric,
  settings: Settings,
): readonly Preparation[] {
  const address = serverOf(canary, settings);
  const made = createPrometheus({ address });
  const prepare = (query: string, factor: number, measured: Measured): Preparation => {
    if (!made.ok) {
      const message = `Error building Prometheus client for ${address} ${made.error}`;
      return { ok: false, message };
    }
    const rendered = renderQuery(query, modelOf(canary, metric));
    if (!rendered.ok) {
      return {
        ok: false,
        message: `Prometheus query failed for ${metric.name}: ${rendered.error}`,
      };
    }
    const { provider } = made;
    return {
      ok: true,
      prepared: { measured, templated: false, provider, query: rendered.text, factor },
    };
  };
  const preparations: Preparation[] = [];
  if (isBuiltIn(metric.name)) {
    const { query, factor } = builtInQuery(
      canary.spec.provider ?? settings.meshProvider,
      metric.name,
    );
    const measured = metric.name === 'request-duration' ? 'duration' : 'success rate';
    preparations.push(prepare(query, factor, measured));
  }
  if (metric.query) preparations.push(prepare(metric.query, 1, 'query'));
  return preparations;
}

async function prepareTemplate(
  canary: Canary,
  metric: CanaryMetric,
  options: ChecksOptions,
): Promise<Preparation | undefined> {
  const { templateRef } = metric;
  if (templateRef === undefined) {
    if (isBuiltIn(metric.name) || metric.query) return undefined;
    const message = 'Metric query failed for no usable metrics template and query were configured';
    return { ok: false, message };
  }
  const found = await providerFromTemplate(canary, templateRef, options);
  if (!found.ok) return { ok: false, message: `Metric ${found.error}` };
  const { provider, template, label } = found;
  const rendered = renderQuery(template.spec.query, modelOf(canary, metric));
  if (!rendered.ok) {
    return { ok: false, message: `Metric ${label} query render error: ${rendered.error}` };
  }
  const prepared: Prepared = {
    measured: 'query',
    templated: true,
    provider,
    query: rendered.text,
    factor: 1,
  };
  return { ok: true, prepared };
}

type TemplateProvider =
  | {
      readonly ok: true;
      readonly provider: MetricProvider;
      readonly template: MetricTemplate;
      readonly label: string;
    }
  | { readonly ok: false; readonly error: string };

async function providerFromTemplate(
  canary: Canary,
  reference: NonNullable<CanaryMetric['templateRef']>,
  { template: lookUp, secret }: ChecksOptions,
): Promise<TemplateProvider> {
  const namespace = reference.namespace || (canary.metadata.namespace ?? '');
  const label = `template ${reference.name}.${namespace}`;
  const template = lookUp(namespace, reference.name);
  if (template === undefined) {
    const missing = `metrictemplate.flagger.app "${reference.name}" not found`;
    return { ok: false, error: `${label} error: ${missing}` };
  }
  const { secretRef, type } = template.spec.provider;
  let credentials: StringMap | undefined;
  if (secretRef !== undefined) {
    try {
      credentials = await secret(namespace, secretRef.name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'cannot be read';
      return { ok: false, error: `${label} secret ${secretRef.name} error: ${reason}` };
    }
  }
  const made = providerOf(template, credentials);
  if (!made.ok) return { ok: false, error: `${label} provider ${type} error: ${made.error}` };
  return { ok: true, provider: made.provider, template, label };
}

async function probeBuiltIn(
  canary: Canary,
  settings: Settings,
  signal: AbortSignal,
): Promise<string | undefined> {
  const address = serverOf(canary, settings);
  const made = createPrometheus({ address });
  if (!made.ok) return `error building Prometheus client for ${address} ${made.error}`;
  const wrong = await made.provider.probe({ signal });
  // The misspelling is the reference's.
  return wrong === undefined ? undefined : `prometheus not avaiable: ${wrong}`;
}

async function probeTemplate(
  canary: Canary,
  { templateRef }: CanaryMetric,
  options: ChecksOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (templateRef === undefined) return undefined;
  const found = await providerFromTemplate(canary, templateRef, options);
  if (!found.ok) return `metric ${found.error}`;
  const wrong = await found.provider.probe({ signal });
  const { type } = found.template.spec.provider;
  return wrong === undefined
    ? undefined
    : `${type} in metric ${found.label} not avaiable: ${wrong}`;
}

function modelOf(canary: Canary, metric: CanaryMetric) {
  const { targetRef, service, ingressRef, routeRef } = canary.spec;
  return {
    name: canary.metadata.name,
    namespace: canary.metadata.namespace ?? '',
    target: targetRef.name,
    service: service?.name || targetRef.name,
    ingress: ingressRef?.name || targetRef.name,
    route: routeRef?.name || targetRef.name,
    interval: metric.interval || intervalDefault,
    variables: metric.templateVariables ?? {},
  };
}
