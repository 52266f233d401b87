/** Which alerts a whole rollout sends, in order and once (`spec/03`, 4.4 and 9). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import type { CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import { ApiError } from '../../src/kube/api-error.ts';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { ProcessOptions } from '../../src/rehearsal/controller-process.ts';
import { beforeCalls } from '../support/before-calls.ts';
import type { Stage, StageOptions } from '../support/stage.ts';
import { canaryOf, createStage, initialized, onStage, setImage, target } from '../support/stage.ts';

interface Given {
  readonly analysis?: CanaryAnalysis;
  readonly spec?: Partial<CanarySpec>;
  readonly passes?: boolean;
  readonly neverReady?: boolean;
  /** Which hooks say no, until when. */
  readonly closedUntilMs?: number;
}

const into = (alerts: Alert[]): NonNullable<ProcessOptions['answers']>['alerts'] & object => ({
  outbox: { add: ({ alert }) => void alerts.push(alert) },
  fallback: { type: 'slack', address: 'https://x.test', channel: 'c', username: 'u' },
});

/** The alerts of one change, told as `severity message [facts]`. */
async function told(given: Given): Promise<readonly string[]> {
  const alerts: Alert[] = [];
  const stage = await createStage({
    passes: () => given.passes ?? true,
    isReady: (image) => given.neverReady !== true || image !== 'web:2',
    answers: {
      alerts: into(alerts),
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

suite('alerts outside of a rollout: halted until somebody acts', () => {
  const missing =
    'error Halted until somebody acts: deployment web.default get query error: ' +
    'deployments.apps "web" not found; create it, or change spec.targetRef of canary web.default';
  const second = (n: number): number => n * 1000;

  interface Listening {
    readonly stage: Stage;
    readonly alerts: () => readonly string[];
  }

  async function listening(
    acts: (it: Listening) => Promise<void>,
    options: StageOptions = {},
  ): Promise<void> {
    const alerts: Alert[] = [];
    const told = () => alerts.map(({ severity, message }) => `${severity} ${message}`);
    await onStage((stage) => acts({ stage, alerts: told }), {
      ...options,
      answers: { alerts: into(alerts) },
    });
  }

  test('a target that is not there, once, when that has lasted for an interval', () =>
    listening(async ({ stage, alerts }) => {
      await stage.apply(canaries, canaryOf());
      await stage.world.clock.advance(second(8));
      assert.deepEqual(alerts(), []);
      await stage.world.clock.advance(second(3));
      assert.deepEqual(alerts(), [missing]);
      await stage.world.clock.advance(second(600));
      assert.deepEqual(alerts(), [missing]);
    }));

  test('not one that comes a little later: the order of apply does not matter', () =>
    listening(async ({ stage, alerts }) => {
      await stage.apply(canaries, canaryOf());
      await stage.world.clock.advance(second(5));
      await stage.apply(deployments, target);
      await stage.until('Initialized');
      await stage.world.clock.advance(second(20));
      assert.deepEqual(alerts(), ['info New Deployment detected, initialization completed.']);
    }));

  test('one that goes again is told again', () =>
    listening(async ({ stage, alerts }) => {
      await initialized(stage);
      for (const _ of [1, 2]) {
        await stage.remove(deployments);
        await stage.world.clock.advance(second(20));
        await stage.apply(deployments, target);
        await stage.world.clock.advance(second(20));
      }
      assert.deepEqual(alerts().slice(1), [missing, missing]);
    }));

  test('not once more by a process that starts', () =>
    listening(async ({ stage, alerts }) => {
      await stage.apply(canaries, canaryOf());
      await stage.world.clock.advance(second(30));
      assert.deepEqual(alerts(), [missing]);
      stage.process.kill();
      const again: Alert[] = [];
      const other = stage.world.start({
        name: 'other',
        isAlone: true,
        answers: { alerts: into(again) },
      });
      await stage.world.clock.advance(second(60));
      other.kill();
      assert.deepEqual(again, []);
    }));

  test('a first revision whose pods never come', () =>
    listening(
      async ({ stage, alerts }) => {
        await stage.apply(deployments, target);
        await stage.apply(canaries, canaryOf());
        await stage.world.clock.advance(second(60));
        assert.deepEqual(alerts(), []);
        await stage.world.clock.advance(second(120));
        assert.equal(alerts().length, 1);
        assert.match(
          alerts()[0] ?? '',
          /^error Halted until somebody acts: web-primary\.default not ready: /,
        );
      },
      { isReady: (_, pod) => !pod.startsWith('web-primary') },
    ));

  const failing = (error: () => ApiError, untilMs: number, told: readonly RegExp[]) => {
    let now = (): number => 0;
    const faults = beforeCalls(({ method, path }) => {
      if (method === 'POST' && path.includes('/deployments') && now() < untilMs) throw error();
    });
    return listening(
      async ({ stage, alerts }) => {
        now = () => stage.world.clock.monotonic();
        await stage.apply(deployments, target);
        await stage.apply(canaries, canaryOf());
        await stage.world.clock.advance(second(600));
        const errors = alerts().filter((line) => line.startsWith('error'));
        assert.equal(errors.length, told.length, errors.join('\n'));
        for (const [index, pattern] of told.entries()) assert.match(errors[index] ?? '', pattern);
      },
      { faults },
    );
  };
  const quota = () =>
    new ApiError('deployments.apps "web-primary" is forbidden: quota exceeded', {
      code: 403,
      reason: 'Forbidden',
    });
  const away = () =>
    new ApiError('create deployments: no answer', { code: 0, reason: 'ConnectionFailed' });

  test('a call that is refused again and again', () =>
    failing(quota, Infinity, [/^error Tried again and again: .*quota exceeded$/]));

  test('an API server that is away for minutes, and not one that is replaced', async () => {
    await failing(away, second(240), [/^error Tried again and again: .*no answer$/]);
    await failing(away, second(15), []);
  });
});
