/** What a metric provider is: it answers a query with one number, or says why it cannot. */

export type Measurement =
  | { readonly kind: 'Value'; readonly value: number }
  /** The provider answered, and had nothing to say. */
  | { readonly kind: 'NoValues'; readonly error: string }
  | { readonly kind: 'Error'; readonly error: string };

export interface QueryOptions {
  readonly signal: AbortSignal;
}

/** No method throws: what goes wrong is an answer. No answer contains a credential. */
export interface MetricProvider {
  query(text: string, options: QueryOptions): Promise<Measurement>;
  /** Undefined where the provider can be asked; else the reason why not. */
  probe(options: QueryOptions): Promise<string | undefined>;
}

export const noValues: Measurement = { kind: 'NoValues', error: 'no values found' };

export const failed = (error: string): Measurement => ({ kind: 'Error', error });
