/** The screen, as text. `UPDATE_GOLDEN=1` rewrites the files: review the difference. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Phase } from '../../../src/api/canary.ts';
import type { Scene } from '../../../src/cli/demo/scene.ts';
import { paint, widthOf } from '../../../src/cli/demo/styled-line.ts';
import type { ScreenSize } from '../../../src/cli/demo/view.ts';
import { asciiGlyphs, minutes, render, unicodeGlyphs } from '../../../src/cli/demo/view.ts';
import { advancing, halted, rolledBack, rolloutOf, sideOf, starting } from './scenes.ts';

const updates = process.env['UPDATE_GOLDEN'] === '1';

const textOf = (scene: Scene, size: ScreenSize, glyphs = unicodeGlyphs): string =>
  render(scene, size, glyphs)
    .map((line) => paint(line, false).trimEnd())
    .join('\n');

suite('the screen', () => {
  const cases: Readonly<Record<string, readonly [Scene, ScreenSize, typeof unicodeGlyphs?]>> = {
    starting: [starting, { columns: 80, rows: 24 }],
    advancing: [advancing, { columns: 80, rows: 24 }],
    'advancing-wide': [advancing, { columns: 132, rows: 40 }],
    halted: [halted, { columns: 80, rows: 24 }],
    'rolled-back-ascii': [rolledBack, { columns: 80, rows: 24 }, asciiGlyphs],
    'rolled-back-narrow': [rolledBack, { columns: 60, rows: 30 }],
  };
  for (const [name, [scene, size, glyphs]] of Object.entries(cases)) {
    test(name, () => {
      const path = new URL(`../../golden/demo/${name}.txt`, import.meta.url);
      const found = `${textOf(scene, size, glyphs)}\n`;
      if (updates) writeFileSync(path, found);
      assert.equal(found, readFileSync(path, 'utf8'));
    });
  }

  test('is what the README shows of it', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const [shown = ''] = textOf(advancing, { columns: 80, rows: 24 }).split('── now');
    assert.ok(readme.includes(`\`\`\`\n${shown}\`\`\``));
  });

  test('in ASCII there is nothing else', () => {
    for (const scene of [starting, advancing, halted, rolledBack]) {
      assert.match(textOf(scene, { columns: 80, rows: 24 }, asciiGlyphs), /^[\n\x20-\x7e]*$/);
    }
  });

  test('commands are whole, to be copied, where a terminal is narrower than they are', () => {
    const text = textOf(advancing, { columns: 40, rows: 60 }).replaceAll(/\n ?/g, '');
    for (const command of advancing.commands) assert.ok(text.includes(command), command);
  });

  test('who is not asked to change anything is shown no keys for it', () => {
    const text = textOf({ ...advancing, commands: [] }, { columns: 80, rows: 24 });
    assert.doesNotMatch(text, /good release {3}b/);
    assert.match(text, / q quit$/);
  });

  const phases: readonly Phase[] = ['', 'Initializing', 'Waiting', 'Progressing', 'Failed'];
  const scenes = fc.record({
    phase: fc.constantFrom(...phases),
    weight: fc.integer({ min: 0, max: 100 }),
    tag: fc.string({ maxLength: 40 }),
    text: fc.string({ unit: 'grapheme', maxLength: 200 }),
    count: fc.integer({ min: 0, max: 60 }),
  });
  const sizes = fc.record({
    columns: fc.integer({ min: 20, max: 250 }),
    rows: fc.integer({ min: 1, max: 100 }),
  });

  test('whatever is shown, it is no larger than the terminal', () => {
    fc.assert(
      fc.property(scenes, sizes, ({ phase, weight, tag, text, count }, size) => {
        const entry = { atMs: 1, kind: 'Event', text } as const;
        const scene: Scene = {
          ...advancing,
          rollout: rolloutOf({ phase, weight }),
          sides: [sideOf('primary', { weight: 100 - weight }), sideOf('canary', { weight, tag })],
          feed: Array.from({ length: count }, () => entry),
          narration: text,
        };
        const lines = render(scene, size, unicodeGlyphs);
        assert.ok(lines.length <= size.rows, `${lines.length} rows`);
        for (const line of lines) assert.ok(widthOf(line) <= size.columns, paint(line, false));
      }),
    );
  });
});

test('times are minutes and seconds', () => {
  assert.deepEqual([0, 999, 64_000, 3_600_000].map(minutes), ['0:00', '0:00', '1:04', '60:00']);
});
