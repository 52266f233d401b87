/** What a person sees with `kubectl get canary -w`: each state of the status, and when. */
import type { Kubectl } from './kubectl-lines.ts';
import { kubectlLines } from './kubectl-lines.ts';
import { until } from './until.ts';

export interface Sighting {
  /** `performance.now()` at which kubectl printed it. */
  readonly atMs: number;
  readonly phase: string;
  readonly weight: number;
  readonly failedChecks: number;
}

export interface CanaryWatch {
  readonly sightings: readonly Sighting[];
  /** The first sighting of a phase (and weight) from `sinceMs` on. */
  sees(phase: string, options?: SeesOptions): Promise<Sighting>;
  stop(): void;
}

export interface SeesOptions {
  readonly weight?: number;
  readonly sinceMs?: number;
  readonly timeoutMs?: number;
}

const columns = '{.status.phase} {.status.canaryWeight} {.status.failedChecks}{"\\n"}';

export function watchCanary(kubectl: Kubectl, namespace: string, name: string): CanaryWatch {
  const sightings: Sighting[] = [];
  const selected = ['get', 'canaries', `--field-selector=metadata.name=${name}`];
  const stop = kubectlLines(
    kubectl,
    ['-n', namespace, ...selected, '--watch', '-o', `jsonpath=${columns}`],
    (line) => {
      const [phase = '', weight, failedChecks] = line.split(' ');
      const atMs = performance.now();
      sightings.push({ atMs, phase, weight: Number(weight), failedChecks: Number(failedChecks) });
    },
  );
  return {
    sightings,
    stop,
    sees: (phase, { weight, sinceMs = 0, timeoutMs = 60_000 } = {}) =>
      until(
        `canary ${namespace}/${name} in phase ${phase}${weight === undefined ? '' : ` at ${weight}`}`,
        () =>
          sightings.find(
            (seen) =>
              seen.atMs >= sinceMs &&
              seen.phase === phase &&
              (weight === undefined || seen.weight === weight),
          ),
        {
          timeoutMs,
          describe: () => sightings.map((seen) => `${seen.phase} ${seen.weight}`).join(', '),
        },
      ),
  };
}
