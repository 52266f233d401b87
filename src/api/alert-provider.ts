/** The AlertProvider object: where alerts go. */
import type { KubeObject } from './kubernetes.ts';

export interface AlertProviderSpec {
  readonly type: string;
  /** `general` where absent. */
  readonly channel?: string;
  /** `flagger` where absent. */
  readonly username?: string;
  readonly address?: string;
  /** URL of an HTTP proxy. */
  readonly proxy?: string;
  /** A Secret in the provider's own namespace, whose key `address` is used before the spec's. */
  readonly secretRef?: { readonly name: string };
}

export interface AlertProvider extends KubeObject {
  readonly spec: AlertProviderSpec;
}
