/** The bundle as users run it. It needs no cluster, but it must have been built, as it is for these. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { test } from 'node:test';

const at = (path: string): string => new URL(`../../${path}`, import.meta.url).pathname;

test('the bundle rehearses, with its scenarios in it', () => {
  const podinfo = at('test/rehearsal/podinfo.yaml');
  const argv = ['rehearse', '-f', podinfo, '--scenario', 'errors-30-percent'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [at('dist/aviary.js'), ...argv], {
    cwd: '/',
    encoding: 'utf8',
    env: {},
    timeout: 60_000,
  });
  assert.equal(stderr, '');
  assert.match(stdout, /^ROLLED BACK after 3m11s$/m);
  assert.equal(status, 1);
});

test('who reads may stop reading, and the verdict stands', async () => {
  const podinfo = at('test/rehearsal/podinfo.yaml');
  const scenario = ['--scenario', 'gate-stays-closed', '-o', 'json'];
  const argv = [at('dist/aviary.js'), 'rehearse', '-f', podinfo, ...scenario];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(complaints, '');
  assert.equal(code, 3);
});
