/** What `aviary migrate --check` found, and how it is told. */

export interface Finding {
  /** `attention`: somebody should look before the switch. `note`: good to know. */
  readonly severity: 'attention' | 'note';
  /** UpperCamel, stable, for machines. */
  readonly code: string;
  readonly message: string;
}

export interface CanaryReport {
  readonly namespace: string;
  readonly name: string;
  /** Empty where no controller has seen it. */
  readonly phase: string;
  readonly findings: readonly Finding[];
}

export interface Report {
  readonly cluster: readonly Finding[];
  readonly canaries: readonly CanaryReport[];
}

export const attention = (code: string, message: string): Finding => ({
  severity: 'attention',
  code,
  message,
});
export const note = (code: string, message: string): Finding => ({
  severity: 'note',
  code,
  message,
});

export const needsAttention = ({ cluster, canaries }: Report): boolean =>
  [...cluster, ...canaries.flatMap(({ findings }) => findings)].some(
    ({ severity }) => severity === 'attention',
  );

export const renderJson = (report: Report): string =>
  `${JSON.stringify({ ok: !needsAttention(report), ...report }, undefined, 2)}\n`;

/** Attention first; canaries about which there is nothing to say are counted. */
export function renderText(report: Report): string {
  const { cluster, canaries } = report;
  const lines: string[] = [];
  if (cluster.length > 0) lines.push('The cluster', ...cluster.map(line), '');
  const quiet = canaries.filter(({ findings }) => findings.every((it) => it.severity === 'note'));
  for (const { namespace, name, phase, findings } of canaries) {
    if (findings.length === 0) continue;
    lines.push(`${namespace}/${name} (${phase === '' ? 'not initialized' : phase})`);
    lines.push(...findings.toSorted(bySeverity).map(line), '');
  }
  const loud = canaries.length - quiet.length;
  lines.push(`${counted(canaries.length, 'canary', 'canaries')}: ${verdictOf(loud)}`);
  if (needsAttention(report) && loud === 0) lines.push('The cluster needs attention.');
  return `${lines.join('\n')}\n`;
}

function verdictOf(loud: number): string {
  if (loud === 0) return 'each would be taken over as it is';
  return `${loud} ${loud === 1 ? 'needs' : 'need'} attention`;
}

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

const line = ({ severity, code, message }: Finding): string =>
  `  ${severity === 'attention' ? '!' : '-'} ${code}: ${message}`;

const bySeverity = (one: Finding, other: Finding): number =>
  Number(one.severity === 'note') - Number(other.severity === 'note');
