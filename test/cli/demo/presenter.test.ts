/** What a terminal is given, and gets back. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createLines, createScreen } from '../../../src/cli/demo/presenter.ts';
import type { Terminal } from '../../../src/cli/demo/terminal.ts';
import { terminalOf } from '../../../src/cli/demo/terminal.ts';
import { advancing, rolledBack, starting } from './scenes.ts';

function fakeTerminal(more: Partial<Terminal> = {}) {
  const written: string[] = [];
  const resized = new Set<() => void>();
  const terminal: Terminal = {
    isInteractive: true,
    colours: false,
    unicode: true,
    size: () => ({ columns: 80, rows: 24 }),
    write: (text) => void written.push(text),
    complain: () => undefined,
    onLost: () => undefined,
    onResize: (listener) => {
      resized.add(listener);
      return () => void resized.delete(listener);
    },
    onKey: () => () => undefined,
    ...more,
  };
  return { terminal, written, resized };
}

suite('the live view', () => {
  test('writes what changed, and nothing where nothing did', () => {
    const { terminal, written } = fakeTerminal();
    const screen = createScreen(terminal);
    screen.show(advancing);
    const first = written.join('');
    assert.ok(first.startsWith('\u001b[?1049h'), 'on a screen of its own');
    written.length = 0;
    screen.show({ ...advancing, elapsedMs: advancing.elapsedMs + 100 });
    assert.deepEqual(written, []);
    screen.show({ ...advancing, requests: { answered: 12_346, failed: 0 } });
    assert.equal(written.length, 1);
    assert.ok((written[0] ?? '').length < 100, 'one row');
  });

  test('paints all of it after a resize', () => {
    const { terminal, written, resized } = fakeTerminal();
    const screen = createScreen(terminal);
    screen.show(advancing);
    written.length = 0;
    for (const listener of resized) listener();
    screen.show(advancing);
    assert.ok(written.join('').startsWith('\u001b[2J'));
  });

  test('gives the terminal back, once', () => {
    const { terminal, written, resized } = fakeTerminal();
    const screen = createScreen(terminal);
    screen.show(advancing);
    screen.close();
    screen.close();
    const ends = written.filter((text) => text.endsWith('\u001b[?1049l'));
    assert.equal(ends.length, 1);
    assert.equal(resized.size, 0);
  });

  test('that never showed anything changes nothing', () => {
    const { terminal, written } = fakeTerminal();
    createScreen(terminal).close();
    assert.deepEqual(written, []);
  });
});

suite('lines of text', () => {
  test('are written once each, in order, without escape sequences', () => {
    const { terminal, written } = fakeTerminal({ colours: true });
    const lines = createLines(terminal);
    for (const scene of [starting, starting, advancing, advancing, rolledBack]) lines.show(scene);
    lines.close();
    const found = written.join('').split('\n');
    assert.ok(!written.join('').includes('\u001b'));
    assert.equal(found[0], '  0:00  Starting a cluster in this process.');
    assert.equal(found.filter((line) => line.includes('canary weight 30')).length, 1);
    assert.equal(
      found.filter((line) => line.includes('Progressing   ██████░░░░░░░░░░░░░░ canary  30 %'))
        .length,
      1,
    );
    assert.deepEqual(
      found.slice(-4, -1),
      advancing.commands.map((command) => `  ${command}`),
    );
  });
});

suite('the terminal of a process', () => {
  const stream = (isTTY: boolean) => ({ isTTY, columns: 0, rows: 0 }) as unknown;
  const of = (isTTY: boolean, environment: Readonly<Record<string, string>>): Terminal =>
    terminalOf(
      { stdin: stream(isTTY), stdout: stream(isTTY), stderr: stream(isTTY) } as Parameters<
        typeof terminalOf
      >[0],
      environment,
    );

  test('has colours, unless somebody does not want them (no-color.org)', () => {
    assert.equal(of(true, {}).colours, true);
    assert.equal(of(true, { NO_COLOR: '' }).colours, true, 'empty is as if it were not there');
    assert.equal(of(true, { NO_COLOR: '1' }).colours, false);
    assert.equal(of(true, { TERM: 'dumb' }).colours, false);
    assert.equal(of(false, {}).colours, false);
  });
  test('is no place for a live view where nobody sits, or it cannot move its cursor', () => {
    assert.equal(of(true, {}).isInteractive, true);
    assert.equal(of(false, {}).isInteractive, false);
    assert.equal(of(true, { TERM: 'dumb' }).isInteractive, false);
  });
  test('speaks UTF-8 unless its locale says otherwise', () => {
    assert.equal(of(true, {}).unicode, true);
    assert.equal(of(true, { LANG: 'de_DE.UTF-8' }).unicode, true);
    assert.equal(of(true, { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }).unicode, false);
  });
  test('has a size, even one that does not say so', () => {
    assert.deepEqual(of(true, {}).size(), { columns: 80, rows: 24 });
  });
});
