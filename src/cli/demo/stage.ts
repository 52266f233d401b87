/**
 * What the demo tells, measures and draws, from its first moment to its last, whether or not there
 * is a cluster yet.
 */
import { systemClock } from '../../kube/clock.ts';
import { composeScene } from './compose-scene.ts';
import type { Director } from './director.ts';
import type { Onlooker } from './onlooker.ts';
import { lineOf } from './presenter.ts';
import type { Presenter } from './presenter.ts';
import type { FeedEntry } from './scene.ts';
import { createTally } from './tally.ts';
import { createTraffic } from './traffic.ts';
import type { Destination, Traffic } from './traffic.ts';

const requestsPerSecond = 200;
/** Ten pictures a second look live. */
const frameMs = 100;
/** More than fits on any screen. */
const feedEntriesMax = 500;

export interface Stage {
  readonly traffic: Traffic;
  add(kind: FeedEntry['kind'], text: string): void;
  /** What is said of the moment. */
  narrate(text: string): void;
  /** The script is over. */
  handOver(text: string): void;
  watch(onlooker: Onlooker): void;
  direct(director: Director, commands: () => readonly string[]): void;
  pressed(key: string): void;
  /** Draws the last picture, and gives the terminal back. Answers the last of what was told. */
  close(): readonly string[];
}

export interface StageOptions {
  readonly speed: number;
  readonly presenter: Presenter;
  /** Ends the demo. */
  readonly stop: () => void;
}

export function setStage({ speed, presenter, stop }: StageOptions): Stage {
  const begunMs = systemClock.monotonic();
  const elapsedMs = (): number => systemClock.monotonic() - begunMs;
  const steadyMs = (): number => systemClock.monotonic() * speed;
  const traffic = createTraffic({ steadyMs, random: Math.random, requestsPerSecond });
  const tally = createTally(traffic.totals);
  let feed: readonly FeedEntry[] = [];
  let narration = 'Starting a cluster in this process.';
  let isYours = false;
  let commands = (): readonly string[] => [];
  let onlooker: Onlooker | undefined;
  let director: Director | undefined;

  const add: Stage['add'] = (kind, text) => {
    feed = [...feed, { atMs: elapsedMs(), kind, text }].slice(-feedEntriesMax);
  };
  const draw = (): void => {
    const said = { feed, narration, commands: commands(), isYours };
    const told = { elapsedMs: elapsedMs(), speed, ...said };
    presenter.show(composeScene(told, onlooker, traffic));
  };
  const narrate = (text: string): void => {
    // What was told before it comes before it, where lines are all there is.
    draw();
    narration = text;
    draw();
  };
  const timer = setInterval(() => {
    traffic.flow(onlooker === undefined ? [] : destinationsOf(onlooker));
    draw();
  }, frameMs);
  return {
    traffic,
    add,
    narrate,
    handOver: (text) => {
      isYours = true;
      narrate(text);
    },
    watch: (seen) => {
      onlooker = seen;
      seen.onEvent(({ isWarning, message }) => add(isWarning ? 'Warning' : 'Event', message));
      seen.onChange(() => {
        const sum = tally(seen.standing());
        if (sum !== undefined) add('Note', sum);
        draw();
      });
    },
    direct: (given, suggested) => {
      director = given;
      commands = suggested;
    },
    pressed: (key) => {
      if (endKeys.includes(key)) stop();
      else director?.pressed(key);
    },
    close: () => {
      clearInterval(timer);
      draw();
      presenter.close();
      return feed.map(lineOf);
    },
  };
}

/** The last two are Ctrl-C and Ctrl-D, which end nothing by themselves where keys come one by one. */
const endKeys = ['q', '\u0003', '\u0004'];

/** None until the app is taken over: its first pods have to start, and nobody knows of it yet. */
function destinationsOf(onlooker: Onlooker): readonly Destination[] {
  const { phase = '' } = onlooker.standing() ?? {};
  if (phase === '' || phase === 'Initializing') return [];
  return onlooker.sides().map(({ ready, ...side }) => ({ ...side, hasReadyPod: ready > 0 }));
}
