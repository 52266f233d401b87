import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildBinaries, cacheDirectory, findBinaries } from './binaries.ts';
import { controlPlaneOrSkip } from './require.ts';

describe('the cache is outside of the repository', () => {
  const cases: Record<string, [Record<string, string>, string]> = {
    'AVIARY_CACHE names it': [{ AVIARY_CACHE: '/a', XDG_CACHE_HOME: '/x' }, '/a'],
    'else it is in XDG_CACHE_HOME': [{ XDG_CACHE_HOME: '/x' }, '/x/aviary'],
    'an empty variable is as good as none': [
      { AVIARY_CACHE: '', XDG_CACHE_HOME: '/x' },
      '/x/aviary',
    ],
  };
  for (const [name, [environment, expected]] of Object.entries(cases)) {
    test(name, () => assert.equal(cacheDirectory(environment), expected));
  }
});

describe('programs are looked for', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'aviary-binaries-'));
  });
  after(() => rm(directory, { recursive: true }));

  test('in KUBEBUILDER_ASSETS first; what is neither there nor built is missing', async () => {
    const etcd = join(directory, 'etcd');
    await writeFile(etcd, '#!/bin/sh\n');
    await chmod(etcd, 0o755);
    await writeFile(join(directory, 'kubectl'), 'not executable');
    const search = await findBinaries({ KUBEBUILDER_ASSETS: directory, AVIARY_CACHE: directory });
    assert.deepEqual(search, {
      found: false,
      missing: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kwok'],
    });
  });

  test('without a Go toolchain the build says what to install, in one line', async () => {
    const environment = { AVIARY_CACHE: directory, PATH: directory };
    await assert.rejects(
      buildBinaries(() => undefined, environment),
      /^Error: the control plane for tests is built from Go modules: install Go 1\.26 .*$/,
    );
  });

  test('tests that need what is missing are skipped with the reason, but fail under CI', async () => {
    const environment = { AVIARY_CACHE: directory, PATH: directory };
    assert.match(
      String(await controlPlaneOrSkip(environment)),
      /^needs kube-apiserver, .*`make cluster-build`/,
    );
    await assert.rejects(controlPlaneOrSkip({ ...environment, CI: 'true' }), /install Go/);
  });
});
