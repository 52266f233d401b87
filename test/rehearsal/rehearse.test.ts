import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { supportedProviders } from '../../src/api/providers.ts';
import type { RehearsalInput } from '../../src/rehearsal/input.ts';
import { readInputs } from '../../src/rehearsal/input.ts';
import { plain } from '../../src/rehearsal/layout.ts';
import { readScenario } from '../../src/rehearsal/read-scenario.ts';
import { rehearse } from '../../src/rehearsal/rehearse.ts';
import { renderText } from '../../src/rehearsal/render-text.ts';
import {
  readShippedScenario,
  shippedScenarioNames,
} from '../../src/rehearsal/shipped-scenarios.ts';
import type { Rehearsal, Verdict } from '../../src/rehearsal/timeline.ts';
import { parseSource } from '../../src/rehearsal/yaml-source.ts';

const manifest = readFileSync(new URL('podinfo.yaml', import.meta.url), 'utf8');
const hour = 3_600_000;

function inputOf(text = manifest): RehearsalInput {
  const source = parseSource('podinfo.yaml', text);
  assert.ok(source.ok);
  const read = readInputs(source.documents, { namespace: 'default', meshProvider: 'istio' });
  assert.ok(read.ok, JSON.stringify(read));
  const [input] = read.inputs;
  assert.ok(input);
  return input;
}

interface Given {
  readonly text?: string;
  readonly seed?: number;
  readonly timeoutMs?: number;
}

const run = (
  read: ReturnType<typeof readShippedScenario>,
  given: Given = {},
): Promise<Rehearsal> => {
  assert.ok(read?.ok, JSON.stringify(read));
  const { seed = 1, timeoutMs = 2 * hour } = given;
  const input = inputOf(given.text);
  return rehearse({ input, scenario: read.scenario, seed, timeoutMs, meshProvider: 'istio' });
};

const shipped = (name: string, given?: Given) => run(readShippedScenario(name), given);
const own = (source: string, given?: Given) => run(readScenario('own.yaml', source, 'own'), given);

const textOf = (rehearsal: Rehearsal, columns = 100): string =>
  renderText(rehearsal, { paint: plain, unicode: true, columns, full: false });

/** The words of each line of the timeline, in order. */
const messagesOf = ({ timeline }: Rehearsal): readonly string[] =>
  timeline.flatMap((entry) => (entry.kind === 'Event' ? [entry.message] : []));

suite('each shipped scenario ends as it says', () => {
  const ends: Record<string, readonly [Verdict, RegExp]> = {
    'api-server-trouble': ['promoted', /Promotion completed!/],
    'good-release': ['promoted', /Advance podinfo\.test canary weight 50/],
    'errors-30-percent': ['rolled-back', /success rate (6|7)\d\.\d\d% < 99%/],
    'errors-grow-slowly': ['rolled-back', /success rate 9[78]\.\d\d% < 99%/],
    'latency-regression': ['rolled-back', /request duration 1\.8s > 500ms/],
    'pods-never-ready': ['rolled-back', /progress deadline exceeded/],
    'no-traffic': ['rolled-back', /no values found for istio metric request-success-rate/],
    'flapping-metric': ['rolled-back', /success rate 9\d\.\d\d% < 99%/],
    'gate-stays-closed': ['unfinished', /waiting for promotion approval approval/],
    'second-revision': ['promoted', /Restarting analysis for podinfo\.test/],
  };

  test('and there is no other', () => {
    assert.deepEqual(shippedScenarioNames, Object.keys(ends).toSorted());
  });

  for (const [name, [verdict, said]] of Object.entries(ends)) {
    test(name, async () => {
      // What comes and goes is met once or twice before the last step.
      const flaps = name === 'flapping-metric';
      const tolerant = flaps ? manifest.replace('threshold: 3', 'threshold: 2') : manifest;
      const rehearsal = await shipped(name, { text: tolerant });
      assert.equal(rehearsal.verdict, verdict, textOf(rehearsal));
      assert.match(messagesOf(rehearsal).join('\n'), said);
    });
  }
});

