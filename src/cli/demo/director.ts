/**
 * Leads through the demo: the script first, then whatever keys ask for. Who takes over in the
 * middle of the script, by a key, ends it.
 */
import { linkedAbort, onAbort } from '../../kube/abort.ts';
import type { Clock } from '../../kube/clock.ts';
import type { DemoFlags } from './demo-flags.ts';
import { commandFor, makeChange } from './developer.ts';
import { sample } from './sample-app.ts';
import type { FeedEntry } from './scene.ts';
import type { Site } from './site.ts';
import { isAtRest, play, scripts, standsSo } from './story.ts';
import type { Change, Theatre } from './story.ts';

export interface Director {
  /**
   * Resolves after the script if the demo ends with it, else when the signal aborts. Rejects where
   * the script does not come to its end and the demo was to end with it.
   */
  play(): Promise<void>;
  pressed(key: string): void;
}

export interface DirectorOptions {
  readonly flags: DemoFlags;
  readonly site: Pick<Site, 'kube' | 'onlooker'>;
  readonly clock: Clock;
  readonly add: (kind: FeedEntry['kind'], text: string) => void;
  readonly tell: (text: string) => void;
  /** Told that the script is over, and nobody's turn but the user's. */
  readonly handOver: (text: string) => void;
  readonly signal: AbortSignal;
}

/** A rollout has some eight intervals of 10 s; twice that, and what a busy machine needs. */
const actMsMax = (speed: number): number => 30_000 + 160_000 / speed;

/** For people to see how an act ended. */
const pauseMs = 1_500;

const yourTurn = 'Your turn: change something, and watch what becomes of it.';

export function createDirector(options: DirectorOptions): Director {
  const { flags, site, clock, add, tell, signal } = options;
  const script = linkedAbort(signal);
  const make = async (change: Change): Promise<void> => {
    add('Command', commandFor(change));
    await makeChange(site.kube, change, signal);
  };
  const theatre: Theatre = {
    standing: () => site.onlooker.standing(),
    onChange: (listener) => site.onlooker.onChange(listener),
    make,
    tell,
    pauseMs,
    clock,
    actMsMax: actMsMax(flags.speed),
  };
  return {
    play: async () => {
      tell('The sample app is being taken over: its primary is brought up.');
      try {
        await playScript(flags, theatre, script.signal);
      } catch (error) {
        if (signal.aborted) return;
        if (flags.exits) throw error;
        // Somebody took over, and what the script waited for may never be.
        if (!script.signal.aborted) add('Note', `The script ended early: ${String(error)}`);
      }
      if (flags.exits || signal.aborted) return;
      options.handOver(yourTurn);
      await new Promise<void>((resolve) => onAbort(signal, resolve));
    },
    pressed: (key) => {
      const change = flags.exits ? undefined : changeFor(key, site);
      if (change === undefined) return;
      script.abort(new Error('taken over'));
      make(change).catch((error: unknown) => {
        if (!signal.aborted) add('Warning', `not done: ${String(error)}`);
      });
    },
  };
}

async function playScript(flags: DemoFlags, theatre: Theatre, signal: AbortSignal): Promise<void> {
  await standsSo(theatre, 'the sample app to be taken over', isAtRest, signal);
  await play(scripts[flags.script], theatre, signal);
}

function changeFor(key: string, { onlooker }: Pick<Site, 'onlooker'>): Change | undefined {
  const next = nextVersion(onlooker);
  switch (key) {
    case 'g':
      return { kind: 'Release', tag: next };
    case 'b':
      return { kind: 'Release', tag: `${next}-bad` };
    case 'c': {
      const greeting = onlooker.greeting() === 'hello' ? 'good day' : 'hello';
      return { kind: 'Configure', greeting };
    }
    default:
      return undefined;
  }
}

/** A major version after that of the target. */
function nextVersion(onlooker: Pick<Site['onlooker'], 'sides'>): string {
  const target = onlooker.sides().find(({ name }) => name === 'canary');
  const major = Number(/^\d+/.exec(target?.tag ?? '')?.[0] ?? 0);
  return `${major + 1}.0.0`;
}

/** What may be typed now. */
export function commandsOf({
  kubeconfigPath,
  onlooker,
}: Pick<Site, 'kubeconfigPath' | 'onlooker'>): readonly string[] {
  return [
    `export KUBECONFIG=${kubeconfigPath}`,
    commandFor({ kind: 'Release', tag: nextVersion(onlooker) }),
    `kubectl describe canary ${sample.name}; kubectl get canaries --watch`,
  ];
}
