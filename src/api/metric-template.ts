/** The MetricTemplate object: a metric provider and a query with holes in it. */
import type { KubeObject } from './kubernetes.ts';

export interface MetricProviderSpec {
  readonly type: string;
  readonly address?: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** A Secret in the template's own namespace. */
  readonly secretRef?: { readonly name: string };
  readonly region?: string;
  readonly insecureSkipVerify?: boolean;
}

export interface MetricTemplate extends KubeObject {
  readonly spec: { readonly provider: MetricProviderSpec; readonly query: string };
}
