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
  /** Of Contour's proxies; '' for none. */
  readonly ingressClass: string;
  /** Of the annotations that Ingress-NGINX reads. */
  readonly ingressAnnotationsPrefix: string;
  readonly noCrossNamespaceRefs: boolean;
  /** Receives the events of canaries that have no event hook of their own; '' for none. */
  readonly eventWebhook: string;
  /** Rollouts that may be in progress at once in the cluster, and in a namespace; 0 for any number. */
  readonly maxProgressing: number;
  readonly maxProgressingPerNamespace: number;
  /** Shown on every alert; '' for nothing. */
  readonly clusterName: string;
}
