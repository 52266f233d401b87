import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { readScenario } from '../../src/rehearsal/read-scenario.ts';
import { valueAt } from '../../src/rehearsal/series.ts';
import { shippedScenarioNames } from '../../src/rehearsal/shipped-scenarios.ts';
import { showProblem } from '../../src/rehearsal/yaml-source.ts';
import { mutated } from './mutated.ts';

const problemsOf = (source: string): readonly string[] => {
  const read = readScenario('s.yaml', source, 's');
  return read.ok ? [] : read.problems.map(showProblem);
};

const whole = `
name: whole
description: Everything that a scenario can say.
requestsPerSecond:
  - { at: 0s, value: 10 }
  - { at: 5m, value: 30, gradually: true }
matchingShare: 25
testRequestsPerSecond: 5
scrapeInterval: 30s
revisions:
  stable: { errorRate: 0.1, latency: 80ms }
  bad:
    errorRate: [{ after: 0s, value: 0 }, { after: 1m, value: 20 }]
    latency: 1s
    pods: { readyAfter: 20s, flaps: { every: 2m, for: 30s } }
    metrics: { queue-length: 12 }
  worse: { pods: never-ready }
  worst: { pods: { crashAfter: 40s } }
hooks:
  gate: [{ at: 0s, value: { refuses: not yet } }, { at: 10m, value: accepts }]
  rollback: refuses
  load-test: silent
metrics:
  queue-length: [{ at: 0s, value: none }, { at: 1m, value: unavailable }, { at: 2m, value: 3.5 }]
faults: { conflict: 5 }
actions:
  - { at: 5m, changeConfig: { configMap: settings, set: { colour: blue }, revision: worse } }
  - { at: 1m, deploy: bad }
  - { at: 6m, patchCanary: { spec: { suspend: true } } }
`;

suite('a scenario', () => {
  const read = readScenario('whole.yaml', whole, 'fallback');
  assert.ok(read.ok, problemsOf(whole).join('\n'));
  const { scenario } = read;

  test('is read whole', () => {
    assert.equal(scenario.name, 'whole');
    assert.equal(scenario.matchingShare, 25);
    assert.equal(scenario.scrapeIntervalMs, 30_000);
    assert.equal(valueAt(scenario.requestsPerSecond, 150_000), 20);
    assert.deepEqual([...scenario.revisions.keys()], ['stable', 'bad', 'worse', 'worst']);
    const bad = scenario.revisions.get('bad');
    assert.ok(bad);
    assert.equal(valueAt(bad.errorRate, 60_000), 20);
    assert.equal(valueAt(bad.latencyMs, 0), 1000);
    assert.deepEqual(bad.pods, {
      kind: 'Flapping',
      afterMs: 20_000,
      everyMs: 120_000,
      forMs: 30_000,
    });
    assert.deepEqual(scenario.revisions.get('worse')?.pods, { kind: 'Never' });
    assert.deepEqual(scenario.revisions.get('worst')?.pods, {
      kind: 'Crashing',
      afterMs: 5_000,
      crashAfterMs: 40_000,
    });
    assert.equal(scenario.faults.conflict, 0.05);
    assert.deepEqual(scenario.hooks.get('load-test'), [
      { atMs: 0, value: { kind: 'Silent' }, gradually: false },
    ]);
  });

  test('has its actions in the order of time', () => {
    assert.deepEqual(
      scenario.actions.map(({ kind, atMs }) => [kind, atMs]),
      [
        ['Deploy', 60_000],
        ['ChangeConfig', 300_000],
        ['PatchCanary', 360_000],
      ],
    );
  });

  test('has a stable revision though it names none, and the name of its file', () => {
    const short = readScenario(
      'x.yaml',
      'revisions: { v2: {} }\nactions: [{ at: 0s, deploy: v2 }]',
      'x',
    );
    assert.ok(short.ok);
    assert.equal(short.scenario.name, 'x');
    assert.ok(short.scenario.revisions.has('stable'));
  });
});

