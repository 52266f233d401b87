import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { bad, clip, paint, plain, widthOf, wrap } from '../../../src/cli/demo/styled-line.ts';

suite('lines on a terminal', () => {
  test('a tone is put on and taken off again', () => {
    assert.equal(paint([plain('a '), bad('b')], true), 'a \u001b[31mb\u001b[0m');
  });
  test('without colours a line is its text', () => {
    assert.equal(paint([plain('a '), bad('b')], false), 'a b');
  });
  test('what an object says cannot move the cursor', () => {
    assert.equal(paint([plain('a\u001b[2Jb\r\nc\u202e')], true), 'a [2Jb c ');
  });
  test('what does not fit is cut, and one sees that it is', () => {
    const line = clip([plain('abc'), bad('def')], 5, '…');
    assert.equal(paint(line, false), 'abcd…');
    assert.equal(paint(clip([plain('abcde')], 5, '…'), false), 'abcde');
  });
  test('words are kept whole where they fit', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('abcdefgh ij', 4), ['abcd', 'efgh', 'ij']);
    assert.deepEqual(wrap('', 4), ['']);
  });
  test('whatever is clipped is never wider than asked for', () => {
    const texts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 30 }), (parts, columns) => {
        assert.ok(widthOf(clip(parts.map(plain), columns, '…')) <= columns);
      }),
    );
  });
});
