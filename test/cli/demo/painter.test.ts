import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { paintAnew, repaint } from '../../../src/cli/demo/painter.ts';

const escape = '\u001b';

/** A terminal that understands what the painter says, and nothing else. */
function shownAfter(before: readonly string[], written: string): readonly string[] {
  let rows = [...before];
  let [row, column] = [0, 0];
  for (const piece of written.split(escape).slice(1)) {
    const [, parameters = '', letter, text = ''] = /^\[([\d;]*)([A-Z])(.*)$/.exec(piece) ?? [];
    if (letter === 'H') [row, column] = [Number(parameters.split(';')[0]) - 1, 0];
    else if (letter === 'J') rows = rows.map(() => '');
    else if (letter === 'K') rows[row] = (rows[row] ?? '').slice(0, column);
    const found = rows[row] ?? '';
    rows[row] = found.slice(0, column) + text + found.slice(column + text.length);
    column += text.length;
  }
  return rows;
}

suite('the painter', () => {
  test('writes nothing where nothing differs', () => {
    assert.equal(repaint(['a', 'b'], ['a', 'b']), '');
  });
  test('writes the rows that differ, and clears the rest of each', () => {
    assert.equal(repaint(['a', 'b', 'c'], ['a', 'x', 'c']), '\u001b[2;1Hx\u001b[K');
  });
  test('clears rows that are no longer there', () => {
    assert.equal(repaint(['a', 'b'], ['a']), '\u001b[2;1H\u001b[K');
  });
  test('paints all of it where nobody knows what is there', () => {
    assert.equal(paintAnew(['a', 'b']), '\u001b[2J\u001b[1;1Ha\u001b[2;1Hb');
  });
  test('whatever was there, what is to be there is there', () => {
    const frame = fc.array(fc.constantFrom('one', 'two', 'three', 'four'), {
      minLength: 3,
      maxLength: 6,
    });
    fc.assert(
      fc.property(frame, frame, (before, after) => {
        const shown = shownAfter(before, repaint(before, after));
        assert.deepEqual(
          shown.filter((row) => row !== ''),
          after,
        );
      }),
    );
  });
});
