/** Every row of the defect tables has a test that says its number, or the reason why it has none. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';

const repository = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** As the specs number them: 36, 24, and the list of routing defects in its order. */
const expected = [
  ...numbered(36, (n) => `D${n}`),
  ...numbered(15, (n) => `R${n}`),
  ...numbered(24, (n) => `M-${String(n).padStart(2, '0')}`),
];

function numbered(count: number, name: (n: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, index) => name(index + 1));
}

interface Row {
  readonly ids: readonly string[];
  readonly aviary: string;
  readonly shownBy: string;
}

const rows: readonly Row[] = read('docs/defects.md')
  .split('\n')
  .filter((line) => /^\| [DMR]-?\d/.test(line))
  .map((line) => {
    const [ids = '', , aviary = '', shownBy = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    return { ids: ids.split(', '), aviary, shownBy };
  });

/** In a name of a test, or in what a golden file says of itself. */
const says = (path: string, id: string): boolean =>
  new RegExp(path.endsWith('.yaml') ? `^#.*\\b${id}\\b` : `['"\`].*\\b${id}\\b.*['"\`]`, 'm').test(
    read(path),
  );

test('docs/defects.md has each row of the specs, once', () => {
  assert.deepEqual(rows.flatMap(({ ids }) => ids).toSorted(), expected.toSorted());
});

suite('a row has a test of its name, or a reason', () => {
  for (const { ids, aviary, shownBy } of rows) {
    test(ids.join(', '), () => {
      if (shownBy === '') assert.match(aviary, /^(Kept|Later): ./);
      else for (const id of ids) assert.ok(says(shownBy, id), `${shownBy} does not say ${id}`);
    });
  }
});
