import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { environmentFlags, parseFlags, usage } from '../../src/cli/flags.ts';
import type { ControllerFlags, ParsedFlags } from '../../src/cli/flags.ts';

function accepted(argv: readonly string[], environment = {}): ControllerFlags {
  const parsed = parseFlags(argv, environment);
  assert.ok(parsed.kind === 'Flags', JSON.stringify(parsed));
  return parsed.flags;
}

test('the defaults are those of the reference (spec/01, 5.3)', () => {
  assert.deepEqual(accepted([]), {
    kubeconfig: '',
    master: '',
    kubeconfigQps: 100,
    kubeconfigBurst: 250,
    kubeconfigServiceMesh: '',
    metricsServer: 'http://prometheus:9090',
    controlLoopIntervalMs: 10_000,
    logLevel: 'debug',
    zapEncoding: 'json',
    port: 8080,
    slack: { url: '', token: '', proxyUrl: '', user: 'flagger', channel: '' },
    msteams: { url: '', proxyUrl: '' },
    eventWebhook: '',
    includeLabelPrefix: '',
    threadiness: 2,
    namespace: '',
    meshProvider: 'istio',
    selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
    ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
    ingressClass: '',
    enableLeaderElection: false,
    leaderElectionNamespace: 'kube-system',
    enableConfigTracking: true,
    clusterName: '',
    noCrossNamespaceRefs: false,
    maxProgressing: 0,
    maxProgressingPerNamespace: 0,
    webhookPort: 9443,
  });
});

suite('accepted', () => {
  const cases: Record<string, [string[], Partial<ControllerFlags>]> = {
    'one dash and a word': [['-mesh-provider', 'kubernetes'], { meshProvider: 'kubernetes' }],
    'two dashes and a word': [['--mesh-provider', 'gloo'], { meshProvider: 'gloo' }],
    'one dash and an equals sign': [['-mesh-provider=nginx'], { meshProvider: 'nginx' }],
    'two dashes and an equals sign': [['--mesh-provider=nginx'], { meshProvider: 'nginx' }],
    'a provider that nobody knows': [['-mesh-provider=none'], { meshProvider: 'none' }],
    'a value with equals signs': [['-cluster-name=a=b=c'], { clusterName: 'a=b=c' }],
    'a value with a newline': [['-cluster-name=a\nb'], { clusterName: 'a\nb' }],
    'an empty value': [['-cluster-name='], { clusterName: '' }],
    'a word that looks like a flag, as a value': [
      ['-cluster-name', '-port', '-port=9090'],
      { clusterName: '-port', port: 9090 },
    ],
    'the last of several': [['-port=1', '-port=2'], { port: 2 }],
    'a boolean that stands alone': [['-enable-leader-election'], { enableLeaderElection: true }],
    'a boolean set to true': [['--enable-leader-election=T'], { enableLeaderElection: true }],
    'a boolean set to false': [['-enable-config-tracking=0'], { enableConfigTracking: false }],
    'a duration': [['-control-loop-interval=1m30s'], { controlLoopIntervalMs: 90_000 }],
    'a list with blanks': [['-selector-labels=app, name,'], { selectorLabels: ['app', 'name'] }],
    'a list of prefixes': [
      ['-include-label-prefix=app.kubernetes.io,*'],
      { includeLabelPrefix: 'app.kubernetes.io,*' },
    ],
    'a level that is none': [['-log-level=warning'], { logLevel: 'warning' }],
    'port 0, which takes a free one': [['-port=0', '-webhook-port=0'], { port: 0, webhookPort: 0 }],
    'a kubeconfig, also for the mesh': [
      ['-kubeconfig=/k'],
      { kubeconfig: '/k', kubeconfigServiceMesh: '/k' },
    ],
    'a kubeconfig of the mesh': [
      ['-kubeconfig=/k', '-kubeconfig-service-mesh=/m'],
      { kubeconfig: '/k', kubeconfigServiceMesh: '/m' },
    ],
    'a namespace, which is also that of the lease': [
      ['-namespace=shop', '-leader-election-namespace=x'],
      { namespace: 'shop', leaderElectionNamespace: 'shop' },
    ],
    'a webhook URL': [
      ['-webhook-url=https://10.0.0.1:9443/'],
      { webhook: { kind: 'Url', url: 'https://10.0.0.1:9443' } },
    ],
    'a webhook service': [
      ['--webhook-service', 'aviary-system/aviary'],
      { webhook: { kind: 'Service', namespace: 'aviary-system', name: 'aviary' } },
    ],
    'the flags of the logging library': [
      ['-v', '4', '-logtostderr=true', '-alsologtostderr', '-log_dir=/tmp', '-port=1'],
      { port: 1 },
    ],
    'the arguments of the reference in a chart': [
      [
        '-log-level=info',
        '-mesh-provider=istio',
        '-metrics-server=http://prometheus.istio-system:9090',
        '-enable-config-tracking=true',
        '-slack-user=flagger',
        '-kubeconfig-qps=100',
        '-kubeconfig-burst=250',
        '-enable-leader-election=true',
        '-leader-election-namespace=istio-system',
      ],
      {
        logLevel: 'info',
        metricsServer: 'http://prometheus.istio-system:9090',
        enableLeaderElection: true,
        leaderElectionNamespace: 'istio-system',
      },
    ],
  };
  for (const [name, [argv, expected]] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(accepted(argv), { ...accepted([]), ...expected });
    });
  }
});

