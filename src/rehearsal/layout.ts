/** Text for terminals: colours where they are wanted, lines that end before the edge. */

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

export type Paint = (colour: Colour, text: string) => string;

const codes: Readonly<Record<Colour, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
};

export const painted: Paint = (colour, text) => `\u001B[${codes[colour]}m${text}\u001B[0m`;

export const plain: Paint = (_colour, text) => text;

/** Words in lines of so many columns; a longer word has a line of its own. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `0:07`, `12:30`, `1:05:00`; fractions of a second are dropped. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (part: number): string => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** `12,345`. */
export const grouped = (count: number): string =>
  String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',');

/** Signs beyond ASCII, and what stands for them where these cannot be shown. */
const plainSigns: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '▸': '>',
  '✉': '@',
  '·': '-',
  '…': '...',
  '█': '#',
  '░': '.',
  '’': "'",
};

export const inAscii = (text: string): string =>
  text.replaceAll(/[✓✗▸✉·…█░’]/g, (sign) => plainSigns[sign] ?? '?');