suite('what is wrong with a scenario is said with its line and its path', () => {
  const tail = 'actions: [{ at: 0s, deploy: bad }]\n';
  const cases: Record<string, readonly [string, readonly (string | RegExp)[]]> = {
    'bad YAML': ['a: [1, 2', [/^s\.yaml:1: Flow sequence in block collection must be/]],
    'no content': ['# nothing\n', ['s.yaml: has no content']],
    'two documents': [
      `a: 1\n---\nb: 2\n`,
      ['s.yaml: has more than one document: a scenario is one'],
    ],
    'no object': ['- 1\n', ['s.yaml:1: a list is no object']],
    'no actions': ['name: x\n', ['s.yaml:1: actions is missing']],
    'an action without effect': [
      'actions:\n  - at: 0s\n',
      ['s.yaml:2: actions[0]: needs one of deploy, changeConfig, patchCanary'],
    ],
    'only a patch of the Canary': [
      'actions: [{ at: 0s, patchCanary: {} }]',
      ['s.yaml:1: actions: brings no revision: add { at: 0s, deploy: NAME }'],
    ],
    'a revision that there is not': [
      'actions:\n  - at: 0s\n    deploy: bda\n',
      ['s.yaml:3: actions[0].deploy: revisions has no bda: it has stable'],
    ],
    'a share above all': [
      `revisions:\n  bad:\n    errorRate: 130\n${tail}`,
      ['s.yaml:3: revisions.bad.errorRate: 130% is above 100%'],
    ],
    'a duration without unit': [
      `revisions: { bad: {} }\nscrapeInterval: 15\n${tail}`,
      ['s.yaml:2: scrapeInterval: 15 is no duration: write 30s, 5m or 1m30s'],
    ],
    'points that go back in time': [
      `revisions:\n  bad:\n    errorRate:\n      - { after: 2m, value: 1 }\n      - { after: 1m, value: 2 }\n${tail}`,
      ['s.yaml:5: revisions.bad.errorRate[1]: is not later than the point before it'],
    ],
    'an unknown field': [
      `revisions: { bad: { erorRate: 3 } }\n${tail}`,
      [
        's.yaml:1: revisions.bad.erorRate: unknown field: known are errorRate, latency, pods, metrics',
      ],
    ],
    'an answer that no hook gives': [
      `revisions: { bad: {} }\nhooks: { gate: maybe }\n${tail}`,
      ['s.yaml:2: hooks.gate: "maybe" is none of accepts, refuses, silent, { refuses: WHY }'],
    ],
    'a name that is no tag of an image': [
      `revisions: { 'a b': {} }\nactions: [{ at: 0s, deploy: stable }]`,
      [/revisions\["a b"\]: is no name that can be the tag of an image/],
    ],
    'pods that would never be ready': [
      `revisions: { bad: { pods: { flaps: { every: 1m, for: 1m } } } }\n${tail}`,
      [/pods\.flaps: pods would never be ready/],
    ],
    'more faults than anybody can bear': [
      `revisions: { bad: {} }\nfaults: { conflict: 80 }\n${tail}`,
      ['s.yaml:2: faults.conflict: 80% is above 50%'],
    ],
    'two things at once': [
      `revisions: { bad: { errorRate: x, latency: -1s } }\n${tail}`,
      [/errorRate: "x" is no number/, /latency: "-1s" is no duration/],
    ],
  };
  for (const [name, [source, expected]] of Object.entries(cases)) {
    test(name, () => {
      const problems = problemsOf(source);
      assert.equal(problems.length, expected.length, problems.join('\n'));
      for (const [index, wanted] of expected.entries()) {
        const found = problems[index] ?? '';
        if (typeof wanted === 'string') assert.equal(found, wanted);
        else assert.match(found, wanted);
      }
    });
  }
});

test('whatever stands in it, it is read or refused with reasons', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        mutated(parse(whole)).map((it) => stringify(it)),
        fc.string(),
      ),
      (text) => {
        const read = readScenario('s.yaml', text, 's');
        assert.ok(read.ok || read.problems.length > 0);
      },
    ),
    { numRuns: 300 },
  );
});

suite('docs/rehearsal.md', () => {
  const docs = readFileSync(new URL('../../docs/rehearsal.md', import.meta.url), 'utf8');

  test('shows a scenario that is one', () => {
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(docs) ?? [];
    assert.deepEqual(problemsOf(example), []);
  });

  test('names each shipped scenario', () => {
    const named = [...docs.matchAll(/^\| `([a-z0-9-]+)` +\| /gm)].map(([, name]) => name);
    for (const name of shippedScenarioNames) assert.ok(named.includes(name), name);
  });
});