suite('a rehearsal', () => {
  test('is the same each time with the same seed', async () => {
    const [one, other] = [await shipped('errors-30-percent'), await shipped('errors-30-percent')];
    assert.deepEqual(one, other);
  });

  test('counts what a bad revision failed', async () => {
    const { requests, rollouts } = await shipped('errors-30-percent');
    const [rollout] = rollouts;
    assert.ok(rollout);
    // 10 s until the pods are ready, 1.5 s until gateways know them, then three verdicts at weight 10.
    assert.equal(rollout.weightMax, 10);
    const seconds = (rollout.endedAtMs - rollout.startedAtMs) / 1000 - 11.5;
    assert.ok(
      Math.abs(requests.failedByNew - seconds * 50 * 0.1 * 0.3) < 2,
      JSON.stringify(requests),
    );
    assert.ok(Math.abs(requests.failedAllAtOnce - (seconds + 11.5) * 50 * 0.3) < 2);
  });

  test('judges a MetricTemplate by the values of the scenario', async () => {
    const rehearsal = await own(`
revisions:
  leaking:
    metrics: { queue-length: [{ after: 0s, value: 5 }, { after: 1m, value: 400 }] }
actions: [{ at: 0s, deploy: leaking }]
`);
    assert.equal(rehearsal.verdict, 'rolled-back');
    assert.match(messagesOf(rehearsal).join('\n'), /advancement queue-length 400\.00 > 100/);
  });

  test('says where it had no values for a metric, and passes it', async () => {
    const { verdict, assumptions } = await shipped('good-release');
    assert.equal(verdict, 'promoted');
    assert.deepEqual(assumptions, [
      'The scenario has no values for metric queue-length: it passes',
    ]);
  });

  test('takes a change of a ConfigMap for a revision', async () => {
    const rehearsal = await own(`
revisions: { blue: { errorRate: 50 } }
actions: [{ at: 30s, changeConfig: { set: { colour: blue }, revision: blue } }]
`);
    assert.equal(rehearsal.verdict, 'rolled-back');
    assert.equal(rehearsal.timeline[0]?.atMs, 30_000);
  });

  test('of two revisions tells the way of each', async () => {
    const rehearsal = await own(`
revisions: { bad: { errorRate: 50 }, good: {} }
actions: [{ at: 0s, deploy: bad }, { at: 30m, deploy: good }]
`);
    assert.equal(rehearsal.verdict, 'promoted');
    assert.deepEqual(
      rehearsal.rollouts.map(({ revision, outcome }) => `${revision} ${outcome}`),
      ['bad RolledBack', 'good Promoted'],
    );
  });

  test('of a revision that is taken back ends without a promotion of it', async () => {
    const rehearsal = await own(`
revisions: { bad: { errorRate: 50 } }
actions: [{ at: 0s, deploy: bad }, { at: 90s, deploy: stable }]
`);
    assert.match(
      messagesOf(rehearsal).join('\n'),
      /Promoted revision restored! Canceling analysis/,
    );
    assert.deepEqual(
      rehearsal.rollouts.map(({ revision, outcome }) => `${revision} ${outcome}`),
      ['bad Replaced', 'stable Promoted'],
    );
  });

  test('waits at a gate until the scenario opens it', async () => {
    const rehearsal = await own(`
revisions: { v2: {} }
hooks: { approval: [{ at: 0s, value: { refuses: closed } }, { at: 40m, value: accepts }] }
actions: [{ at: 0s, deploy: v2 }]
`);
    assert.equal(rehearsal.verdict, 'promoted');
    assert.ok(rehearsal.durationMs > 40 * 60_000 && rehearsal.durationMs < 43 * 60_000);
    // Eighty times the same is not told eighty times.
    const lines = textOf(rehearsal).split('\n');
    assert.ok(lines.length < 110, `${lines.length} lines`);
    assert.ok(lines.some((line) => /… \d+ more like these/.test(line)));
  });

  test('does not finish where a gate outlasts its time', async () => {
    const { verdict, durationMs } = await shipped('gate-stays-closed', { timeoutMs: hour });
    assert.equal(verdict, 'unfinished');
    assert.equal(Math.round(durationMs / 60_000), 60);
  });

  test('is rolled back by a hook that asks for it', async () => {
    const text = manifest.replace(
      '      - name: approval\n        type: confirm-promotion',
      '      - name: panic\n        type: rollback',
    );
    const source = `
revisions: { v2: {} }
hooks: { panic: [{ at: 0s, value: refuses }, { at: 1m, value: accepts }] }
actions: [{ at: 0s, deploy: v2 }]
`;
    const rehearsal = await own(source, { text });
    assert.equal(rehearsal.verdict, 'rolled-back');
    assert.match(rehearsal.because, /manual webhook invoked/);
  });

  test('shows a revision that crashes under traffic', async () => {
    const rehearsal = await own(`
revisions: { bad: { pods: { readyAfter: 5s, crashAfter: 50s } } }
actions: [{ at: 0s, deploy: bad }]
`);
    assert.equal(rehearsal.verdict, 'rolled-back');
    assert.ok(rehearsal.requests.failedByNew > 0);
  });

  test('holds a revision whose pods flap, and goes on when they are ready', async () => {
    const rehearsal = await own(`
revisions: { v2: { pods: { readyAfter: 5s, flaps: { every: 90s, for: 20s } } } }
actions: [{ at: 0s, deploy: v2 }]
`);
    // Ready from 0:05 to 1:15, from 1:35 to 2:45, and so on: users meet what is not ready.
    assert.ok(
      rehearsal.requests.failedByNew > 20 * 50 * 0.1 * 0.9,
      JSON.stringify(rehearsal.requests),
    );
    const notReady = rehearsal.timeline.find(
      (entry) => entry.kind === 'Event' && entry.message.includes('not ready'),
    );
    assert.ok(rehearsal.verdict === 'rolled-back' || notReady !== undefined, textOf(rehearsal));
  });

  test('shows who is told', async () => {
    const alerts = 'alerts: [{ name: on-call, severity: error, providerRef: { name: pager } }]';
    const text = manifest.replace('    webhooks:', `    ${alerts}\n    webhooks:`);
    const told = async (name: string) =>
      (await shipped(name, { text })).timeline.flatMap((entry) =>
        entry.kind === 'Alert' ? [`${entry.severity} ${entry.to}: ${entry.message}`] : [],
      );
    assert.deepEqual(await told('good-release'), []);
    const [first = ''] = await told('errors-30-percent');
    assert.match(first, /^error pager\.test: Failed checks threshold reached 3/);
  });

  test('of blue/green moves all traffic at once, of A/B only users that match', async () => {
    const iterations = manifest
      .replace('    maxWeight: 50\n    stepWeight: 10\n', '    iterations: 3\n')
      .replaceAll(/ +- name: approval\n.*\n.*\n/g, '');
    const blueGreen = await shipped('good-release', { text: iterations });
    assert.equal(blueGreen.verdict, 'promoted');
    assert.equal(blueGreen.rollouts[0]?.weightMax, 100);
    const match = '    match: [{ headers: { x-canary: { exact: insider } } }]\n';
    const text = iterations.replace('    iterations: 3\n', `    iterations: 3\n${match}`);
    const tested = await shipped('good-release', { text });
    assert.equal(tested.verdict, 'promoted');
    assert.equal(tested.rollouts[0]?.weightMax, 10);
  });

  test('says why a Canary was never initialized', async () => {
    const text = manifest.replace('  service:', '  suspend: true\n  service:');
    const rehearsal = await shipped('good-release', { text });
    assert.equal(rehearsal.verdict, 'unfinished');
    assert.match(rehearsal.because, /^The Canary was never initialized: skipping canary run/);
    assert.doesNotMatch(textOf(rehearsal), /requests/);
  });

  // Knative has no Deployments.
  const { knative: _, ...providers } = supportedProviders;
  for (const [provider, { weights }] of Object.entries(providers)) {
    test(`with provider ${provider} sees what share of traffic the canary gets`, async () => {
      const gateway = 'gatewayRefs: [{ name: gateway }]';
      const references =
        '  ingressRef: { apiVersion: networking.k8s.io/v1, kind: Ingress, name: web }\n' +
        '  routeRef: { apiVersion: apisix.apache.org/v2, kind: ApisixRoute, name: web }\n';
      const text = manifest
        .replace('  targetRef:', `  provider: ${provider}\n${references}  targetRef:`)
        .replace(
          '{ port: 9898 }',
          `{ port: 9898, hosts: [app.example], meshName: global, ${gateway} }`,
        );
      const { verdict, rollouts } = await shipped('good-release', { text });
      assert.equal(verdict, 'promoted');
      assert.equal(rollouts[0]?.weightMax, weights ? 50 : 0);
    });
  }

  test('runs a Canary whose Deployment nobody gave', async () => {
    const [alone = ''] = manifest.split('---');
    const { verdict, assumptions } = await shipped('good-release', { text: alone });
    assert.equal(verdict, 'promoted');
    assert.ok(assumptions.some((text) => text.startsWith('Deployment podinfo was not given')));
  });
});

