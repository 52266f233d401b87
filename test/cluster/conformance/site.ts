/**
 * A cluster that is to keep the promises of the Kubernetes API, and what the tests have in hand to
 * see whether it does. Nothing here says which cluster it is: the tests cannot know.
 */
import type { Calls } from './calls.ts';
import type { Kubectl } from './kubectl.ts';
import type { WebhookServer } from './webhook-server.ts';

export interface Site {
  readonly url: string;
  /** Of an administrator. */
  readonly kubeconfigPath: string;
  /** How long a test waits for what controllers do, before it says that they do not. */
  readonly patienceMs: number;
  /** Makes the server forget all history: what goes on from an older version is refused with 410. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/** What a test is given. */
export interface Ground {
  readonly site: Site;
  /** Plain HTTP: what goes over the wire, and nothing else. */
  readonly calls: Calls;
  readonly kubectl: Kubectl;
  /** Of this run only; kept by tests whose files kubectl reads or writes. */
  readonly directory: string;
  /** As `until` of `support/`, as patient as the site is. */
  readonly until: <Value>(
    what: string,
    probe: () => Promise<Value | undefined | false>,
  ) => Promise<Value>;
  /** One for all tests, since its keys take long to make. */
  readonly webhookServer: () => Promise<WebhookServer>;
  /** A new namespace, which no other test uses. Answers its name. */
  readonly namespace: () => Promise<string>;
  /** A name that no other test uses. */
  readonly name: (prefix: string) => string;
}

/** One promise of the Kubernetes API: sentences, and how to see that each holds. */
export interface Chapter {
  readonly title: string;
  /** The binary that its tests start. */
  readonly needsKubectl: boolean;
  readonly tests: Readonly<Record<string, (ground: Ground) => Promise<void>>>;
}
