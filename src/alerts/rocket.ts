/** Rocket.Chat, by an incoming webhook that takes Slack's shape. Spec: `spec/03`, 4.6. */
import type { AlertProvider } from './provider.ts';
import { json } from './provider.ts';
import { attachment } from './slack.ts';

const colors = { info: '#0076D7', warn: '#0076D7', error: '#FF0000' };
const plain = (text: string): string => text;

export const rocket: AlertProvider = {
  title: 'Rocket',
  addressTitle: 'Rocket hook',
  needsChannel: true,
  render: (alert, receiver, url) => ({
    url,
    headers: json,
    body: attachment(alert, receiver, { colors, text: plain }),
  }),
};
