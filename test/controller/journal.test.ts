/** The journal on a cluster: who made a change, what was measured, and what the API server keeps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckReport } from '../../src/analysis/threshold.ts';
import { canaries, configMaps, deployments } from '../../src/kube/resources.ts';
import { canaryOf, createStage, initialized, setImage, target, key } from '../support/stage.ts';

const report = (value: number, passed: boolean): CheckReport => ({
  metric: 'request-success-rate',
  measured: 'success rate',
  value,
  unit: '%',
  threshold: '>= 99%',
  verdict: passed ? { kind: 'Passed' } : { kind: 'Failed', message: 'too low' },
});

test('who, what, each value and verdict, and the end', async () => {
  const values = [99.812345, 69.17, 69.17];
  const stage = await createStage({
    answers: {
      checks: {
        probe: async () => ({ passed: true, events: [] }),
        analyse: async () => {
          const value = values.shift() ?? 0;
          const passed = value > 99;
          const event = { type: 'Warning', message: 'Halt web.default advancement' } as const;
          const events = passed ? [] : [event];
          return { passed, events, reports: [report(value, passed)] };
        },
      },
    },
  });
  try {
    await initialized(stage, canaryOf({ stepWeight: 20 }));
    await setImage(stage, 'web:2');
    await stage.until('Progressing');
    await stage.until('Failed');
    const [rollout, ...others] = stage.live(canaries).status?.journal ?? [];
    assert.deepEqual(others, []);
    // As whom the stage writes.
    assert.equal(rollout?.by, 'system:kube-controller-manager');
    assert.equal(rollout.cause, 'image app: web:1 -> web:2');
    assert.equal(rollout.outcome, 'Failed');
    assert.match(rollout.why ?? '', /failed checks threshold reached 2/);
    const name = 'request-success-rate';
    const failed = [{ name, value: '69.17%', threshold: '>= 99%', verdict: 'Failed' }];
    assert.deepEqual(
      rollout.steps?.map(({ event, weight, checks }) => [event, weight, checks]),
      [
        ['Started', 0, undefined],
        ['Advanced', 20, undefined],
        ['Advanced', 40, [{ name, value: '99.8123%', verdict: 'Passed' }]],
        ['Halted', 40, failed],
        ['Halted', 40, failed],
      ],
    );
  } finally {
    stage.end();
  }
});

test('a change of configuration is named, and nobody is blamed who made an earlier one', async () => {
  const stage = await createStage();
  try {
    const containers = target.spec.template.spec.containers.map((it) => ({
      ...it,
      envFrom: [{ configMapRef: { name: 'settings' } }],
    }));
    const template = { ...target.spec.template, spec: { containers } };
    const metadata = { ...key, name: 'settings' };
    await stage.apply(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { color: 'blue' },
    });
    await stage.apply(deployments, { ...target, spec: { ...target.spec, template } });
    await stage.apply(canaries, canaryOf());
    await stage.until('Initialized');
    await stage.world.clock.advance(20_000);
    await setImage(stage, 'web:2');
    await stage.until('Progressing');
    await stage.until('Succeeded');
    await stage.world.clock.advance(20_000);
    await stage.edit(configMaps, (it) => ({ ...it, data: { color: 'red' } }), 'settings');
    await stage.until('Progressing');
    await stage.until('Succeeded');
    const [made, rollout] = stage.live(canaries).status?.journal ?? [];
    assert.equal(made?.cause, 'image app: web:1 -> web:2');
    assert.equal(rollout?.cause, 'configuration: configmap/settings');
    assert.equal(rollout.by, undefined);
    assert.equal(rollout.outcome, 'Promoted');
  } finally {
    stage.end();
  }
});
