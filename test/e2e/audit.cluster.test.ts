/**
 * What the API server saw of the controller, by its audit log: nothing is read while a canary is
 * idle or ticking, and a step costs at most four writes (invariant 7, and the numbers to beat).
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { fixture, inNamespace, scaledTo } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();
const controller = 'system:serviceaccount:aviary-system:aviary';
const writeVerbs = new Set(['create', 'update', 'patch', 'delete']);

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly requestReceivedTimestamp: string;
}

/** Calls of the controller, the lease and watches aside, between two moments of the wall clock. */
async function callsBetween(log: string, from: Date, to: Date): Promise<readonly AuditEvent[]> {
  const events = (await readFile(log, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);
  return events.filter(({ user, verb, objectRef, requestReceivedTimestamp }) => {
    const at = new Date(requestReceivedTimestamp);
    const ours = user.username === controller && at >= from && at < to;
    return ours && verb !== 'watch' && verb !== 'list' && objectRef?.resource !== 'leases';
  });
}

const describeCall = ({ verb, objectRef = {} }: AuditEvent): string =>
  `${verb} ${objectRef.resource}${objectRef.subresource ? `/${objectRef.subresource}` : ''} ${objectRef.name ?? ''}`;

describe('the API server under the controller', { skip, timeout: 300_000 }, () => {
  test('an idle canary costs no call; a rollout reads nothing and writes four times a step', async () => {
    const site = await startSite();
    try {
      const log = site.cluster.auditLogPath ?? '';
      const kubectl = await inNamespace(site.cluster, 'test');
      await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await scaledTo(kubectl, 'podinfo', 0);
      // Events are written behind the status: the last one of the initialization ends it.
      await kubectl([
        'wait',
        '--for=jsonpath={.status.trackedTarget.generation}=3',
        'canary/podinfo',
      ]);

      const idleFrom = new Date();
      const untouched = await kubectl([
        'wait',
        '--for=delete',
        'canary/podinfo',
        '--timeout=15s',
      ]).then(
        () => false,
        () => true,
      );
      assert.ok(untouched, 'the canary stays, and 15 s pass');
      const rolloutFrom = new Date();
      assert.deepEqual((await callsBetween(log, idleFrom, rolloutFrom)).map(describeCall), []);

      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      const seen = [
        await watch.sees('Progressing'),
        await watch.sees('Progressing', { weight: 10 }),
        await watch.sees('Progressing', { weight: 20 }),
        await watch.sees('Progressing', { weight: 30 }),
        await watch.sees('Promoting'),
        await watch.sees('Finalising'),
        await watch.sees('Succeeded'),
      ];
      watch.stop();
      const end = new Date(Date.now() + 1_000);
      await scaledTo(kubectl, 'podinfo', 0);
      await kubectl([
        'wait',
        '--for=jsonpath={.status.trackedTarget.generation}=6',
        'canary/podinfo',
      ]);

      const calls = await callsBetween(log, rolloutFrom, end);
      const reads = calls.filter(({ verb }) => !writeVerbs.has(verb));
      assert.deepEqual(reads.map(describeCall), [], 'no read');
      assert.ok(
        calls.length <= 25,
        `25 calls a rollout, not ${calls.map(describeCall).join(', ')}`,
      );

      const wallOffset = Date.now() - performance.now();
      for (const weight of [20, 30]) {
        // Nothing else happens within 2 s of these steps: the interval is 10 s.
        const step = seen.find((sighting) => sighting.weight === weight);
        const at = wallOffset + (step?.atMs ?? 0);
        const writes = await callsBetween(log, new Date(at - 2_000), new Date(at + 2_000));
        const said = writes.map(describeCall).join(', ');
        assert.ok(writes.length > 0 && writes.length <= 4, `1 to 4 writes at ${weight}: ${said}`);
      }
    } finally {
      await site.stop();
    }
  });
});
