/** A real Prometheus server that scrapes what a test names. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './ports.ts';
import { until } from './until.ts';

/** `false` if the machine has one, else why tests that need it are skipped; under CI that fails. */
export async function prometheusOrSkip(): Promise<string | false> {
  try {
    await promisify(execFile)('prometheus', ['--version']);
    return false;
  } catch {
    const reason = "needs Debian's package prometheus";
    if (process.env['CI'] === 'true') throw new Error(reason);
    return reason;
  }
}

export interface RealPrometheus {
  readonly url: string;
  /** Values of an instant query. */
  query(text: string): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/** `more` are scrape configurations beside the one of `targets`. */
export async function startRealPrometheus(
  targets: readonly string[],
  more: readonly object[] = [],
): Promise<RealPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'aviary-prometheus-'));
  const [port = 0] = await freePorts(1);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    scrape_configs: [{ job_name: 'aviary', static_configs: [{ targets }] }, ...more],
  };
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: 'ignore' },
  );
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = `http://127.0.0.1:${port}`;
  await until('Prometheus is ready', () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    url,
    query: async (text) => {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(text)}`);
      const { data } = (await answer.json()) as {
        data: { result: readonly { value: readonly [number, string] }[] };
      };
      return data.result.map(({ value }) => Number(value[1]));
    },
    stop: async () => {
      process.removeListener('exit', kill);
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
