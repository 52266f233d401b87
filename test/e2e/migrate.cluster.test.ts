/**
 * Coming over from the reference on a real control plane: `aviary migrate --check` of the built
 * program only reads, says what is so, and what it says comes true when Aviary starts.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { CanaryStatus } from '../../src/api/canary.ts';
import type { Deployment } from '../../src/api/kubernetes.ts';
import type { Report } from '../../src/cli/migrate/report.ts';
import { referenceHash } from '../../src/revision/reference-hash.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { until } from '../support/until.ts';
import type { Kubectl } from './kubectl.ts';
import { fixture, getJson, inNamespace, repository, scaledTo } from './kubectl.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

interface Checked {
  readonly code: number;
  readonly report: Report;
  readonly text: string;
}

/** The built program, as a person would start it. */
async function check(kubeconfig: string): Promise<Checked> {
  const program = repository('dist/aviary.js');
  const run = (...more: readonly string[]) =>
    new Promise<{ readonly code: number; readonly out: string }>((resolve) => {
      const args = [program, 'migrate', '--check', '--kubeconfig', kubeconfig, ...more];
      execFile(process.execPath, args, { env: {} }, (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code);
        resolve({ code, out: stdout + stderr });
      });
    });
  const [json, text] = [await run('-o', 'json'), await run()];
  assert.equal(json.code, text.code, text.out);
  return { code: json.code, report: JSON.parse(json.out) as Report, text: text.out };
}

/** The objects as the reference leaves them: its hash, and nothing that only Aviary writes. */
async function asTheReferenceLeft(kubectl: Kubectl): Promise<void> {
  const target = (await getJson(kubectl, 'deployment/podinfo')) as unknown as Deployment;
  const marks = ['canary', 'revision', 'changed-by', 'change-cause', 'replicas'];
  const none = marks.map((mark) => `aviary.dev/${mark}-`);
  await kubectl(['annotate', 'deployment', 'podinfo', 'podinfo-primary', ...none]);
  const { status } = (await getJson(kubectl, 'canary/podinfo')) as { status: CanaryStatus };
  const own = ['trackedTarget', 'journal', 'promoted', 'gates', 'draining'];
  const hash = referenceHash(target.spec.template);
  const left = {
    ...Object.fromEntries(own.map((field) => [field, null])),
    lastAppliedSpec: hash,
    lastPromotedSpec: hash,
    conditions: status.conditions?.filter(({ type }) => type === 'Promoted'),
  };
  const patch = JSON.stringify({ status: left });
  await kubectl(['patch', 'canary/podinfo', '--subresource=status', '--type=merge', '-p', patch]);
}

const uidsOf = async (kubectl: Kubectl): Promise<string> =>
  (await kubectl(['get', 'pods,replicasets', '-o', 'jsonpath={.items[*].metadata.uid}'])).stdout;

const codesOf = ({ report }: Checked): readonly string[] =>
  report.canaries.flatMap(({ findings }) =>
    findings.filter(({ severity }) => severity === 'attention').map(({ code }) => code),
  );

describe('coming over from the reference', { skip, timeout: 300_000 }, () => {
  test('what migrate --check says is what happens, and no pod restarts', async () => {
    const site = await startSite();
    try {
      const kubectl = await inNamespace(site.cluster, 'test');
      await kubectl(['apply', '-f', fixture('podinfo.yaml'), '-f', fixture('canary.yaml')]);
      const watch = watchCanary(site.cluster, 'test', 'podinfo');
      await watch.sees('Initialized');
      await scaledTo(kubectl, 'podinfo', 0);
      await site.aviary().end('SIGTERM');
      await asTheReferenceLeft(kubectl);
      const { kubeconfigPath, auditLogPath = '' } = site.cluster;

      const calm = await check(kubeconfigPath);
      assert.equal(calm.code, 0, calm.text);
      assert.match(calm.text, /1 canary: each would be taken over as it is/);

      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      const changed = await check(kubeconfigPath);
      assert.equal(changed.code, 1, changed.text);
      assert.deepEqual(codesOf(changed), ['RolloutStarts']);
      await kubectl([
        'set',
        'image',
        'deployment/podinfo',
        'podinfod=ghcr.io/stefanprodan/podinfo:6.0.0',
      ]);
      assert.equal((await check(kubeconfigPath)).code, 0);

      const calls = (await readFile(auditLogPath, 'utf8'))
        .split('\n')
        .filter((line) => line.includes('"userAgent":"aviary-migrate/'))
        .map((line) => (JSON.parse(line) as { readonly verb: string }).verb);
      assert.ok(calls.length > 0);
      assert.deepEqual(
        calls.filter((verb) => !['get', 'list', 'watch'].includes(verb)),
        [],
      );

      const before = await uidsOf(kubectl);
      await site.start();
      await until('the status is taken over', async () => {
        const { status } = (await getJson(kubectl, 'canary/podinfo')) as { status: CanaryStatus };
        return status.trackedTarget !== undefined && status.phase === 'Initialized';
      });
      await kubectl([
        'wait',
        '--for=jsonpath={.metadata.annotations.aviary\\.dev/canary}=podinfo',
        'deployment/podinfo',
      ]);
      assert.equal(await uidsOf(kubectl), before);

      const sinceMs = performance.now();
      await kubectl(['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1']);
      await watch.sees('Progressing', { sinceMs });
      await watch.sees('Succeeded', { sinceMs, timeoutMs: 120_000 });
      watch.stop();
    } finally {
      await site.stop();
    }
  });
});
