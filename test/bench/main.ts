/**
 * `make bench`: what Aviary costs and how fast it is, on a real control plane on this machine, beside
 * the reference's figures and our targets. It reports; it judges nobody: the exit code is 0 whether
 * targets are met or not. `docs/benchmark.md` says how to read it.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { fleetDetails, fleetRows, printTable, updateRows } from './report.ts';
import type { FleetReport } from './rollouts.ts';
import { measureFleet } from './rollouts.ts';
import { measureUpdates } from './updates.ts';

const { values } = parseArgs({
  options: {
    /** Sizes of the fleets, each on a control plane of its own. */
    canaries: { type: 'string', default: '50,300' },
    /** Updates of each of the five cases; 0 leaves them out. */
    updates: { type: 'string', default: '300' },
    /** A flag of the controller, such as `--flag=--kubeconfig-qps=200`. */
    flag: { type: 'string', multiple: true, default: [] },
  },
});
const sizes = values.canaries
  .split(',')
  .map(Number)
  .filter((size) => size > 0);
const updates = Number(values.updates);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const reports: FleetReport[] = [];
for (const canaries of sizes) {
  reports.push(await measureFleet({ canaries, flags: values.flag, say }));
}
if (updates > 0) say('updates are timed');
const times = updates > 0 ? await measureUpdates(updates) : undefined;

const [processor] = cpus();
print(`${cpus().length} cores (${processor?.model ?? 'unknown'}), Node ${process.version}`);
if (values.flag.length > 0) print(`with ${values.flag.join(' ')}`);
print('');
for (const report of reports) {
  print(`## ${report.canaries} canaries, interval 10 s, steps 10, 20, 30`);
  print('');
  printTable(fleetRows(report), print);
  for (const line of fleetDetails(report)) print(`- ${line}`);
  print('');
}
if (times !== undefined) {
  print(`## A Deployment update, ${updates} of each in turn`);
  print('');
  printTable(updateRows(times), print);
}
