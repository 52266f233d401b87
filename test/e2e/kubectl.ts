/** kubectl as the tests use it: one namespace, real binary, real output. */
import { fileURLToPath } from 'node:url';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { until } from '../support/until.ts';

export interface KubectlOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects with what kubectl wrote to stderr if it fails. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<KubectlOutput>;

export const fixture = (name: string): string =>
  fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

export const repository = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

export function kubectlOf(cluster: ControlPlane, namespace?: string): Kubectl {
  return async (args, input) => {
    const scope = namespace === undefined ? [] : ['--namespace', namespace];
    const { code, stdout, stderr } = await cluster.kubectl(
      [...scope, ...args],
      input === undefined ? {} : { input },
    );
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return { stdout, stderr };
  };
}

/** A new namespace, and kubectl in it. */
export async function inNamespace(cluster: ControlPlane, namespace: string): Promise<Kubectl> {
  await kubectlOf(cluster)(['create', 'namespace', namespace]);
  return kubectlOf(cluster, namespace);
}

export async function getJson(kubectl: Kubectl, object: string): Promise<Record<string, unknown>> {
  const { stdout } = await kubectl(['get', object, '-o', 'json']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** What was said about a canary, oldest first. Waits until `last` was said: events are written last. */
export async function eventsOf(kubectl: Kubectl, canary: string, last: RegExp): Promise<string[]> {
  const selector = `involvedObject.kind=Canary,involvedObject.name=${canary}`;
  const columns = '{range .items[*]}{.metadata.resourceVersion} {.type} {.message}{"\\n"}{end}';
  let lines: string[] = [];
  return until(
    `an event like ${String(last)}`,
    async () => {
      const args = ['get', 'events', '--field-selector', selector, '-o', `jsonpath=${columns}`];
      const { stdout } = await kubectl(args);
      lines = stdout
        .split('\n')
        .filter((line) => line !== '')
        .toSorted((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10))
        .map((line) => line.slice(line.indexOf(' ') + 1));
      return lines.some((line) => last.test(line)) && lines;
    },
    { describe: () => lines.join('\n') },
  );
}

export async function imageOf(kubectl: Kubectl, deployment: string): Promise<string> {
  const path = '{.spec.template.spec.containers[0].image}';
  const { stdout } = await kubectl(['get', 'deployment', deployment, '-o', `jsonpath=${path}`]);
  return stdout;
}

/** Weights of primary and canary in the VirtualService's last route. */
export async function weightsOf(kubectl: Kubectl, name = 'podinfo'): Promise<readonly number[]> {
  const path = '{.spec.http[0].route[*].weight}';
  const { stdout } = await kubectl(['get', 'virtualservice', name, '-o', `jsonpath=${path}`]);
  return stdout.split(' ').map(Number);
}

export async function scaledTo(
  kubectl: Kubectl,
  deployment: string,
  replicas: number,
): Promise<void> {
  await until(
    `${deployment} scaled to ${replicas}`,
    async () => {
      const args = ['get', 'deployment', deployment, '-o', 'jsonpath={.spec.replicas}'];
      return Number((await kubectl(args)).stdout) === replicas;
    },
    { timeoutMs: 30_000, everyMs: 200 },
  );
}
