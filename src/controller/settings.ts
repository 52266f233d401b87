/** What the controller was told at its start. */
export interface Settings {
  /** Provider of canaries that name none. */
  readonly meshProvider: string;
  /** Prometheus of canaries that name none. */
  readonly metricsServer: string;
  /** Labels that may tell the target's pods from the primary's, most wanted first. */
  readonly selectorLabels: readonly string[];
  /** Prefixes of labels and annotations that the primary inherits, comma-separated. */
  readonly includeLabelPrefix: string;
  readonly configTracking: boolean;
  readonly noCrossNamespaceRefs: boolean;
  /** Receives the events of canaries that have no event hook of their own; '' for none. */
  readonly eventWebhook: string;
  /** Shown on every alert; '' for nothing. */
  readonly clusterName: string;
}
