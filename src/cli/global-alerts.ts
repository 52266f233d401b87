/** The receiver of alerts that the flags name, for canaries that name none (`spec/03`, 4.1). */
import type { Receiver } from '../alerts/provider.ts';
import type { ControllerFlags } from './flags.ts';

export type GlobalReceiver =
  | { readonly kind: 'None' }
  | { readonly kind: 'Receiver'; readonly receiver: Receiver }
  /** Why the flags make no receiver: alerts are off then. */
  | { readonly kind: 'Refused'; readonly reason: string };

/** Teams takes the place of Slack. */
export function globalReceiver({ slack, msteams }: ControllerFlags): GlobalReceiver {
  if (msteams.url !== '') {
    const { url, proxyUrl } = msteams;
    if (!URL.canParse(url)) return { kind: 'Refused', reason: 'invalid MS Teams webhook URL' };
    const receiver = { type: 'msteams', address: url, channel: '', username: '' };
    return { kind: 'Receiver', receiver: withProxy(receiver, proxyUrl) };
  }
  const { url, channel, user, token, proxyUrl } = slack;
  if (url === '') return { kind: 'None' };
  if (!URL.canParse(url)) return { kind: 'Refused', reason: 'invalid Slack hook URL' };
  if (user === '') return { kind: 'Refused', reason: 'empty Slack username' };
  if (channel === '') return { kind: 'Refused', reason: 'empty Slack channel' };
  const receiver = { type: 'slack', address: url, channel, username: user };
  const authorised = token === '' ? receiver : { ...receiver, token };
  return { kind: 'Receiver', receiver: withProxy(authorised, proxyUrl) };
}

const withProxy = (receiver: Receiver, proxy: string): Receiver =>
  proxy === '' ? receiver : { ...receiver, proxy };
