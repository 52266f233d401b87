/** Alert providers by the type that an AlertProvider names. */
import type { Alert } from './alert.ts';
import { discord } from './discord.ts';
import { gchat } from './gchat.ts';
import { cloudEvents, generic } from './generic.ts';
import { msteams } from './msteams.ts';
import type { AlertProvider, AlertRequest, Receiver } from './provider.ts';
import { rocket } from './rocket.ts';
import { slack } from './slack.ts';

/** What tells one alert from every other. */
export interface Stamp {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
}

export type Rendered =
  | {
      readonly ok: true;
      readonly request: AlertRequest;
      readonly refusal: (body: string) => string | undefined;
    }
  | { readonly ok: false; readonly error: string };

const providers: Readonly<Record<string, (stamp: Stamp) => AlertProvider>> = {
  slack: () => slack,
  msteams: () => msteams,
  discord: () => discord,
  rocket: () => rocket,
  gchat: () => gchat,
  webhook: () => generic,
  cloudevents: cloudEvents,
};

/** No error shows the address, which authorises. */
export function render(alert: Alert, receiver: Receiver, stamp: Stamp): Rendered {
  const { type, address, channel, username } = receiver;
  const provider = Object.hasOwn(providers, type) ? providers[type]?.(stamp) : undefined;
  if (provider === undefined) return { ok: false, error: `provider ${type} not supported` };
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return { ok: false, error: `invalid ${provider.addressTitle} URL` };
  }
  if (provider.needsChannel && username === '') {
    return { ok: false, error: `empty ${provider.title} username` };
  }
  if (provider.needsChannel && channel === '') {
    return { ok: false, error: `empty ${provider.title} channel` };
  }
  return {
    ok: true,
    request: provider.render(alert, receiver, url),
    refusal: (body) => provider.refusal?.(body),
  };
}
