import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createFolder } from '../../../src/cli/demo/folder.ts';

suite('the files of a demo', () => {
  test('are its owner’s alone', () => {
    const folder = createFolder();
    const file = folder.file('kubeconfig', 'token');
    assert.equal(readFileSync(file, 'utf8'), 'token');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(folder.path).mode & 0o777, 0o700);
    folder.remove();
  });

  test('go with it, wherever they are, and twice is no more than once', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'aviary-elsewhere-'));
    const folder = createFolder();
    const files = [folder.file('one', ''), folder.fileAt(join(elsewhere, 'two'), '')];
    assert.ok(files.every(existsSync));
    folder.remove();
    folder.remove();
    assert.ok(!files.some(existsSync) && !existsSync(folder.path));
    rmSync(elsewhere, { recursive: true });
  });

  test('never take the place of others, and do not take them along', () => {
    const [mine, theirs] = [createFolder(), createFolder()];
    const file = mine.file('kubeconfig', 'mine');
    assert.throws(() => theirs.fileAt(file, 'theirs'), { code: 'EEXIST' });
    theirs.remove();
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    mine.remove();
  });
});