suite('refused', () => {
  const cases: Record<string, [string[], RegExp]> = {
    'an unknown flag': [['-nope'], /^flag provided but not defined: -nope$/],
    'an unknown flag with a value': [['--nope=1'], /^flag provided but not defined: -nope$/],
    'a name of the language': [['-__proto__=1'], /not defined: -__proto__/],
    'another name of the language': [['-constructor'], /not defined: -constructor/],
    'three dashes': [['---port=1'], /^bad flag syntax: ---port=1$/],
    'a flag without a name': [['-=1'], /^bad flag syntax: -=1$/],
    'a flag that lacks its value': [['-port'], /^flag needs an argument: -port$/],
    'a boolean that is none': [['-enable-leader-election=yes'], /invalid boolean value "yes"/],
    'an ignored boolean that is none': [['-logtostderr=yes'], /invalid boolean value "yes"/],
    'a number that is none': [
      ['-threadiness=two'],
      /"two" for flag -threadiness: expected a whole/,
    ],
    'a fraction': [['-threadiness=1.5'], /expected a whole number/],
    'a number beyond all bounds': [['-kubeconfig-qps=99999999999999999999'], /a whole number/],
    'a port beyond all ports': [['-port=65536'], /"65536" for flag -port: expected a port/],
    'a port below all ports': [['-port=-1'], /expected a port/],
    'a duration without a unit': [['-control-loop-interval=10'], /expected a duration/],
    'a duration of nothing': [['-control-loop-interval=0s'], /above zero/],
    'an encoding that is none': [['-zap-encoding=xml'], /expected json or console/],
    'a namespace that is none': [['-namespace=Shop/x'], /expected the name of a namespace/],
    'no selector labels': [['-selector-labels= , '], /expected at least one label/],
    'one port for two servers': [['-port=9443'], /both 9443/],
    'a webhook URL in the clear': [['-webhook-url=http://h'], /expected an https URL/],
    'a webhook URL with a user': [['-webhook-url=https://u:p@h'], /expected an https URL/],
    'a webhook URL with a query': [['-webhook-url=https://h/?x=1'], /expected an https URL/],
    'a webhook URL with a fragment': [['-webhook-url=https://h/#x'], /expected an https URL/],
    'a webhook service without a namespace': [['-webhook-service=x'], /expected NAMESPACE\/NAME/],
    'a webhook service of three parts': [['-webhook-service=a/b/c'], /expected NAMESPACE\/NAME/],
    'a webhook by URL and by service': [
      ['-webhook-service=a/b', '-webhook-url=https://h'],
      /exclude each other/,
    ],
  };
  for (const [name, [argv, message]] of Object.entries(cases)) {
    test(name, () => {
      const parsed = parseFlags(argv, {});
      assert.ok(parsed.kind === 'Refused', JSON.stringify(parsed));
      assert.match(parsed.message, message);
    });
  }

  test('a message repeats neither control characters nor a whole book', () => {
    const parsed = parseFlags([`-port=\u001b[31m${'9'.repeat(100_000)}`], {});
    assert.ok(parsed.kind === 'Refused' && parsed.message.length < 200);
    assert.ok(!parsed.message.includes('\u001b'));
  });
});

