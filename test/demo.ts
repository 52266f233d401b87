/**
 * The main job, live: a real control plane, a Canary, a good revision promoted and a bad one rolled
 * back, with every decision as it is taken. It says which commands show the same to a user.
 */
import { buildBinaries, findBinaries } from './cluster/binaries.ts';
import { eventsOf, fixture, inNamespace, scaledTo } from './e2e/kubectl.ts';
import type { Kubectl } from './e2e/kubectl.ts';
import { startSite } from './e2e/site.ts';
import { watchCanary } from './support/canary-watch.ts';
import type { CanaryWatch } from './support/canary-watch.ts';

const print = (line = ''): void => void process.stdout.write(`${line}\n`);
const startedMs = performance.now();
const clock = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)}s`;

const search = await findBinaries();
if (!search.found) {
  print(
    'The demo needs a Kubernetes control plane, which is built once from Go modules (about 6 minutes).',
  );
  await buildBinaries(print);
}

let bad = false;
const site = await startSite({
  answer: (query) => (query.includes('histogram_quantile') ? 98.4 : bad ? 69.17 : 100),
});
try {
  const kubectl = await inNamespace(site.cluster, 'demo');
  print(`A control plane is up, and Aviary beside it. From another terminal:
  ${site.cluster.kubectlPath} --kubeconfig ${site.cluster.kubeconfigPath} -n demo get canaries --watch\n`);
  const watch = watchCanary(site.cluster, 'demo', 'podinfo');
  await type(kubectl, ['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
  await watch.sees('Initialized');
  await scaledTo(kubectl, 'podinfo', 0);
  await roll(kubectl, watch, '6.0.1', 'Succeeded');
  bad = true;
  print('\nFrom here on Prometheus answers that 69.17 % of the requests to the canary succeed.');
  await roll(kubectl, watch, '6.0.2', 'Failed');
  watch.stop();
  const events = await eventsOf(kubectl, 'podinfo', /Canary failed/);
  print('\nEvery decision is an event (kubectl describe canary podinfo):');
  for (const event of events) print(`  ${event}`);
} finally {
  await site.stop();
}

async function type(kubectl: Kubectl, args: readonly string[]): Promise<void> {
  print(`${clock()}  $ kubectl ${args.map((arg) => arg.split('/e2e/fixtures/').at(-1)).join(' ')}`);
  const { stdout, stderr } = await kubectl(args);
  for (const line of `${stderr}${stdout}`.trim().split('\n')) print(`         ${line}`);
}

async function roll(
  kubectl: Kubectl,
  watch: CanaryWatch,
  version: string,
  end: 'Succeeded' | 'Failed',
): Promise<void> {
  print();
  const sinceMs = performance.now();
  let shown = watch.sightings.length;
  const timer = setInterval(() => {
    for (const { phase, weight, failedChecks } of watch.sightings.slice(shown)) {
      const bar = '█'.repeat(weight / 2).padEnd(50, '░');
      print(`${clock()}  ${phase.padEnd(13)} ${bar} ${weight}%  failed checks ${failedChecks}`);
    }
    shown = watch.sightings.length;
  }, 100);
  await type(kubectl, ['set', 'image', 'deployment/podinfo', `podinfod=podinfo:${version}`]);
  await watch.sees(end, { sinceMs, timeoutMs: 120_000 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  clearInterval(timer);
}
