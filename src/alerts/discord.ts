/** Discord, by the webhook that takes Slack's shape. Spec: `spec/03`, 4.6. */
import type { AlertProvider } from './provider.ts';
import { json } from './provider.ts';
import { attachment } from './slack.ts';

const colors = { info: 'good', warn: 'good', error: 'danger' };
const plain = (text: string): string => text;

export const discord: AlertProvider = {
  title: 'Discord',
  addressTitle: 'Discord hook',
  needsChannel: true,
  render: (alert, receiver, url) => {
    const slackUrl = new URL(url);
    if (!/\/slack\/?$/.test(slackUrl.pathname)) {
      slackUrl.pathname = `${slackUrl.pathname.replace(/\/$/, '')}/slack`;
    }
    const body = attachment(alert, receiver, { colors, text: plain });
    return { url: slackUrl, headers: json, body };
  },
};
