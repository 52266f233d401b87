/** Metric providers by the type that a MetricTemplate names. */
import type { StringMap } from '../api/kubernetes.ts';
import type { MetricTemplate } from '../api/metric-template.ts';
import { createPrometheus } from './prometheus.ts';
import type { ProviderMade } from './provider.ts';
import type { Transport } from './transport.ts';

/** `credentials` are the decoded data of the Secret that the template refers to, if it does. */
export function providerOf(
  { spec }: MetricTemplate,
  credentials: StringMap | undefined,
  transport: Transport,
): ProviderMade {
  const { type, address = '', headers, insecureSkipVerify } = spec.provider;
  if (type !== 'prometheus') {
    return { ok: false, error: `this version does not support ${type}, only prometheus` };
  }
  return createPrometheus({
    address,
    transport,
    ...(headers === undefined ? {} : { headers }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(insecureSkipVerify === undefined ? {} : { insecureSkipVerify }),
  });
}
