import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';
import { readInputs } from '../../src/rehearsal/input.ts';
import { mutated } from './mutated.ts';
import { parseSource, readPath, showPath, showProblem } from '../../src/rehearsal/yaml-source.ts';

function read(text: string) {
  const source = parseSource('app.yaml', text);
  assert.ok(source.ok);
  return readInputs(source.documents, { namespace: 'shop', meshProvider: 'istio' });
}

function inputOf(text: string) {
  const found = read(text);
  assert.ok(found.ok, JSON.stringify(found));
  const [input] = found.inputs;
  assert.ok(input);
  return input;
}

const canary = (
  analysis = 'analysis: { iterations: 3, interval: 1m, threshold: 2 }',
  more = '',
) => `
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: { name: cart }
spec:
  targetRef: { apiVersion: apps/v1, kind: Deployment, name: cart }
  service: { port: 80, targetPort: http }
  ${more}
  ${analysis}
`;

const deployment = (containers: string) => `
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: shop
  resourceVersion: '17'
  uid: 4-5-6
spec:
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec: { containers: ${containers} }
status: { replicas: 3 }
`;

suite('what was not given has a stand-in, which is said', () => {
  test('a Deployment, with the port of the Canary', () => {
    const input = inputOf(canary());
    assert.equal(input.isDeploymentGiven, false);
    assert.deepEqual(input.deployment.metadata, { name: 'cart', namespace: 'shop' });
    assert.deepEqual(input.deployment.spec.template.spec.containers[0]?.ports, [
      { containerPort: 80, name: 'http' },
    ]);
    assert.deepEqual(input.assumptions, [
      'Deployment cart was not given: a stand-in takes its place',
    ]);
  });

  test('ConfigMaps and Secrets that the Deployment needs, not those that it can do without', () => {
    const env = (name: string, optional: boolean) =>
      `{ configMapRef: { name: ${name}, optional: ${optional} } }`;
    const containers = `[{ name: app, image: x, envFrom: [${env('needed', false)}, ${env('spare', true)}] }]`;
    const input = inputOf(canary() + deployment(containers));
    assert.deepEqual(
      input.configs.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['ConfigMap needed'],
    );
    assert.equal(input.assumptions.length, 1);
  });

  test('templates and autoscalers that the Canary names', () => {
    const metrics =
      '{ metrics: [{ name: q, templateRef: { name: queue }, threshold: 1 }], iterations: 1, interval: 1m, threshold: 2 }';
    const autoscaler =
      'autoscalerRef: { apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, name: cart }';
    const input = inputOf(canary(`analysis: ${metrics}`, autoscaler));
    assert.equal(input.templates[0]?.metadata.namespace, 'shop');
    assert.equal(input.autoscaler?.spec.scaleTargetRef.name, 'cart');
    assert.equal(input.assumptions.length, 3);
  });
});

suite('what was given', () => {
  test('is taken without what a cluster wrote on it', () => {
    const input = inputOf(canary() + deployment('[{ name: app, image: x }]'));
    assert.deepEqual(input.deployment.metadata, { name: 'cart', namespace: 'shop' });
    assert.equal('status' in input.deployment, false);
    assert.deepEqual(input.assumptions, []);
  });

  test('has no field where it has null, and may be an autoscaler of an old version', () => {
    const containers = '[{ name: app, image: x, envFrom: null, env: [{ name: A, value: null }] }]';
    const autoscaler = `
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: { name: cart }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: cart }
  maxReplicas: 3
`;
    const input = inputOf(canary() + deployment(containers) + autoscaler);
    const [container] = input.deployment.spec.template.spec.containers;
    assert.deepEqual(container, { name: 'app', image: 'x', env: [{ name: 'A' }] });
    assert.equal(input.autoscaler?.apiVersion, 'autoscaling/v1');
  });

  test('may be a List', () => {
    const items = canary()
      .split('\n')
      .map((line) => `    ${line}`)
      .join('\n')
      .replace('    apiVersion', '  - apiVersion');
    const input = inputOf(`kind: List\napiVersion: v1\nitems:\n${items}`);
    assert.equal(input.canary.metadata.name, 'cart');
  });

  test('in another namespace is another object', () => {
    const elsewhere = deployment('[{ name: app, image: x }]').replace('shop', 'other');
    assert.equal(inputOf(canary() + elsewhere).isDeploymentGiven, false);
  });
});

suite('what is refused is said with its line', () => {
  const cases: Record<string, readonly [string, RegExp]> = {
    'a Canary that admission refuses': [
      canary('analysis:\n    { interval: 1m, threshold: 2,\n    stepWeights: [50, 20] }'),
      /^app\.yaml:11: spec\.analysis\.stepWeights\[1\]: 20 is no step up after 50: weights must rise$/,
    ],
    'a Canary without a spec': [
      'apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: { name: cart }\nspec:\n',
      /^app\.yaml:4: spec\.targetRef\.kind: is required: use Deployment, DaemonSet, Service$/,
    ],
    'an analysis that cannot advance': [
      canary('analysis: { interval: 1m, threshold: 2, stepWeight: 0 }'),
      /^app\.yaml:9: spec\.analysis\.stepWeight: a rollout would never advance/,
    ],
    'a target whose pods a rehearsal does not have': [
      canary().replace('kind: Deployment', 'kind: DaemonSet'),
      /^app\.yaml:6: spec\.targetRef\.kind: a rehearsal has pods of Deployments, none of a DaemonSet$/,
    ],
    'an object without a name': [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
      /^app\.yaml:3: metadata\.name: is missing$/,
    ],
    'a document that is no object': ['- 1', /^app\.yaml:1: is no Kubernetes object$/],
    'a Deployment without containers': [
      canary() + deployment('{}'),
      /^app\.yaml:23: spec\.template\.spec\.containers: .* cannot unmarshal object into Go struct/,
    ],
    'a Canary of another version': [
      canary().replace('v1beta1', 'v2'),
      /^app\.yaml:2: apiVersion: no Canary of flagger\.app\/v2: use flagger\.app\/v1beta1$/,
    ],
  };
  for (const [name, [text, expected]] of Object.entries(cases)) {
    test(name, () => {
      const found = read(text);
      assert.ok(!found.ok);
      assert.match(found.problems.map(showProblem)[0] ?? '', expected);
    });
  }
});

test('a path is shown as kubectl explain writes it, and read again', () => {
  const path = ['spec', 'analysis', 'metrics', 2, 'labels', 'a.b/c'];
  assert.equal(showPath(path), 'spec.analysis.metrics[2].labels["a.b/c"]');
  assert.deepEqual(readPath(showPath(path)), path);
});

test('whatever stands in a manifest, it is read or refused with reasons', () => {
  const containers = '[{ name: app, image: x, envFrom: [{ configMapRef: { name: a } }] }]';
  const documents = [...parseAllDocuments(canary() + deployment(containers))].map(
    (document) => document.toJS() as unknown,
  );
  fc.assert(
    fc.property(mutated(documents), (mutant) => {
      const parts = Array.isArray(mutant) ? mutant : [mutant];
      const found = read(parts.map((part) => stringify(part)).join('---\n'));
      assert.ok(found.ok || found.problems.length > 0);
    }),
    { numRuns: 60 },
  );
});
