/**
 * Microsoft Teams. Connectors of Office 365 take a MessageCard (`spec/03`, 4.6) and are being
 * retired; the workflows that replace them take an Adaptive Card. The host tells which it is.
 */
import type { Alert } from './alert.ts';
import { titleOf } from './alert.ts';
import type { AlertProvider } from './provider.ts';
import { json } from './provider.ts';

/** Hosts of Power Automate, where workflows live. */
const workflowHosts = /(^|\.)(logic\.azure\.com|logic\.azure\.us|api\.powerplatform\.com)$/;

const messageCard = (alert: Alert): object => ({
  '@type': 'MessageCard',
  '@context': 'http://schema.org/extensions',
  themeColor: alert.severity === 'error' ? 'FF0000' : '0076D7',
  summary: titleOf(alert),
  sections: [
    {
      activityTitle: alert.message,
      activitySubtitle: titleOf(alert),
      facts: alert.fields,
    },
  ],
});

const adaptiveColors = { info: 'Good', warn: 'Warning', error: 'Attention' } as const;

const adaptiveCard = (alert: Alert): object => ({
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [
          { type: 'TextBlock', text: titleOf(alert), weight: 'Bolder' },
          {
            type: 'TextBlock',
            text: alert.message,
            color: adaptiveColors[alert.severity],
            wrap: true,
          },
          {
            type: 'FactSet',
            facts: alert.fields.map(({ name, value }) => ({ title: name, value })),
          },
        ],
      },
    },
  ],
});

export const msteams: AlertProvider = {
  title: 'MS Teams',
  addressTitle: 'MS Teams webhook',
  needsChannel: false,
  render: (alert, _, url) => ({
    url,
    headers: json,
    body: workflowHosts.test(url.hostname) ? adaptiveCard(alert) : messageCard(alert),
  }),
};
