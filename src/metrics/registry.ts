/** Metric providers by the type that a MetricTemplate names. */
import type { MetricTemplate } from '../api/metric-template.ts';
import type { StringMap } from '../api/kubernetes.ts';
import type { ProviderMade } from './prometheus.ts';
import { createPrometheus } from './prometheus.ts';

/** `credentials` are the decoded data of the Secret that the template refers to. */
export function providerOf(
  { spec }: MetricTemplate,
  credentials: StringMap | undefined,
): ProviderMade {
  const { type, address = '', headers, insecureSkipVerify } = spec.provider;
  if (type !== 'prometheus') {
    return { ok: false, error: `this version has no provider ${type}, it has prometheus` };
  }
  return createPrometheus({
    address,
    ...(headers === undefined ? {} : { headers }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(insecureSkipVerify === undefined ? {} : { insecureSkipVerify }),
  });
}
