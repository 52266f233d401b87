import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { demoUsage, parseDemoFlags } from '../../../src/cli/demo/demo-flags.ts';
import type { DemoFlags } from '../../../src/cli/demo/demo-flags.ts';

const defaults: DemoFlags = { script: 'tour', exits: false, plain: false, speed: 5, port: 0 };

suite('the command line of the demo', () => {
  const accepted: Readonly<Record<string, readonly [readonly string[], Partial<DemoFlags>]>> = {
    'nothing is the tour, which stays': [[], {}],
    'a script': [['--script', 'promote', '--exit'], { script: 'promote', exits: true }],
    'a value by =': [['--script=configmap'], { script: 'configmap' }],
    'lines of text in real time': [['--plain', '--speed=1'], { plain: true, speed: 1 }],
    'a port and a file': [
      ['--port', '6443', '--kubeconfig', './kubeconfig'],
      { port: 6443, kubeconfig: './kubeconfig' },
    ],
  };
  for (const [name, [argv, expected]] of Object.entries(accepted)) {
    test(name, () =>
      assert.deepEqual(parseDemoFlags(argv), {
        kind: 'Flags',
        flags: { ...defaults, ...expected },
      }),
    );
  }

  const refused: Readonly<Record<string, readonly [readonly string[], RegExp]>> = {
    'a flag that there is not': [['--fast'], /^Unknown option '--fast'$/],
    'a word that belongs to no flag': [['promote'], /^Unexpected argument 'promote'/],
    'a script that there is not': [['--script', 'toString'], /no script "toString": it is tour/],
    'a script without its name': [['--script'], /argument missing/],
    'a value where there is none': [['--exit=yes'], /does not take an argument/],
    'no speed': [['--speed', 'fast'], /^--speed is a whole number from 1 to 10$/],
    'a standstill': [['--speed=0'], /^--speed is/],
    'a port that there is not': [['--port=65536'], /^--port is a whole number from 0 to 65535$/],
    'a file without a name': [['--kubeconfig='], /^--kubeconfig needs the path of a file$/],
  };
  for (const [name, [argv, expected]] of Object.entries(refused)) {
    test(`${name} is refused`, () => {
      const parsed = parseDemoFlags(argv);
      assert.equal(parsed.kind, 'Refused');
      assert.match(parsed.kind === 'Refused' ? parsed.message : '', expected);
    });
  }

  test('help is asked for by name or by letter, and tells every flag', () => {
    assert.deepEqual(parseDemoFlags(['--help']), { kind: 'Help' });
    assert.deepEqual(parseDemoFlags(['--exit', '-h']), { kind: 'Help' });
    for (const flag of ['script', 'exit', 'plain', 'speed', 'port', 'kubeconfig']) {
      assert.match(demoUsage, new RegExp(`--${flag}`));
    }
  });
});
