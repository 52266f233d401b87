/** One process at a time, among those that name the same file. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';

const pollMs = 100;

/**
 * Runs `work` while this process's pid is in the file `path`; waits for as long as the process whose
 * pid is in it lives. Two that find the leftover of a dead process in the same instant may both run:
 * `work` must bear that.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await claim(path))) {
    if (isAlive(await holderOf(path))) await new Promise((resolve) => setTimeout(resolve, pollMs));
    else await rm(path, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** A link appears with its content, unlike a file that is created and then written. */
async function claim(path: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, String(process.pid));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function holderOf(path: string): Promise<number> {
  return Number(await readFile(path, 'utf8').catch(() => ''));
}

/** Whether a process with this pid runs. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
