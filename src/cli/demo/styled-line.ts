/**
 * Lines of text with a tone for each part, and the terminal's way of writing them. What is shown
 * comes from the cluster, so whatever could move the cursor is taken out of it.
 */
export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'bad' | 'warning' | 'accent';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

/** A part of a line: `good('100 %')`. */
export const span =
  (tone: Tone) =>
  (text: string): Span => ({ text, tone });
export const plain = span('plain');
export const strong = span('strong');
export const faint = span('faint');
export const good = span('good');
export const bad = span('bad');
export const warning = span('warning');
export const accent = span('accent');

/** Parameters of "select graphic rendition" (ECMA-48, 8.3.117). */
const codes: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  faint: '2',
  good: '32',
  bad: '31',
  warning: '33',
  accent: '1;36',
};

/** One character is one column: nothing that the demo writes itself is wider. */
export const widthOf = (line: Line): number =>
  line.reduce((columns, { text }) => columns + Array.from(text).length, 0);

/** Without control characters, which a terminal would obey. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');

/** What fits into so many columns; an ellipsis stands for what does not. */
export function clip(line: Line, columns: number, ellipsis: string): Line {
  if (widthOf(line) <= columns) return line;
  const clipped: Span[] = [];
  let left = columns - Array.from(ellipsis).length;
  for (const { text, tone } of line) {
    const characters = Array.from(text);
    clipped.push({ text: characters.slice(0, Math.max(left, 0)).join(''), tone });
    left -= characters.length;
    if (left <= 0) break;
  }
  return [...clipped, faint(ellipsis)];
}

/** As many spaces as bring the text to the width. */
export const pad = (text: string, columns: number): string => text.padEnd(columns);

/** The line as it is written to a terminal; without colours, its text. */
export function paint(line: Line, colours: boolean): string {
  return line
    .map(({ text, tone }) => {
      const code = codes[tone];
      const shown = printable(text);
      return colours && code !== '' && shown !== '' ? `\u001b[${code}m${shown}\u001b[0m` : shown;
    })
    .join('');
}

/** Breaks words over lines of so many columns; a longer word is cut. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ').flatMap((word) => pieces(word, columns))) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (longer.length <= columns) current = longer;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current];
}

function pieces(word: string, columns: number): readonly string[] {
  const width = Math.max(columns, 1);
  const count = Math.max(1, Math.ceil(word.length / width));
  return Array.from({ length: count }, (_, at) => word.slice(at * width, (at + 1) * width));
}