suite('the text of a rehearsal', () => {
  for (const name of ['errors-30-percent', 'second-revision']) {
    test(`of ${name} is as golden/${name}.txt has it`, async () => {
      const file = new URL(`golden/${name}.txt`, import.meta.url);
      const text = textOf(await shipped(name), 80);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }

  test('stays within its columns', async () => {
    const rehearsal = await shipped('pods-never-ready');
    for (const columns of [80, 100, 120]) {
      const tooLong = textOf(rehearsal, columns)
        .split('\n')
        .filter((line) => line.length > columns);
      assert.deepEqual(tooLong, []);
    }
  });
});

test('the shipped scenarios are those of src/rehearsal/scenarios', () => {
  const folder = new URL('../../src/rehearsal/', import.meta.url);
  const file = new URL('shipped-scenarios.json', folder);
  const sources = Object.fromEntries(
    shippedNames(folder).map((name) => [
      name,
      readFileSync(new URL(`scenarios/${name}.yaml`, folder), 'utf8'),
    ]),
  );
  const text = `${JSON.stringify(sources, undefined, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
});

const shippedNames = (folder: URL): readonly string[] =>
  readdirSync(new URL('scenarios/', folder))
    .map((file) => file.replace(/\.yaml$/, ''))
    .toSorted();

test('the canaries that one comes after count as done, and its own gates as the scenario says', async () => {
  const text = manifest.replace(
    /^spec:\n(?=  (provider|targetRef):)/m,
    'spec:\n  dependsOn: [{ name: backend }]\n',
  );
  assert.notEqual(text, manifest);
  const { verdict } = await shipped('good-release', { text });
  assert.equal(verdict, 'promoted');
});
