/** Two ways to show the demo: a live view that is painted anew, or lines that are only added to. */
import { enter, leave, paintAnew, repaint } from './painter.ts';
import type { FeedEntry, Rollout, Scene } from './scene.ts';
import { paint, printable } from './styled-line.ts';
import type { Terminal } from './terminal.ts';
import { asciiGlyphs, minutes, render, unicodeGlyphs } from './view.ts';

export interface Presenter {
  /** Shows the scene; costs nothing where it has not changed. */
  show(scene: Scene): void;
  /** Gives the terminal back as it was. Idempotent, and safe in the last moment of a process. */
  close(): void;
}

export function createScreen(terminal: Terminal): Presenter {
  const glyphs = terminal.unicode ? unicodeGlyphs : asciiGlyphs;
  let shown: readonly string[] | undefined;
  let isOpen = false;
  const forget = terminal.onResize(() => (shown = undefined));
  return {
    show: (scene) => {
      if (!isOpen) terminal.write(enter);
      isOpen = true;
      const rows = render(scene, terminal.size(), glyphs).map((it) => paint(it, terminal.colours));
      const written = shown === undefined ? paintAnew(rows) : repaint(shown, rows);
      shown = rows;
      if (written !== '') terminal.write(written);
    },
    close: () => {
      forget();
      if (isOpen) terminal.write(leave);
      isOpen = false;
    },
  };
}

export function createLines(terminal: Terminal): Presenter {
  const glyphs = terminal.unicode ? unicodeGlyphs : asciiGlyphs;
  let last: FeedEntry | undefined;
  let shown = { narration: '', state: '', isYours: false };
  return {
    show: (scene) => {
      const { feed, rollout, elapsedMs, narration, commands, isYours } = scene;
      const state = rollout === undefined ? '' : stateOf(rollout, glyphs);
      const at = (text: string): string => `${minutes(elapsedMs).padStart(6)}  ${text}`;
      const told = last === undefined ? 0 : feed.lastIndexOf(last) + 1;
      const lines = [
        ...(narration === shown.narration ? [] : [at(narration)]),
        ...(state === shown.state ? [] : [at(state)]),
        ...feed.slice(told).map(lineOf),
        ...(isYours && !shown.isYours ? commands.map((command) => `  ${command}`) : []),
      ];
      last = feed.at(-1);
      shown = { narration, state, isYours };
      if (lines.length > 0) terminal.write(`${lines.join('\n')}\n`);
    },
    close: () => undefined,
  };
}

/** An entry of the feed as a line of its own. */
export function lineOf({ atMs, kind, text }: FeedEntry): string {
  const shown = printable(kind === 'Command' ? `$ ${text}` : text);
  return `${minutes(atMs).padStart(6)}  ${shown}`;
}

const barColumns = 20;

function stateOf(
  { phase, weight, failedChecks, threshold }: Rollout,
  { full, empty }: typeof unicodeGlyphs,
): string {
  const filled = Math.round((weight / 100) * barColumns);
  const bar = full.repeat(filled) + empty.repeat(barColumns - filled);
  const failures = `failed checks ${failedChecks} of ${threshold}`;
  return `${phase.padEnd(13)} ${bar} canary ${String(weight).padStart(3)} %  ${failures}`;
}
