/** Which alerts a whole rollout sends, in order and once (`spec/03`, 4.4 and 9). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import type { Canary, CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import type { Deployment } from '../../src/api/kubernetes.ts';
import { quietLog } from '../../src/kube/quiet-log.ts';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { World } from '../../src/rehearsal/world.ts';
import { createWorld } from '../../src/rehearsal/world.ts';

const key = { namespace: 'default', name: 'web' };

interface Given {
  readonly analysis?: CanaryAnalysis;
  readonly spec?: Partial<CanarySpec>;
  readonly passes?: boolean;
  readonly neverReady?: boolean;
  /** Which hooks say no, until when. */
  readonly closedUntilMs?: number;
}

const target: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: key,
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image: 'web:1', ports: [{ containerPort: 80 }] }] },
    },
  },
};

const canaryOf = ({ analysis, spec }: Given): Canary => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: key,
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    service: { port: 80 },
    progressDeadlineSeconds: 60,
    analysis: {
      interval: '10s',
      threshold: 2,
      stepWeight: 50,
      maxWeight: 50,
      metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }],
      ...analysis,
    },
    ...spec,
  },
});

/** The alerts of one change, told as `severity message [facts]`. */
async function told(given: Given): Promise<readonly string[]> {
  const alerts: Alert[] = [];
  const world = await createWorld({
    seed: 1,
    log: quietLog,
    workloads: {
      isFurnished: false,
      plan: ({ spec }) =>
        given.neverReady === true && spec.containers[0]?.image === 'web:2' ? {} : { readyMs: 500 },
    },
  });
  const { api } = world.cluster;
  const process = world.start({
    name: 'aviary',
    isAlone: true,
    answers: {
      alerts: {
        outbox: { add: ({ alert }) => void alerts.push(alert) },
        fallback: { type: 'slack', address: 'https://x.test', channel: 'c', username: 'u' },
      },
      checks: {
        probe: async () => ({ passed: true, events: [] }),
        analyse: async () => ({ passed: given.passes ?? true, events: [] }),
      },
      post: async ({ pathname }) => {
        const isGate = pathname !== '/rollback';
        const isOpen = isGate && world.clock.monotonic() >= (given.closedUntilMs ?? 0);
        return { status: isOpen ? 200 : 403, reason: '', body: '', headers: {} };
      },
    },
  });
  const writes = [api.create(deployments, target), api.create(canaries, canaryOf(given))];
  await until(world, 'Initialized');
  await Promise.all(writes);
  await world.clock.advance(20_000);
  const live = api.get(deployments, key) ?? assert.fail('no target');
  const written = api.update(deployments, withImage(live, 'web:2'));
  await world.clock.advance(1_000);
  await written;
  await until(world, 'Succeeded', 'Failed');
  await world.clock.advance(20_000);
  process.kill();
  world.cluster.stop();
  return alerts.map(({ severity, message, fields }) => {
    const facts = fields.map((it) => it.name);
    return [severity, message, ...(facts.length > 0 ? [`[${facts.join(', ')}]`] : [])].join(' ');
  });
}

async function until(world: World, ...phases: readonly string[]): Promise<void> {
  const phase = (): string => world.read(canaries, key)?.status?.phase ?? '';
  const reached = await world.clock.advanceUntil(() => phases.includes(phase()), 600_000);
  assert.ok(reached, `never ${phases.join(' or ')}, but ${phase()}`);
}

function withImage(deployment: Deployment, image: string): Deployment {
  const { template } = deployment.spec;
  const containers = template.spec.containers.map((it) => ({ ...it, image }));
  const changed = { ...template, spec: { ...template.spec, containers } };
  return { ...deployment, spec: { ...deployment.spec, template: changed } };
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
