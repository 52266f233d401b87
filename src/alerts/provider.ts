/**
 * What an alert provider is: a translation of an alert to one HTTP request, and of the answer to
 * whether it arrived. Sending, waiting and trying again are the outbox's.
 */
import type { Alert } from './alert.ts';

/** Where one kind of alert goes. */
export interface Receiver {
  readonly type: string;
  /** With what authorises, often: never logged, never shown. */
  readonly address: string;
  readonly channel: string;
  readonly username: string;
  readonly token?: string;
  /** URL of an HTTP proxy; the environment's where absent. */
  readonly proxy?: string;
}

export interface AlertRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface AlertProvider {
  /** How errors call it. */
  readonly title: string;
  readonly addressTitle: string;
  readonly needsChannel: boolean;
  render(alert: Alert, receiver: Receiver, url: URL): AlertRequest;
  /** Why an answer with a good status is a refusal all the same; undefined where it is none. */
  refusal?(body: string): string | undefined;
}

export const json = { 'content-type': 'application/json' } as const;
