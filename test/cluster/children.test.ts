import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../support/until.ts';
import { superviseChildren } from './children.ts';
import { isAlive } from './lock.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const newDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'aviary-children-'));

test('stop ends all children and removes their directory', async () => {
  const directory = await newDirectory();
  const children = superviseChildren(directory);
  const one = await children.start('one', 'sleep', ['600']);
  const two = await children.start('two', 'sleep', ['600']);
  assert.ok(isAlive(one.pid) && isAlive(two.pid));
  assert.equal(await children.casualties(), undefined);
  await children.stop({ keepDirectory: false });
  assert.ok(!isAlive(one.pid) && !isAlive(two.pid));
  assert.ok(!(await exists(directory)));
});

test('a child that ended by itself is named with the end of its log, which is kept', async () => {
  const directory = await newDirectory();
  const children = superviseChildren(directory);
  await children.start('sound', 'sleep', ['600']);
  const sick = await children.start('sick', 'sh', ['-c', 'echo no disk; exit 3']);
  const casualties = await until('it has ended', () => children.casualties());
  assert.match(casualties, /^sick ended with code 3; its log, .*sick\.log, ends:\n {2}no disk$/);
  await children.stop({ keepDirectory: true });
  assert.ok(await exists(sick.logPath));
  await rm(directory, { recursive: true });
});

test('a program that is not there is an error that names it', async () => {
  const children = superviseChildren(await newDirectory());
  await assert.rejects(
    children.start('etcd', '/nowhere/etcd', []),
    /^Error: start \/nowhere\/etcd$/,
  );
  await children.stop({ keepDirectory: false });
});

test('children do not outlive their owner, even if it is killed', async () => {
  const directory = await newDirectory();
  const code = `
    import { superviseChildren } from ${JSON.stringify(join(import.meta.dirname, 'children.ts'))};
    const children = superviseChildren(${JSON.stringify(directory)});
    const { pid } = await children.start('orphan', 'sleep', ['600']);
    process.stdout.write(String(pid));
    setInterval(() => undefined, 1_000);
  `;
  const owner = spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  const pid = Number(text);
  assert.ok(isAlive(pid));
  owner.kill('SIGKILL');
  await until('the child has ended', () => !isAlive(pid));
  await until('the directory is gone', async () => !(await exists(directory)));
});
