/** What processes cost, by `/proc`. */
import { readFile } from 'node:fs/promises';

/** Of Linux on all machines that Node runs on (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

/** Seconds of processor time, user and system, since the process started. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in brackets, which may hold spaces; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export interface Memory {
  readonly residentMiB: number;
  readonly peakMiB: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { residentMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM') };
}

/** What all processes used that are none of those asked about. */
const others = 'others';

/** Process ids by what they are called in the report. */
export type Processes = Readonly<Record<string, number>>;

export interface Load {
  readonly seconds: number;
  /** Seconds of processor time by name. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** Measures from now until the returned function is called. */
export async function measureLoad(processes: Processes): Promise<() => Promise<Load>> {
  const startedMs = performance.now();
  const before = await cpuOfAll(processes);
  return async () => {
    const after = await cpuOfAll(processes);
    const pairs = Object.keys(after).map((name) => [
      name,
      (after[name] ?? 0) - (before[name] ?? 0),
    ]);
    const cpu = Object.fromEntries(pairs) as Record<string, number>;
    return { seconds: (performance.now() - startedMs) / 1000, cpu };
  };
}

async function cpuOfAll(processes: Processes): Promise<Record<string, number>> {
  const pairs = await Promise.all(
    Object.entries(processes).map(async ([name, pid]) => [name, await cpuSeconds(pid)] as const),
  );
  const ours = pairs.reduce((sum, [, cpu]) => sum + cpu, 0);
  return { ...Object.fromEntries(pairs), [others]: (await machineSeconds()) - ours };
}

/** Seconds of processor time that all processes of the machine have used. */
async function machineSeconds(): Promise<number> {
  const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  // user, nice, system, idle, iowait, irq, softirq
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}
