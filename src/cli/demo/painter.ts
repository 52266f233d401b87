/**
 * Brings a terminal from one frame to the next by writing only the rows that differ, so that it
 * does not flicker and a slow connection keeps up. Pure: escape sequences are answered, not written.
 */

/** Another screen, so that what was there comes back; no cursor, no wrapping of long rows. */
export const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
export const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l';

const moveTo = (row: number): string => `\u001b[${row + 1};1H`;
const clearToEnd = '\u001b[K';

/** Rows that are undefined on the terminal are those nobody knows, as after a resize. */
export function repaint(before: readonly string[], after: readonly string[]): string {
  const rows = Math.max(before.length, after.length);
  let written = '';
  for (let row = 0; row < rows; row += 1) {
    const text = after[row] ?? '';
    if (before[row] !== text) written += `${moveTo(row)}${text}${clearToEnd}`;
  }
  return written;
}

/** Clears all of it and paints anew: after a resize nobody knows what is there. */
export const paintAnew = (after: readonly string[]): string =>
  `\u001b[2J${after.map((text, row) => `${moveTo(row)}${text}`).join('')}`;
