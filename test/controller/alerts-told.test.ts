/** Which alerts a whole rollout sends, in order and once (`spec/03`, 4.4 and 9). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import type { CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import { canaryOf, createStage, initialized, setImage } from '../support/stage.ts';

interface Given {
  readonly analysis?: CanaryAnalysis;
  readonly spec?: Partial<CanarySpec>;
  readonly passes?: boolean;
  readonly neverReady?: boolean;
  /** Which hooks say no, until when. */
  readonly closedUntilMs?: number;
}

/** The alerts of one change, told as `severity message [facts]`. */
async function told(given: Given): Promise<readonly string[]> {
  const alerts: Alert[] = [];
  const stage = await createStage({
    passes: () => given.passes ?? true,
    isReady: (image) => given.neverReady !== true || image !== 'web:2',
    answers: {
      alerts: {
        outbox: { add: ({ alert }) => void alerts.push(alert) },
        fallback: { type: 'slack', address: 'https://x.test', channel: 'c', username: 'u' },
      },
      post: async ({ pathname }) => {
        const isGate = pathname !== '/rollback';
        const isOpen = isGate && stage.world.clock.monotonic() >= (given.closedUntilMs ?? 0);
        return { status: isOpen ? 200 : 403, reason: '', body: '', headers: {} };
      },
    },
  });
  await initialized(stage, canaryOf(given.analysis, given.spec));
  await setImage(stage, 'web:2');
  await stage.until('Succeeded', 'Failed');
  await stage.world.clock.advance(20_000);
  stage.end();
  return alerts.map(({ severity, message, fields }) => {
    const facts = fields.map((it) => it.name);
    return [severity, message, ...(facts.length > 0 ? [`[${facts.join(', ')}]`] : [])].join(' ');
  });
}

const facts = '[Target, Failed checks threshold, Progress deadline, Traffic routing]';
const begun = [
  `info New Deployment detected, initialization completed. ${facts}`,
  `info New revision detected, progressing canary analysis. ${facts}`,
];
const gate = (type: 'confirm-rollout' | 'confirm-traffic-increase' | 'confirm-promotion') => ({
  webhooks: [{ name: 'gate', type, url: `http://hooks.test/${type}` }],
});

suite('alerts of a rollout', () => {
  const cases: Readonly<Record<string, readonly [Given, readonly string[]]>> = {
    'that is promoted': [
      {},
      [...begun, 'info Canary analysis completed successfully, promotion finished.'],
    ],
    'that fails its checks': [
      { passes: false },
      [...begun, 'error Failed checks threshold reached 2'],
    ],
    'whose pods never come (M-16)': [
      { neverReady: true },
      [
        ...begun,
        'error Progress deadline exceeded canary deployment web.default not ready: waiting for rollout to finish: 0 of 1 (readyThreshold 100%) updated replicas are available',
      ],
    ],
    'whose analysis is skipped': [
      { spec: { skipAnalysis: true } },
      [...begun, 'info Canary analysis was skipped, promotion finished.'],
    ],
    'whose start somebody must approve': [
      { analysis: gate('confirm-rollout'), closedUntilMs: 60_000 },
      [
        begun[0] ?? '',
        'warn Canary is waiting for approval.',
        begun[1] ?? '',
        'info Canary analysis completed successfully, promotion finished.',
      ],
    ],
    'whose traffic gate is closed for a while: told once, not at every verdict': [
      { analysis: gate('confirm-traffic-increase'), closedUntilMs: 90_000 },
      [
        ...begun,
        'warn Canary traffic increase is waiting for approval.',
        'info Canary analysis completed successfully, promotion finished.',
      ],
    ],
    'whose promotion gate is closed for a while': [
      { analysis: gate('confirm-promotion'), closedUntilMs: 90_000 },
      [
        ...begun,
        'warn Canary promotion is waiting for approval.',
        'info Canary analysis completed successfully, promotion finished.',
      ],
    ],
    'whose gate is muted': [
      {
        analysis: {
          webhooks: [{ ...gate('confirm-promotion').webhooks[0], muteAlert: true } as never],
        },
        closedUntilMs: 90_000,
      },
      [...begun, 'info Canary analysis completed successfully, promotion finished.'],
    ],
  };
  for (const [name, [given, expected]] of Object.entries(cases)) {
    test(name, async () => assert.deepEqual(await told(given), expected));
  }
});
