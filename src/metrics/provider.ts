/** What a metric provider is: it answers a query with one number, or says why it cannot. */
import type { Measurement } from '../analysis/threshold.ts';

export type { Measurement } from '../analysis/threshold.ts';

export interface QueryOptions {
  /** Ends the query; the answer is then an error. */
  readonly signal: AbortSignal;
}

/** No method throws: what goes wrong is an answer. No answer contains a credential. */
export interface MetricProvider {
  query(text: string, options: QueryOptions): Promise<Measurement>;
  /** Undefined where the provider can be asked; else the reason why not. */
  probe(options: QueryOptions): Promise<string | undefined>;
}

/** The outcome of building a provider from what users wrote. */
export type ProviderMade =
  | { readonly ok: true; readonly provider: MetricProvider }
  | { readonly ok: false; readonly error: string };

export const noValues: Measurement = { kind: 'NoValues', error: 'no values found' };

export const failed = (error: string): Measurement => ({ kind: 'Error', error });