suite('warned about', () => {
  const cases: Record<string, [string[], readonly RegExp[]]> = {
    'a word after a boolean, with what follows': [
      ['-enable-leader-election', 'true', '-port=1'],
      [/^argument "true", and the 1 after it, is ignored/],
    ],
    'what follows two dashes': [['--', '-port=1'], [/^argument "-port=1" is ignored/]],
    'a single dash': [['-'], [/^argument "-" is ignored/]],
    'a metrics server without a scheme': [
      ['-metrics-server=prometheus:9090'],
      [/^-metrics-server/],
    ],
    'a secret URL, without repeating it': [
      ['-slack-url=T0/B0/x'],
      [/^-slack-url is no http[^/]*$/],
    ],
    'nothing where all is well': [['-slack-url=https://hooks.slack.com/services/x'], []],
  };
  for (const [name, [argv, expected]] of Object.entries(cases)) {
    test(name, () => {
      const parsed = parseFlags(argv, {});
      assert.ok(parsed.kind === 'Flags');
      assert.equal(parsed.flags.port, 8080);
      assert.equal(parsed.warnings.length, expected.length);
      expected.forEach((warning, index) => assert.match(parsed.warnings[index] ?? '', warning));
    });
  }
});

suite('the environment', () => {
  for (const [variable, name] of Object.entries(environmentFlags)) {
    test(`${variable} overrides -${name}, unless it is empty`, () => {
      const argv = [`-${name}=https://flag.example`];
      const find = (environment: Record<string, string>) =>
        JSON.stringify(accepted(argv, environment));
      assert.ok(find({ [variable]: 'https://variable.example' }).includes('variable.example'));
      assert.ok(!find({ [variable]: 'https://variable.example' }).includes('flag.example'));
      assert.ok(find({ [variable]: '' }).includes('flag.example'));
    });
  }

  test('has no other say', () => {
    assert.deepEqual(
      accepted([], { KUBECONFIG: '/k', PORT: '1', MESH_PROVIDER: 'x' }),
      accepted([]),
    );
  });
});

const kinds: Record<string, [string[], ParsedFlags['kind']]> = {
  '-version asks for the version': [['-version'], 'Version'],
  '-version among others does, too': [['-port=1', '--version=true'], 'Version'],
  '-version=false does not': [['-version=false'], 'Flags'],
  'a wrong flag outranks the version': [['-version', '-nope'], 'Refused'],
  '-h asks for help': [['-h'], 'Help'],
  '--help asks for help': [['--help'], 'Help'],
};
for (const [name, [argv, kind]] of Object.entries(kinds)) {
  test(name, () => assert.equal(parseFlags(argv, {}).kind, kind));
}

test('the usage names every flag', () => {
  const text = usage();
  for (const line of [
    '  -port port\n',
    '  -enable-config-tracking\n',
    '  -webhook-service NAMESPACE/NAME\n',
    '(default app,name,app.kubernetes.io/name)',
    '-log_file_max_size',
  ]) {
    assert.ok(text.includes(line), line);
  }
});

test('whatever the arguments, there is an answer', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('-', '--', '-port', '-v', '-webhook-url=', '--enable-leader-election='),
    fc.string().map((text) => `-${text}`),
    fc.string().map((text) => `-webhook-url=https://${text}`),
    fc.string().map((text) => `--control-loop-interval=${text}`),
  );
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const { kind } = parseFlags(argv, {});
      assert.ok(['Flags', 'Refused', 'Version', 'Help'].includes(kind));
    }),
  );
});
