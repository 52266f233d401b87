/** What a person sees with `kubectl get canary -w`: each state of the status, and when. */
import { spawn } from 'node:child_process';
import type { ControlPlane } from '../cluster/control-plane.ts';
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

export function watchCanary(
  { kubectlPath, kubeconfigPath }: Pick<ControlPlane, 'kubectlPath' | 'kubeconfigPath'>,
  namespace: string,
  name: string,
): CanaryWatch {
  const child = spawn(
    kubectlPath,
    [
      '--kubeconfig',
      kubeconfigPath,
      '-n',
      namespace,
      'get',
      'canaries',
      `--field-selector=metadata.name=${name}`,
      '--watch',
      '-o',
      `jsonpath=${columns}`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const sightings: Sighting[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [phase = '', weight, failedChecks] = line.split(' ');
      const atMs = performance.now();
      sightings.push({ atMs, phase, weight: Number(weight), failedChecks: Number(failedChecks) });
    }
  });
  const stop = (): void => void child.kill();
  process.once('exit', stop);
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
