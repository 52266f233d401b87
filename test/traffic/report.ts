/** What a rollout was like for its users, as a table for people. */
import type { Answer } from './load.ts';
import type { Share } from './shares.ts';

export interface RolloutSeen {
  /** `performance.now()` of the change, and of the end in the Canary's status. */
  readonly sinceMs: number;
  readonly endedMs: number;
  /** In the order in which they were sent. */
  readonly answers: readonly Answer[];
  readonly shares: readonly Share[];
}

export function reportRollout(title: string, rollout: RolloutSeen): void {
  const { sinceMs, endedMs, answers, shares } = rollout;
  const first = answers.find(({ revision }) => title.endsWith(revision) && revision !== '');
  const failures = answers.filter(({ status }) => status !== 200);
  const usersHit = new Set(failures.map(({ user }) => user)).size;
  const seconds = (atMs: number): string => `${((atMs - sinceMs) / 1000).toFixed(1)} s`;
  const took = answers.map(({ tookMs }) => tookMs).toSorted((left, right) => left - right);
  const p99 = took[Math.floor(took.length * 0.99)] ?? 0;
  const lines = [
    '',
    title,
    `  first request to it      ${first === undefined ? 'none' : seconds(first.atMs)}`,
    `  the end in the status    ${seconds(endedMs)}`,
    `  requests, p99            ${answers.length}, ${p99.toFixed(0)} ms`,
    `  failed, users hit        ${failures.length}, ${usersHit}`,
    '  weight   from      to       requests   to the canary   share      off by',
    ...shares.map((share) => shareLine(share, seconds)),
    ...saidBy(failures),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function shareLine(seen: Share, seconds: (atMs: number) => string): string {
  const { weight, atMs, untilMs, requests, canary, share, sigmas } = seen;
  return [
    `  ${String(weight).padStart(6)}`,
    seconds(atMs).padStart(8),
    seconds(untilMs).padStart(8),
    String(requests).padStart(10),
    String(canary).padStart(15),
    `${share.toFixed(2)} %`.padStart(10),
    `${sigmas.toFixed(1)} sigma`.padStart(10),
  ].join(' ');
}

/** Each kind of failure once, with how often it was seen. */
function saidBy(failures: readonly Answer[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { status, revision, said } of failures) {
    const line = `${status} ${revision === '' ? 'from the gateway' : `from ${revision}`}: ${said}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => `  ${count} x ${line}`);
}
