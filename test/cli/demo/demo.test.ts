/** `aviary demo` as it is run, on the embedded cluster: nothing but Node is needed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createKubeClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { connect } from '../../../src/kube/config.ts';
import { deployments } from '../../../src/kube/resources.ts';
import { startDemo } from './demo-process.ts';
import type { DemoProcess } from './demo-process.ts';

async function withDemo(
  argv: readonly string[],
  use: (demo: DemoProcess) => Promise<void>,
): Promise<void> {
  const demo = await startDemo(argv);
  try {
    await use(demo);
  } finally {
    await demo.dispose();
  }
}

/** The lines come in this order, others between them. */
function assertTold(lines: readonly string[], patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
    assert.notEqual(at, -1, `${String(pattern)} after line ${from}:\n${lines.join('\n')}`);
    from = at + 1;
  }
}

const analysed = [10, 20, 30, 40, 50].map(
  (weight) => new RegExp(`Advance sample.demo canary weight ${weight}$`),
);
const promotion = [
  /Warning: sample: this starts a canary analysis \(weights 10, 20, 30, 40, 50 every 10s/,
  /New revision detected! Scaling up sample.demo$/,
  ...analysed,
  /Copying sample.demo template spec to sample-primary.demo$/,
  /Routing all traffic to primary$/,
];
interface Expected {
  readonly told: readonly RegExp[];
  /** Of the requests while it lasted, those that failed. */
  readonly failedRatio: { readonly min: number; readonly max: number };
}

const scripts: Readonly<Record<string, Expected>> = {
  promote: {
    told: [/\$ kubectl set image deployment\/sample app=aviary\/sample:2.0.0$/, ...promotion],
    failedRatio: { min: 0, max: 0 },
  },
  rollback: {
    told: [
      /\$ kubectl set image deployment\/sample app=aviary\/sample:2.0.0-bad$/,
      /Halt sample.demo advancement success rate [\d.]+% < 99%$/,
      /Halt sample.demo advancement success rate [\d.]+% < 99%$/,
      /Rolling back sample.demo failed checks threshold reached 2$/,
      /Canary failed! Scaling down sample.demo$/,
    ],
    // Of the tenth that it gets, three in ten fail; an interval before and after it, none do.
    failedRatio: { min: 0.005, max: 0.04 },
  },
  configmap: {
    told: [
      /\$ kubectl patch configmap sample-config -p '{"data":{"greeting":"good day"}}'$/,
      ...promotion.slice(1),
    ],
    failedRatio: { min: 0, max: 0 },
  },
};

suite('the demo', { concurrency: 3 }, () => {
  for (const [name, { told, failedRatio }] of Object.entries(scripts)) {
    test(`${name} comes to its end`, () =>
      withDemo(['--script', name, '--exit', '--speed', '10'], async (demo) => {
        const code = await demo.ended();
        assert.equal(code, 0, `${demo.lines.join('\n')}${demo.stderr()}`);
        assertTold(demo.lines, told);
        const [, failed, all] = await demo.says(/: (\d+) of (\d+) requests failed on the way$/);
        const ratio = Number(failed) / Number(all);
        assert.ok(ratio >= failedRatio.min && ratio <= failedRatio.max, `${failed} of ${all}`);
        assert.deepEqual(await demo.leftovers(), []);
        assert.ok(!demo.lines.join('').includes('\u001b'), 'no escape sequence in a file');
      }));
  }

  test('it stays up, and what a developer changes is released', () =>
    withDemo(['--script', 'rollback', '--speed', '10'], async (demo) => {
      const [, kubeconfig = ''] = await demo.says(/^ {2}export KUBECONFIG=(\S+)$/);
      await demo.says(/^ {2}kubectl set image deployment\/sample app=aviary\/sample:3.0.0$/);
      const connection = connect({ kubeconfig, master: '', environment: {}, clock: systemClock });
      assert.equal(connection.namespace, 'demo', 'commands need no -n');
      const told: string[] = [];
      const kube = createKubeClient(connection, {
        qps: 0,
        burst: 0,
        userAgent: 'test',
        clock: systemClock,
        onCall: () => undefined,
        onWarning: (text) => told.push(text),
      });
      const path = '/spec/template/spec/containers/0/image';
      const body = [{ op: 'replace', path, value: 'aviary/sample:7.0.0' }] as const;
      const key = { namespace: 'demo', name: 'sample' };
      const signal = AbortSignal.timeout(10_000);
      await kube.patch(deployments, key, { type: 'json', body }, { signal });
      kube.close();
      assert.match(told.join(), /^sample: this starts a canary analysis/);
      await demo.says(/Promoted: 0 of \d+ requests failed on the way$/);
      demo.signal('SIGTERM');
      assert.equal(await demo.ended(), 0, demo.stderr());
      assert.deepEqual(await demo.leftovers(), []);
    }));

  test('told to end in the middle of a rollout, it ends in good order', () =>
    withDemo(['--script', 'promote', '--exit', '--speed', '10'], async (demo) => {
      await demo.says(/Advance sample.demo canary weight 20$/);
      demo.signal('SIGINT');
      assert.equal(await demo.ended(), 130, 'the script did not come to its end');
      assert.equal(demo.stderr(), '');
      assert.deepEqual(await demo.leftovers(), []);
    }));

  test('when nobody reads it any more, it ends without a word', () =>
    withDemo(['--exit'], async (demo) => {
      await demo.says(/API server listens/);
      demo.stopReading();
      assert.equal(await demo.ended(), 130);
      assert.equal(demo.stderr(), '');
      assert.deepEqual(await demo.leftovers(), []);
    }));

  test('a port that is taken is named, and nothing is left', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    try {
      await withDemo(['--exit', `--port=${port}`], async (demo) => {
        assert.equal(await demo.ended(), 1);
        assert.match(demo.stderr(), new RegExp(`port ${port} is taken by another program`));
        assert.deepEqual(await demo.leftovers(), []);
      });
    } finally {
      squatter.close();
    }
  });

  test('a file that is there already is no place for a kubeconfig', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aviary-own-'));
    const own = join(folder, 'kubeconfig');
    await writeFile(own, 'mine');
    try {
      await withDemo(['--exit', '--kubeconfig', own], async (demo) => {
        assert.equal(await demo.ended(), 1);
        assert.ok(demo.stderr().includes(`there is a file ${own} already, which is left as it is`));
        assert.equal(await readFile(own, 'utf8'), 'mine');
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('wrong usage is explained', () =>
    withDemo(['--script', 'promotion'], async (demo) => {
      assert.equal(await demo.ended(), 2);
      assert.match(demo.stderr(), /^there is no script "promotion"/);
      assert.match(demo.stderr(), /--script NAME/);
    }));

  test('help is no failure', () =>
    withDemo(['--help'], async (demo) => {
      assert.equal(await demo.ended(), 0);
      assert.match(demo.lines.join('\n'), /^Usage: aviary demo/);
    }));
});
