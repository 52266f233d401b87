/**
 * `aviary migrate --check`: looks at a cluster, and says what would change if this controller took
 * over from the reference. Nothing is written.
 */
import { randomUUID } from 'node:crypto';
import type { Canary } from '../../api/canary.ts';
import type { MetricTemplate } from '../../api/metric-template.ts';
import {
  supportedAutoscalerKinds,
  supportedProviders,
  supportedTargetKinds,
} from '../../api/providers.ts';
import { validateCanary } from '../../api/validate.ts';
import type { Settings } from '../../controller/settings.ts';
import type { Clock } from '../../kube/clock.ts';
import { canaries, deployments, metricTemplates } from '../../kube/resources.ts';
import { providerOf } from '../../metrics/registry.ts';
import type { Transport } from '../../metrics/transport.ts';
import type { Environment } from '../flags.ts';
import { parseFlags } from '../flags.ts';
import { createReader } from '../reader-client.ts';
import { behaviourNotes } from './behaviour.ts';
import type { MetricTemplateSource } from './canary-facts.ts';
import { templatesOf } from './canary-facts.ts';
import {
  argumentsOf,
  clusterFindings,
  listAll,
  listIfKnown,
  referenceDeployments,
} from './cluster-findings.ts';
import type { Looking } from './cluster-findings.ts';
import { differences, isAbout } from './differences.ts';
import type { MigrateFlags } from './migrate-flags.ts';
import { migrateUsage, parseMigrateFlags } from './migrate-flags.ts';
import type { CanaryReport, Finding, Report } from './report.ts';
import { attention, needsAttention, note, renderJson, renderText } from './report.ts';
import type { Attempt } from './tied-controller.ts';
import { attempt, statusAfter } from './tied-controller.ts';

export interface MigrateCommand {
  /** Without the program and the command. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly version: string;
  readonly clock: Clock;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
}

export const migrateExitCodes = { fine: 0, attention: 1, failed: 2 } as const;

/** Resolves with the exit code. */
export async function runMigrate(command: MigrateCommand): Promise<number> {
  const parsed = parseMigrateFlags(command.argv);
  switch (parsed.kind) {
    case 'Help':
      command.write(migrateUsage);
      return migrateExitCodes.fine;
    case 'Refused':
      command.complain(`${parsed.message}\n\n${migrateUsage}`);
      return migrateExitCodes.failed;
    case 'Flags':
      try {
        const report = await check(parsed.flags, command);
        command.write(parsed.flags.output === 'json' ? renderJson(report) : renderText(report));
        return needsAttention(report) ? migrateExitCodes.attention : migrateExitCodes.fine;
      } catch (error) {
        command.complain(`could not look: ${(error as Error).message}\n`);
        return migrateExitCodes.failed;
      }
  }
}

/** Rejects where the cluster could not be looked at. */
async function check(flags: MigrateFlags, command: MigrateCommand): Promise<Report> {
  const { clock, environment, version } = command;
  const userAgent = `aviary-migrate/${version}`;
  const { kube } = createReader({ kubeconfig: flags.kubeconfig, environment, userAgent, clock });
  const timeout = new AbortController();
  const cancel = clock.after(flags.timeoutMs, () =>
    timeout.abort(new Error(`no answer in ${flags.timeoutMs / 1000} s`)),
  );
  try {
    const looking = { kube, signal: timeout.signal };
    const found = referenceDeployments(await listAll(deployments, looking));
    const { settings, said } = settingsOf(argumentsOf(found[0]), flags);
    const all = await listIfKnown(canaries, looking, flags.namespace);
    const { meshProvider } = settings;
    const facts = { found, canaries: all, meshProvider, nowMs: clock.now() };
    const cluster = await clusterFindings(looking, facts);
    const { namespace } = flags;
    const options = { kube, settings, namespace, clock, random: Math.random, uuid: randomUUID };
    const tried = await attempt({ ...options, signal: timeout.signal });
    const templates = await templatesIn(looking);
    const unread = tried.unread.map((text) => attention('NotRead', text));
    const report = (canary: Canary): CanaryReport => reportOf(canary, settings, tried, templates);
    return { cluster: [...said, ...cluster, ...unread], canaries: all.map(report) };
  } finally {
    cancel();
    kube.close();
  }
}

async function templatesIn(looking: Looking): Promise<MetricTemplateSource> {
  const all = await listIfKnown(metricTemplates, looking, '');
  const known = new Map<string, MetricTemplate>(
    all.map((it) => [`${it.metadata.namespace ?? ''}/${it.metadata.name}`, it]),
  );
  return (namespace, name) => known.get(`${namespace}/${name}`);
}

/** Aviary's settings, if it were started with the arguments of the reference. */
function settingsOf(
  argv: readonly string[],
  { meshProvider }: MigrateFlags,
): { readonly settings: Settings; readonly said: readonly Finding[] } {
  const given = parseFlags(argv, {});
  const parsed = given.kind === 'Flags' ? given : parseFlags([], {});
  if (parsed.kind !== 'Flags') throw new Error('the defaults of the flags are refused');
  const { flags, warnings } = parsed;
  const settings = {
    ...flags,
    meshProvider: meshProvider ?? flags.meshProvider,
    configTracking: flags.enableConfigTracking,
  };
  const refused =
    given.kind === 'Refused'
      ? [attention('Flags', `its arguments would be refused: ${given.message}`)]
      : [];
  return { settings, said: [...refused, ...warnings.map((text) => note('Flags', text))] };
}

function reportOf(
  canary: Canary,
  settings: Settings,
  tried: Attempt,
  templates: MetricTemplateSource,
): CanaryReport {
  const { namespace = '', name } = canary.metadata;
  const { meshProvider } = settings;
  const writes = tried.writes.filter((write) => isAbout(canary, meshProvider, write));
  const { warnings } = validateCanary(canary, {
    providers: supportedProviders,
    targetKinds: supportedTargetKinds,
    autoscalerKinds: supportedAutoscalerKinds,
    noCrossNamespaceRefs: settings.noCrossNamespaceRefs,
    meshProvider,
  });
  const findings = [
    ...differences(canary, writes, statusAfter(canary, tried.writes)),
    ...templateFindings(canary, templates),
    ...warnings.map((text) => note('SpecWarning', text)),
    ...behaviourNotes(canary, meshProvider, templates),
  ];
  return { namespace, name, phase: canary.status?.phase ?? '', findings };
}

/** Providers are only made, to see whether there are such. */
const unasked: Transport = {
  get: () => Promise.reject(new Error('not to be asked')),
  close: () => Promise.resolve(),
};

/** Metric providers that this version does not have. */
function templateFindings(canary: Canary, templates: MetricTemplateSource): readonly Finding[] {
  return templatesOf(canary, templates).flatMap(({ namespace, name, template }) => {
    const label = `metric template ${namespace}/${name}`;
    if (template === undefined) return [attention('NoMetricTemplate', `there is no ${label}`)];
    const made = providerOf(template, {}, unasked);
    const isMissing = !made.ok && made.error.includes('does not support');
    return isMissing ? [attention('MetricProvider', `${label}: ${made.error}`)] : [];
  });
}
