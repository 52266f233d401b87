/**
 * Slack, by incoming webhook or by a bot's token; and the shape that Discord and Rocket.Chat
 * understand too. Spec: `spec/03`, 4.6.
 */
import type { Alert, Severity } from './alert.ts';
import { titleOf } from './alert.ts';
import type { AlertProvider, Receiver } from './provider.ts';
import { json } from './provider.ts';

export type Colors = Readonly<Record<Severity, string>>;

const colors: Colors = { info: 'good', warn: 'good', error: 'danger' };

/** `&`, `<` and `>` are control characters of Slack's markup. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function attachment(
  alert: Alert,
  { channel, username }: Receiver,
  style: { readonly colors: Colors; readonly text: (text: string) => string },
): object {
  return {
    channel,
    username,
    icon_url: '',
    icon_emoji: ':rocket:',
    attachments: [
      {
        color: style.colors[alert.severity],
        author_name: titleOf(alert),
        text: style.text(alert.message),
        mrkdwn_in: ['text'],
        fields: alert.fields.map(({ name, value }) => ({
          title: name,
          value: style.text(value),
          short: false,
        })),
      },
    ],
  };
}

export const slack: AlertProvider = {
  title: 'Slack',
  addressTitle: 'Slack hook',
  needsChannel: true,
  render: (alert, receiver, url) => {
    const { token = '' } = receiver;
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` };
    return {
      url,
      headers: { ...json, ...authorization },
      body: attachment(alert, receiver, { colors, text: escaped }),
    };
  },
  // The API that tokens are for says in a 200 that it refused.
  refusal: (body) => {
    const found = /"ok"\s*:\s*false/.test(body);
    if (!found) return undefined;
    return /"error"\s*:\s*"([\w.]+)"/.exec(body)?.[1] ?? 'refused';
  },
};
