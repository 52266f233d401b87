import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Alert, Severity } from '../../src/alerts/alert.ts';
import { receives } from '../../src/alerts/alert.ts';
import type { Receiver } from '../../src/alerts/provider.ts';
import { render } from '../../src/alerts/registry.ts';

const stamp = { id: 'id-1', time: '2026-01-01T00:00:00Z' };
const alert: Alert = {
  severity: 'info',
  canary: { namespace: 'test', name: 'podinfo' },
  message: 'New revision detected, progressing canary analysis.',
  fields: [{ name: 'Cluster', value: 'c1' }],
};
const receiver = (type: string, address = 'https://hooks.test/a?wait=1'): Receiver => ({
  type,
  address,
  channel: 'general',
  username: 'flagger',
});
const rendered = (given: Alert, to: Receiver) => {
  const found = render(given, to, stamp);
  assert.ok(found.ok, found.ok ? '' : found.error);
  return { ...found.request, refusal: found.refusal };
};

/** `spec/03`, 4.6: one shape for three providers. */
const attachment = (color: string, text = alert.message) => ({
  channel: 'general',
  username: 'flagger',
  icon_url: '',
  icon_emoji: ':rocket:',
  attachments: [
    {
      color,
      author_name: 'podinfo.test',
      text,
      mrkdwn_in: ['text'],
      fields: [{ title: 'Cluster', value: 'c1', short: false }],
    },
  ],
});

suite('bodies, as spec/03 4.6 has them', () => {
  const colors: Readonly<Record<string, Readonly<Record<Severity, string>>>> = {
    slack: { info: 'good', warn: 'good', error: 'danger' },
    discord: { info: 'good', warn: 'good', error: 'danger' },
    rocket: { info: '#0076D7', warn: '#0076D7', error: '#FF0000' },
  };
  for (const [type, bySeverity] of Object.entries(colors)) {
    for (const [severity, color] of Object.entries(bySeverity)) {
      test(`${type} on ${severity}`, () => {
        const given = { ...alert, severity: severity as Severity };
        assert.deepEqual(rendered(given, receiver(type)).body, attachment(color));
      });
    }
  }
  test('no facts are an empty list', () => {
    const { body } = rendered({ ...alert, fields: [] }, receiver('slack'));
    const [first] = (body as ReturnType<typeof attachment>).attachments;
    assert.deepEqual(first?.fields, []);
  });
  for (const [severity, themeColor] of Object.entries({ info: '0076D7', error: 'FF0000' })) {
    test(`msteams on ${severity}`, () => {
      const given = { ...alert, severity: severity as Severity };
      assert.deepEqual(rendered(given, receiver('msteams')).body, {
        '@type': 'MessageCard',
        '@context': 'http://schema.org/extensions',
        themeColor,
        summary: 'podinfo.test',
        sections: [
          {
            activityTitle: alert.message,
            activitySubtitle: 'podinfo.test',
            facts: [{ name: 'Cluster', value: 'c1' }],
          },
        ],
      });
    });
  }
  test('gchat, with markup in values escaped', () => {
    const given = { ...alert, message: 'a < b', fields: [{ name: 'x', value: '<1>' }] };
    const strong = (text: string): string => `<font color=#848484><strong>${text}</strong></font>`;
    const card = (text: string) => ({ widgets: [{ textParagraph: { text } }] });
    assert.deepEqual(rendered(given, receiver('gchat')).body, {
      cards: [
        {
          header: {
            title: 'Flagger',
            subtitle: 'podinfo.test',
            imageUrl: 'https://flagger.app/favicon.png',
          },
          sections: [card(strong('a &lt; b')), card(`x<br>${strong('&lt;1&gt;')}`)],
        },
      ],
    });
  });
  test('a webhook of one’s own gets the alert as it is', () => {
    assert.deepEqual(rendered(alert, receiver('webhook')).body, {
      severity: 'info',
      name: 'podinfo',
      namespace: 'test',
      message: alert.message,
      metadata: { Cluster: 'c1' },
    });
  });
  test('a CloudEvent has what version 1.0 requires', () => {
    const { body, headers } = rendered(alert, receiver('cloudevents'));
    const { specversion, id, source, type, time, data } = body as Record<string, unknown>;
    assert.match(headers['content-type'] ?? '', /^application\/cloudevents\+json/);
    assert.deepEqual([specversion, id, time], ['1.0', stamp.id, stamp.time]);
    assert.equal(source, '/apis/flagger.app/v1beta1/namespaces/test/canaries/podinfo');
    assert.equal(type, 'dev.aviary.canary.info');
    assert.deepEqual(data, rendered(alert, receiver('webhook')).body);
  });
  test('a workflow of Teams gets an adaptive card', () => {
    const workflow = 'https://prod-1.westeurope.logic.azure.com/workflows/x';
    const { body } = rendered(alert, receiver('msteams', workflow));
    assert.equal((body as { readonly type?: string }).type, 'message');
    assert.ok(JSON.stringify(body).includes(alert.message));
  });
});

