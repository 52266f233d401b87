/** The condition `Waiting` as users see it on a cluster, and what it costs there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../src/kube/api-error.ts';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { TransportRequest } from '../../src/kube/transport.ts';
import { beforeCalls } from '../support/before-calls.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, createStage, initialized, setImage, target } from '../support/stage.ts';

const waiting = (stage: Stage) =>
  stage.live(canaries).status?.conditions?.find(({ type }) => type === 'Waiting');

/** Refuses calls while told to, and counts the status writes that get through. */
function createGuard(refuses: (request: TransportRequest) => boolean) {
  let isUp = false;
  let statusWrites = 0;
  return {
    set: (up: boolean): void => void (isUp = up),
    statusWrites: () => statusWrites,
    faults: beforeCalls((request) => {
      if (isUp && refuses(request)) {
        const message = 'deployments.apps "web-primary" is forbidden: quota exceeded';
        throw new ApiError(message, { code: 403, reason: 'Forbidden' });
      }
      if (request.path.includes('/canaries/web/status')) statusWrites += 1;
    }),
  };
}

test('a call that fails again and again is named, once, until it passes', async () => {
  const guard = createGuard(
    ({ method, path }) => method === 'POST' && path.includes('/deployments'),
  );
  const stage = await createStage({ faults: guard.faults });
  try {
    guard.set(true);
    await stage.apply(deployments, target);
    await stage.apply(canaries, canaryOf());
    await stage.world.clock.advance(30_000);
    const condition = waiting(stage);
    assert.equal(condition?.reason, 'CallFailed');
    assert.match(
      condition.message ?? '',
      /"web-primary" is forbidden: quota exceeded; trying again$/,
    );
    assert.equal(guard.statusWrites(), 1);
    await stage.world.clock.advance(300_000);
    assert.equal(guard.statusWrites(), 1);
    assert.equal(waiting(stage)?.lastTransitionTime, condition.lastTransitionTime);
    guard.set(false);
    await stage.until('Initialized');
    assert.equal(waiting(stage), undefined);
  } finally {
    stage.end();
  }
});

test('a suspended canary says so, in one write, and starts when it may', async () => {
  const guard = createGuard(() => false);
  const stage = await createStage({ faults: guard.faults });
  try {
    await initialized(stage);
    const before = guard.statusWrites();
    const suspend = (on: boolean) =>
      stage.edit(canaries, (it) => ({ ...it, spec: { ...it.spec, suspend: on } }));
    await suspend(true);
    await setImage(stage, 'web:2');
    await stage.world.clock.advance(300_000);
    assert.equal(waiting(stage)?.reason, 'Suspended');
    assert.equal(guard.statusWrites(), before + 1);
    await suspend(false);
    await stage.until('Succeeded');
    assert.equal(waiting(stage), undefined);
  } finally {
    stage.end();
  }
});

test('a check that fails is named with its value', async () => {
  const message = 'Halt web.default advancement success rate 69.17% < 99%';
  const stage = await createStage({
    answers: {
      checks: {
        probe: async () => ({ passed: true, events: [] }),
        analyse: async () => ({ passed: false, events: [{ type: 'Warning', message }] }),
      },
    },
  });
  try {
    await initialized(stage, canaryOf({ threshold: 3 }));
    await setImage(stage, 'web:2');
    await stage.until('Progressing');
    await stage.world.clock.advanceUntil(() => waiting(stage) !== undefined, 60_000);
    assert.equal(waiting(stage)?.reason, 'CheckFailed');
    assert.equal(waiting(stage)?.message, `${message} (1 of 3 failed checks)`);
    const since = waiting(stage)?.lastTransitionTime;
    await stage.world.clock.advance(10_000);
    assert.equal(waiting(stage)?.message, `${message} (2 of 3 failed checks)`);
    assert.equal(waiting(stage)?.lastTransitionTime, since);
    await stage.until('Failed');
    assert.equal(waiting(stage), undefined);
  } finally {
    stage.end();
  }
});
