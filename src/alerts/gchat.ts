/** Google Chat: a card of HTML paragraphs. Spec: `spec/03`, 4.6; values are escaped. */
import { titleOf } from './alert.ts';
import type { AlertProvider } from './provider.ts';
import { json } from './provider.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const strong = (text: string): string =>
  `<font color=#848484><strong>${escaped(text)}</strong></font>`;

const paragraph = (text: string): object => ({ widgets: [{ textParagraph: { text } }] });

export const gchat: AlertProvider = {
  title: 'Google Chat',
  addressTitle: 'Google Chat webhook',
  needsChannel: false,
  render: (alert, _, url) => ({
    url,
    headers: json,
    body: {
      cards: [
        {
          header: {
            title: 'Flagger',
            subtitle: titleOf(alert),
            imageUrl: 'https://flagger.app/favicon.png',
          },
          sections: [
            paragraph(strong(alert.message)),
            ...alert.fields.map(({ name, value }) =>
              paragraph(`${escaped(name)}<br>${strong(value)}`),
            ),
          ],
        },
      ],
    },
  }),
};
