/** What the rows of `behaviour.ts` ask about a canary. Pure. */
import type {
  Canary,
  CanaryAlert,
  CanaryAnalysis,
  CanaryMetric,
  CanarySpec,
  CanaryStatus,
} from '../../api/canary.ts';
import type { MetricTemplate } from '../../api/metric-template.ts';
import type { ProviderAbilities } from '../../api/providers.ts';
import { effectiveProvider, supportedProviders } from '../../api/providers.ts';
import { statusOf } from '../../canary/status.ts';

export type MetricTemplateSource = (namespace: string, name: string) => MetricTemplate | undefined;

export interface Facts {
  readonly spec: CanarySpec;
  readonly analysis: CanaryAnalysis;
  readonly status: CanaryStatus;
  readonly alerts: readonly CanaryAlert[];
  readonly metrics: readonly CanaryMetric[];
  readonly stepWeights: readonly number[];
  /** Types of its hooks. */
  readonly hooks: ReadonlySet<string>;
  /** Types of the metric providers of its templates. */
  readonly providers: ReadonlySet<string>;
  readonly abilities: Pick<ProviderAbilities, 'mirroring'>;
}

export function factsOf(
  canary: Canary,
  meshProvider: string,
  templates: MetricTemplateSource,
): Facts {
  const { spec } = canary;
  const { analysis = {} } = spec;
  const { alerts = [], metrics = [], stepWeights = [], webhooks = [] } = analysis;
  const provider = effectiveProvider(spec.provider, meshProvider);
  return {
    spec,
    analysis,
    status: statusOf(canary),
    alerts,
    metrics,
    stepWeights,
    hooks: new Set(webhooks.map(({ type }) => type || 'rollout')),
    providers: new Set(
      templatesOf(canary, templates).flatMap((it) => it.template?.spec.provider.type ?? []),
    ),
    abilities: supportedProviders[provider] ?? { mirroring: false },
  };
}

export interface TemplateOfMetric {
  readonly namespace: string;
  readonly name: string;
  /** Absent where there is none. */
  readonly template: MetricTemplate | undefined;
}

/** The templates that its metrics refer to. */
export function templatesOf(
  { metadata, spec }: Canary,
  templates: MetricTemplateSource,
): readonly TemplateOfMetric[] {
  return (spec.analysis?.metrics ?? []).flatMap(({ templateRef }) => {
    if (templateRef === undefined) return [];
    const { name, namespace = metadata.namespace ?? '' } = templateRef;
    return [{ namespace, name, template: templates(namespace, name) }];
  });
}
