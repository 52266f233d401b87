import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { runRehearse } from '../../src/cli/rehearse.ts';
import { parseRehearseFlags } from '../../src/cli/rehearse-flags.ts';

const podinfo = new URL('../rehearsal/podinfo.yaml', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'rehearse-'));
after(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly complaints: string;
}

async function run(
  argv: readonly string[],
  more: { readonly input?: string; readonly colours?: boolean; readonly unicode?: boolean } = {},
): Promise<Ended> {
  let [output, complaints] = ['', ''];
  const code = await runRehearse({
    argv,
    write: (text) => void (output += text),
    complain: (text) => void (complaints += text),
    readInput: async () => more.input ?? '',
    colours: more.colours ?? false,
    unicode: more.unicode ?? true,
    columns: 100,
  });
  return { code, output, complaints };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const closedGate = ['--scenario', 'gate-stays-closed', '--timeout', '30m'];

suite('the exit code', () => {
  const cases: Record<string, readonly [readonly string[], number]> = {
    'is 0 for a promotion': [[], 0],
    'is 1 for a rollback': [['--scenario', 'errors-30-percent'], 1],
    'is 3 where it does not finish': [closedGate, 3],
    'is 0 for a rollback that is expected': [
      ['--scenario', 'errors-30-percent', '--expect', 'rolled-back'],
      0,
    ],
    'is 1 for a promotion that is not expected': [['--expect', 'rolled-back'], 1],
    'is 3 where it does not finish, whatever is expected': [
      [...closedGate, '--expect', 'promoted'],
      3,
    ],
    'is the highest of several': [
      ['--scenario', 'good-release', '--scenario', 'latency-regression'],
      1,
    ],
  };
  for (const [name, [flags, expected]] of Object.entries(cases)) {
    test(name, async () => {
      const { code, output, complaints } = await run(['-f', podinfo, ...flags]);
      assert.equal(code, expected, output + complaints);
      assert.equal(complaints, '');
    });
  }
});

suite('what is wrong is said, with exit code 2', () => {
  const broken = 'apiVersion: v1\nkind: [\n';
  const cases: Record<string, readonly [() => readonly string[], RegExp]> = {
    'no file': [() => [], /^name the Canary: -f FILE\n\nUsage: aviary rehearse/],
    'an unknown flag': [() => ['--fast'], /^Unknown option '--fast'/],
    'an unknown output': [() => ['-f', 'x', '-o', 'xml'], /^--output xml: use text, json, junit/],
    'an unknown expectation': [() => ['-f', 'x', '--expect', 'fame'], /^--expect fame: use/],
    'a timeout that is none': [() => ['-f', 'x', '--timeout', '5'], /^--timeout 5: use a duration/],
    'a seed that is none': [() => ['-f', 'x', '--seed', 'a'], /^--seed a: use a whole number/],
    'a file that is not there': [() => ['-f', 'nowhere.yaml'], /^nowhere\.yaml: no such file/],
    'a scenario that is not there': [
      () => ['-f', podinfo, '--scenario', 'sunshine'],
      /^no scenario sunshine: there are api-server-trouble, .*, or name a file\n$/,
    ],
    'a scenario file that is not there': [
      () => ['-f', podinfo, '--scenario', './sunshine.yaml'],
      /^\.\/sunshine\.yaml: no such file or folder\n$/,
    ],
    'a file without a Canary': [
      () => ['-f', file('empty.yaml', 'kind: ConfigMap\napiVersion: v1\nmetadata: { name: x }\n')],
      /^no Canary in /,
    ],
    'bad YAML, with its line': [
      () => ['-f', file('broken.yaml', broken)],
      /broken\.yaml:\d: Flow sequence in block collection/,
    ],
    'a bad scenario, with its line and path': [
      () => ['-f', podinfo, '--scenario', file('bad.yaml', 'actions:\n  - { at: 1, deploy: x }\n')],
      /bad\.yaml:2: actions\[0\]\.at: 1 is no duration/,
    ],
    'a Canary that admission refuses, with its line': [
      () => [
        '-f',
        file(
          'refused.yaml',
          readFileSync(podinfo, 'utf8').replace('maxWeight: 50', 'maxWeight: 150'),
        ),
      ],
      /refused\.yaml:13: spec\.analysis\.maxWeight: 150 is above 100/,
    ],
    'a field that the schema does not have': [
      () => [
        '-f',
        file('typo.yaml', readFileSync(podinfo, 'utf8').replace('maxWeight: 50', 'maxWieght: 50')),
      ],
      /typo\.yaml:13: spec\.analysis\.maxWieght: unknown field/,
    ],
    'a Deployment that the API server refuses, in its words': [
      () => [
        '-f',
        file(
          'other.yaml',
          readFileSync(podinfo, 'utf8').replace('labels: { app: podinfo }', 'labels: { app: x }'),
        ),
      ],
      /other\.yaml:\d+: spec\.template\.metadata\.labels: .*`selector` does not match template/,
    ],
    'a change of configuration where there is none': [
      () => [
        '-f',
        file('plain.yaml', readFileSync(podinfo, 'utf8').replace(/ +envFrom.*\n/, '')),
        '--scenario',
        file('config.yaml', 'actions: [{ at: 0s, changeConfig: { revision: stable } }]'),
      ],
      /^the scenario changes a ConfigMap, but Deployment podinfo refers to none\n$/,
    ],
  };
  for (const [name, [argv, expected]] of Object.entries(cases)) {
    test(name, async () => {
      const { code, output, complaints } = await run(argv());
      assert.match(complaints, expected);
      assert.equal(code, 2);
      assert.equal(output, '');
    });
  }
});

suite('input comes', () => {
  const text = readFileSync(podinfo, 'utf8');

  test('from standard input', async () => {
    const { code, output } = await run(['-f', '-'], { input: text });
    assert.equal(code, 0);
    assert.match(output, /^Canary podinfo\.test, scenario good-release\n/);
  });

  test('from a folder, and from several files', async () => {
    const [canary = '', template = '', ...rest] = text.split('---\n');
    const parts = mkdtempSync(join(folder, 'parts-'));
    writeFileSync(join(parts, 'canary.yaml'), canary);
    writeFileSync(join(parts, 'template.yml'), template);
    writeFileSync(join(parts, 'notes.txt'), 'not: [yaml');
    const { code, output } = await run(['-f', parts, '-f', file('rest.yaml', rest.join('---\n'))]);
    assert.equal(code, 0);
    assert.doesNotMatch(output, /was not given/);
  });

  test('with several Canaries, each of which is rehearsed with each scenario', async () => {
    const two = `${text}---\n${text.replaceAll('podinfo', 'cart')}`;
    const { output } = await run(
      ['-f', '-', '-o', 'json', '--scenario', 'good-release', '--scenario', 'errors-30-percent'],
      { input: two },
    );
    const { rehearsals } = JSON.parse(output) as {
      rehearsals: { canary: { name: string }; scenario: { name: string } }[];
    };
    assert.deepEqual(
      rehearsals.map(({ canary, scenario }) => `${canary.name} ${scenario.name}`),
      [
        'podinfo good-release',
        'podinfo errors-30-percent',
        'cart good-release',
        'cart errors-30-percent',
      ],
    );
  });
});

suite('the output', () => {
  test('is coloured only where that is wanted', async () => {
    const argv = ['-f', podinfo, '--scenario', 'errors-30-percent'];
    const [with_, without] = [await run(argv, { colours: true }), await run(argv)];
    const escape = '\u001B[';
    assert.ok(with_.output.includes(`${escape}31mROLLED BACK${escape}0m`));
    assert.equal(without.output.includes(escape), false);
    assert.equal(
      with_.output.replaceAll(new RegExp(`${escape.replace('[', '\\[')}\\d+m`, 'g'), ''),
      without.output,
    );
  });

  test('is ASCII where the terminal knows nothing else', async () => {
    const { output } = await run(['-f', podinfo], { unicode: false });
    assert.match(output, /^[\n -~]*$/);
    assert.match(output, /##\.{18} 10% to the canary/);
  });

  test('has a line for each verdict if so asked', async () => {
    const short = await run(['-f', podinfo, ...closedGate]);
    const long = await run(['-f', podinfo, ...closedGate, '--full']);
    assert.match(short.output, /more like these/);
    assert.doesNotMatch(long.output, /more like these/);
    assert.ok(long.output.length > short.output.length);
  });

  test('as JSON has whole requests, times in milliseconds and the verdict', async () => {
    const { output } = await run(['-f', podinfo, '-o', 'json', '--scenario', 'errors-30-percent']);
    const document = JSON.parse(output) as Readonly<Record<string, unknown>>;
    assert.equal(document['formatVersion'], 1);
    const [rehearsal] = document['rehearsals'] as readonly Readonly<Record<string, unknown>>[];
    assert.ok(rehearsal);
    assert.deepEqual(Object.keys(rehearsal).toSorted(), [
      'admissionWarnings',
      'advice',
      'assumptions',
      'because',
      'canary',
      'durationMs',
      'requests',
      'rollouts',
      'scenario',
      'seed',
      'timeline',
      'verdict',
    ]);
    assert.equal(rehearsal['verdict'], 'rolled-back');
    for (const count of Object.values(rehearsal['requests'] as Readonly<Record<string, number>>)) {
      assert.ok(Number.isInteger(count));
    }
  });

  test('as JUnit is well-formed XML with a failure for what was not expected', async () => {
    const scenarios = ['--scenario', 'good-release', '--scenario', 'errors-30-percent'];
    const { output, code } = await run(['-f', podinfo, '-o', 'junit', ...scenarios]);
    assert.equal(code, 1);
    assert.deepEqual(elementsOf(output), {
      testsuites: 1,
      testsuite: 1,
      testcase: 2,
      failure: 1,
      'system-out': 2,
    });
    assert.match(output, /<testsuite name="aviary rehearse" tests="2" failures="1" errors="0"/);
    assert.match(
      output,
      /<testcase name="good-release" classname="test\.podinfo" time="\d+\.\d{3}">/,
    );
    assert.match(
      output,
      /<failure message="expected promoted, was rolled-back" type="rolled-back">/,
    );
    const expected = await run([
      '-f',
      podinfo,
      '-o',
      'junit',
      '--scenario',
      'errors-30-percent',
      '--expect',
      'rolled-back',
    ]);
    assert.match(expected.output, /failures="0"/);
  });
});

suite('scenarios', () => {
  test('are listed, with what they are about', async () => {
    const { output } = await run(['--list-scenarios']);
    assert.match(output, /^pods-never-ready +The pods of the new revision start and never/m);
  });

  test('are printed, to be used as files', async () => {
    const { output } = await run(['--show-scenario', 'latency-regression']);
    const path = file('mine.yaml', output);
    assert.equal((await run(['-f', podinfo, '--scenario', path])).code, 1);
  });

  test('help names each flag', async () => {
    const { output, code } = await run(['--help']);
    assert.equal(code, 0);
    for (const flag of ['--scenario', '--expect', '--seed', '--timeout', '--full']) {
      assert.ok(output.includes(flag), flag);
    }
    assert.equal(parseRehearseFlags(['-h']).kind, 'Help');
  });
});

/** How often each element occurs. Fails where a tag has no partner, or a sign is not escaped. */
function elementsOf(xml: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const open: string[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  for (const [, text = '', tag] of body.matchAll(/([^<]*)(?:<([^<>]*)>)?/g)) {
    assert.doesNotMatch(text, /&(?!(amp|lt|gt|quot|apos);)/);
    if (tag === undefined) continue;
    const [, close, name = '', attributes = ''] =
      /^(\/?)([\w-]+)((?: [\w-]+="[^"]*")*)$/.exec(tag) ?? [];
    assert.notEqual(name, '', `<${tag}>`);
    assert.doesNotMatch(attributes, /&(?!(amp|lt|gt|quot|apos);)/);
    if (close === '/') assert.equal(open.pop(), name);
    else {
      open.push(name);
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  assert.deepEqual(open, []);
  return counts;
}
