/** The fast way back over whole rollouts: what is remembered, and what skips its analysis. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { allHooks, canaryOf, idOf, stepping } from './builders.ts';
import type { Driver, Setup } from './driver.ts';
import { createDriver } from './driver.ts';

const canary = canaryOf({ ...stepping, rollbackWindow: '10m' });

/** Applies one revision after the other, each when the one before has ended. */
function played(setup: Setup, ...revisions: readonly string[]): Driver {
  const driver = createDriver({ canary, ...setup });
  driver.run({ forMs: 60_000 });
  for (const revision of revisions) {
    driver.setImage(revision);
    driver.run({ forMs: 120_000 });
  }
  return driver;
}

const remembered = ({ world }: Driver) =>
  world.canary.status?.promoted?.map(({ revision, until }) =>
    until === undefined ? `${revision} serves` : revision,
  );

const asked = (driver: Driver): number =>
  driver.trace.filter((line) => line.includes('Starting canary analysis')).length;

suite('a revision that was promoted before', () => {
  test('goes straight to promotion within the window', () => {
    const driver = played({}, 'v2', 'v1');
    assert.equal(driver.world.canary.status?.phase, 'Succeeded');
    assert.equal(driver.world.primary?.revision, 'v1');
    assert.equal(asked(driver), 1, 'only v2 was analysed');
    const back = driver.trace.slice(driver.trace.findIndex((line) => line.startsWith('180s')));
    assert.deepEqual(back, [
      '180s E New revision detected! Scaling up podinfo.default',
      `180s E Revision ${idOf('v1')} of podinfo.default served within 10m, going straight to promotion`,
      '180s → Progressing 0 0 100:0 pods=0',
      '180s → Progressing 0 0 100:0 pods=2',
      '182s E Copying podinfo.default template spec to podinfo-primary.default',
      '182s → Promoting 0 0 100:0 pods=2',
      '184s → Finalising 0 0 100:0 pods=2',
      '184s E Promotion completed! Canary analysis was skipped for podinfo.default',
      '184s → Succeeded 0 0 100:0 pods=0',
    ]);
  });

  test('is analysed like any other when the window is over', () => {
    const driver = createDriver({ canary });
    driver.run({ forMs: 60_000 });
    driver.setImage('v2');
    driver.run({ forMs: 900_000 });
    driver.setImage('v1');
    driver.run();
    assert.equal(asked(driver), 2);
  });

  test('is analysed where there is no window', () => {
    assert.equal(asked(played({ canary: canaryOf(stepping) }, 'v2', 'v1')), 2);
  });

  test('cuts the analysis of another one short', () => {
    const driver = played({}, 'v2');
    driver.setImage('v3');
    driver.run({ forMs: 5_000 });
    assert.equal(driver.world.split?.canary, 50);
    driver.setImage('v1');
    driver.run({ forMs: 5_000 });
    assert.equal(driver.world.split?.canary, 0);
    driver.run({ forMs: 60_000 });
    assert.equal(driver.world.primary?.revision, 'v1');
    assert.equal(asked(driver), 2, 'v2 and v3');
  });

  test('passes confirm-rollout, and no other gate or test, as with skipAnalysis', () => {
    const hooked = canaryOf({ ...stepping, rollbackWindow: '10m', webhooks: allHooks });
    const driver = createDriver({ canary: hooked });
    driver.run({ forMs: 60_000 });
    driver.setImage('v2');
    driver.run({ forMs: 120_000 });
    const before = driver.trace.length;
    driver.setImage('v1');
    driver.run({ forMs: 120_000 });
    const called = driver.trace.slice(before).filter((line) => line.includes('s H '));
    assert.deepEqual(
      called.map((line) => line.replace(/^\d+s H /, '')),
      ['confirm-rollout Succeeded', 'post-rollout Succeeded'],
    );
  });

  test('that cannot get ready fails, and is analysed the next time', () => {
    let broken = false;
    const readyInMs = (side: string, revision: string): number =>
      broken && side === 'target' && revision === 'v1' ? Infinity : 2_000;
    const driver = createDriver({ canary, readyInMs });
    driver.run({ forMs: 60_000 });
    driver.setImage('v2');
    driver.run({ forMs: 120_000 });
    broken = true;
    driver.setImage('v1');
    driver.run({ forMs: 120_000 });
    assert.equal(driver.world.canary.status?.phase, 'Failed');
    assert.deepEqual(remembered(driver), [`${idOf('v2')} serves`]);
    broken = false;
    driver.setImage('v2');
    driver.run({ forMs: 30_000 });
    driver.setImage('v1');
    driver.run({ forMs: 120_000 });
    assert.equal(asked(driver), 2, 'v2, and v1 after its failure');
  });
});

