/**
 * The text in which a canary's metric is asked for: a built-in query, an inline one, or that of a
 * MetricTemplate, with the canary's names filled in.
 */
import type { Canary, CanaryMetric } from '../api/canary.ts';
import type { BuiltInMetric, BuiltInQuery } from './queries.ts';
import { builtInQuery } from './queries.ts';
import type { RenderedQuery, TemplateModel } from './template.ts';
import { renderQuery } from './template.ts';

/** The window of a metric that names none (M-04: of templates too). */
export const intervalDefault = '1m';

/** What `{{ route }}` means where no Knative revision has the say. */
export const routeName = ({ spec }: Canary): string => spec.routeRef?.name || spec.targetRef.name;

/** A query of the user's own; `route` is what `{{ route }}` means. */
export function renderOwnQuery(
  source: string,
  canary: Canary,
  metric: CanaryMetric,
  route: string,
): RenderedQuery {
  return renderQuery(source, modelOf(canary, metric, route));
}

export interface RenderedBuiltIn extends BuiltInQuery {
  readonly rendered: RenderedQuery;
}

/** `provider` is the name that `metricsProviderOf` gives. */
export function renderBuiltInQuery(
  provider: string,
  canary: Canary,
  metric: CanaryMetric & { readonly name: BuiltInMetric },
  route: string,
): RenderedBuiltIn {
  const model = modelOf(canary, metric, route);
  const built = builtInQuery(provider, metric.name, canary.spec.targetRef.kind);
  const names = built.namesAreWords ? withWordsForNames(model) : model;
  return { ...built, rendered: renderQuery(built.query, names) };
}

function modelOf({ metadata, spec }: Canary, metric: CanaryMetric, route: string): TemplateModel {
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    target: spec.targetRef.name,
    service: spec.service?.name || spec.targetRef.name,
    ingress: spec.ingressRef?.name || spec.targetRef.name,
    route,
    interval: metric.interval || intervalDefault,
    variables: metric.templateVariables ?? {},
  };
}

function withWordsForNames(model: TemplateModel): TemplateModel {
  const word = (name: string): string => name.replaceAll(/[^0-9A-Za-z_]/g, '_');
  return {
    ...model,
    name: word(model.name),
    namespace: word(model.namespace),
    target: word(model.target),
    service: word(model.service),
    ingress: word(model.ingress),
  };
}
