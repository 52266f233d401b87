/** The AlertProvider object: where alerts of a Canary go. */
import type { KubeObject } from './kubernetes.ts';

export interface AlertProvider extends KubeObject {
  readonly spec: {
    readonly type: string;
    readonly channel?: string;
    readonly username?: string;
    readonly address?: string;
    readonly proxy?: string;
    readonly secretRef?: { readonly name: string };
  };
}
