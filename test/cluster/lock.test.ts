import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { withLock } from './lock.ts';

describe('a lock', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'aviary-lock-'));
  });
  after(() => rm(directory, { recursive: true }));

  test('lets one in at a time', async () => {
    const path = join(directory, 'busy');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
    assert.equal(most, 1);
  });

  test('that a dead process left behind is taken over', async () => {
    const path = join(directory, 'stale');
    await writeFile(path, '999999999');
    assert.equal(await withLock(path, () => Promise.resolve('in')), 'in');
  });

  test('is given back when the work fails', async () => {
    const path = join(directory, 'failed');
    const failing = (): Promise<never> => Promise.reject(new Error('no'));
    await assert.rejects(withLock(path, failing), /no/);
    await assert.rejects(access(path));
  });
});