suite('addresses', () => {
  const urls: Readonly<Record<string, readonly [string, string, string]>> = {
    'discord gets a path of its own': [
      'discord',
      'https://discord.test/a?wait=1',
      'https://discord.test/a/slack?wait=1',
    ],
    'discord keeps the path where it has it': [
      'discord',
      'https://discord.test/a/slack',
      'https://discord.test/a/slack',
    ],
    'others are taken as they are': ['rocket', 'https://r.test/x', 'https://r.test/x'],
  };
  for (const [name, [type, address, expected]] of Object.entries(urls)) {
    test(name, () => assert.equal(rendered(alert, receiver(type, address)).url.href, expected));
  }
  const refused: Readonly<Record<string, readonly [Receiver, string]>> = {
    'slack without a URL': [receiver('slack', 'secret'), 'invalid Slack hook URL'],
    'discord without a URL': [receiver('discord', ''), 'invalid Discord hook URL'],
    'teams without a URL': [receiver('msteams', ''), 'invalid MS Teams webhook URL'],
    'google chat without a URL': [receiver('gchat', ''), 'invalid Google Chat webhook URL'],
    'rocket without a channel': [{ ...receiver('rocket'), channel: '' }, 'empty Rocket channel'],
    'slack without a user': [{ ...receiver('slack'), username: '' }, 'empty Slack username'],
    'a scheme that is no HTTP': [receiver('slack', 'file:///etc/x'), 'invalid Slack hook URL'],
    'a type that there is not': [receiver('pager'), 'provider pager not supported'],
    'a type that every object has': [receiver('constructor'), 'provider constructor not supported'],
  };
  for (const [name, [to, error]] of Object.entries(refused)) {
    test(`${name} is refused, and not shown`, () =>
      assert.deepEqual(render(alert, to, stamp), { ok: false, error }));
  }
});

suite('Slack', () => {
  test('a token authorises', () => {
    const { headers } = rendered(alert, { ...receiver('slack'), token: 'xoxb' });
    assert.equal(headers['authorization'], 'Bearer xoxb');
  });
  test('a refusal in a 200 is one', () => {
    const { refusal } = rendered(alert, receiver('slack'));
    assert.equal(refusal('{"ok":false,"error":"channel_not_found"}'), 'channel_not_found');
    assert.equal(refusal('{"ok":true}'), undefined);
    assert.equal(refusal('ok'), undefined);
  });
  test('its control characters are escaped', () => {
    const given = { ...alert, message: 'a < b & c' };
    assert.deepEqual(
      rendered(given, receiver('slack')).body,
      attachment('good', 'a &lt; b &amp; c'),
    );
  });
});

suite('severities (spec/03, 4.3; M-15)', () => {
  const heard: Readonly<Record<string, readonly Severity[]>> = {
    info: ['info', 'warn', 'error'],
    warn: ['warn', 'error'],
    error: ['error'],
    '': ['info', 'warn', 'error'],
  };
  for (const [asked, expected] of Object.entries(heard)) {
    test(`who asks for '${asked}' hears of ${expected.join(', ')}`, () => {
      const all: readonly Severity[] = ['info', 'warn', 'error'];
      assert.deepEqual(
        all.filter((it) => receives(asked as Severity | '', it)),
        expected,
      );
    });
  }
});