suite('what is remembered', () => {
  test('is each promotion, newest first, ten at the most', () => {
    const driver = played({}, 'v2', 'v3');
    assert.deepEqual(remembered(driver), [`${idOf('v3')} serves`, idOf('v2'), idOf('v1')]);
    const many = played({}, ...Array.from({ length: 14 }, (_, index) => `v${index + 2}`));
    assert.equal(remembered(many)?.length, 10);
    assert.equal(remembered(many)?.[0], `${idOf('v15')} serves`);
  });

  test('is not what failed', () => {
    const answer: Setup['answer'] = ({ stage, revision }) =>
      stage === 'RollbackRequested' ? false : revision !== 'v2';
    const metrics = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];
    const judged = canaryOf({ ...stepping, rollbackWindow: '10m', metrics });
    const driver = played({ canary: judged, answer }, 'v2');
    assert.equal(driver.world.canary.status?.phase, 'Failed');
    assert.deepEqual(remembered(driver), [`${idOf('v1')} serves`]);
  });

  test('is what the primary runs, not what came while it was being promoted', () => {
    const driver = played({});
    driver.setImage('v2');
    const reaches = (reached: () => boolean): void => {
      for (let tries = 0; !reached(); tries += 1) {
        assert.ok(tries < 200, 'never reached');
        driver.run({ forMs: 500 });
      }
    };
    reaches(() => driver.world.canary.status?.phase === 'Promoting');
    driver.setImage('v3');
    reaches(() => remembered(driver)?.length === 2);
    assert.deepEqual(remembered(driver), [`${idOf('v2')} serves`, idOf('v1')]);
  });

  test('begins with what the primary runs where an older version kept no list', () => {
    const driver = played({});
    const { promoted: _, ...status } = driver.world.canary.status ?? assert.fail();
    driver.world.canary = { ...driver.world.canary, status };
    driver.setImage('v2');
    driver.run({ forMs: 120_000 });
    assert.deepEqual(remembered(driver), [`${idOf('v2')} serves`, idOf('v1')]);
  });
});

test('killed after any write, it goes back as fast and remembers the same', () => {
  const whole = played({}, 'v2', 'v1');
  for (let write = 1; write <= whole.writes(); write += 1) {
    const driver = played({ crashes: new Set([write]) }, 'v2', 'v1');
    assert.equal(driver.world.primary?.revision, 'v1', `${write}`);
    assert.deepEqual(remembered(driver), remembered(whole), `${write}`);
  }
});

test('whatever is applied, the last that serves is what the primary runs, and one serves', () => {
  const revision = fc.constantFrom('v1', 'v2', 'v3');
  fc.assert(
    fc.property(fc.array(revision, { maxLength: 6 }), (revisions) => {
      const driver = played({}, ...revisions);
      const serving = driver.world.canary.status?.promoted?.filter(
        ({ until }) => until === undefined,
      );
      assert.deepEqual(
        serving?.map((it) => it.revision),
        [idOf(driver.world.primary?.revision ?? '')],
      );
    }),
    { numRuns: 40 },
  );
});
