/**
 * Every strategy, whole, on a real API server: each state of the VirtualService that a mesh would
 * act on, in order, and what was said. One namespace a strategy; they run side by side.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { readFile } from 'node:fs/promises';
import type { Canary, CanaryAnalysis, CanarySpec } from '../../src/api/canary.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { watchCanary } from '../support/canary-watch.ts';
import { kubectlLines } from '../support/kubectl-lines.ts';
import { until } from '../support/until.ts';
import { eventsOf, fixture, imageOf, inNamespace, scaledTo } from './kubectl.ts';
import type { Site } from './site.ts';
import { startSite } from './site.ts';

const skip = await controlPlaneOrSkip();

interface HttpRoute {
  readonly match?: readonly { readonly headers?: Readonly<Record<string, unknown>> }[];
  readonly mirror?: { readonly host: string };
  readonly mirrorPercentage?: { readonly value: number };
  readonly headers?: unknown;
  readonly route: readonly { readonly weight?: number; readonly headers?: unknown }[];
}

/** `[x-canary] 0:100 | 100`: one rule after the other, by what it matches and how it splits. */
const gistOf = (rules: readonly HttpRoute[]): string => rules.map(ruleOf).join(' | ');

function ruleOf({ match = [], mirror, mirrorPercentage, headers, route }: HttpRoute): string {
  const matched = match.flatMap((it) => Object.keys(it.headers ?? {})).map((it) => `[${it}] `);
  const weights = route.map(({ weight = 100 }) => weight).join(':');
  const copied =
    mirror === undefined ? '' : ` +${mirrorPercentage?.value ?? 100}% to ${mirror.host}`;
  const drops = JSON.stringify(headers ?? {}).includes('Max-Age=-1') ? ' dropping cookies' : '';
  const sets = route.some((it) => it.headers !== undefined) ? ' setting cookies' : '';
  return `${matched.join('')}${weights}${copied}${drops}${sets}`;
}

/** Each state of the routes, as a watch shows them. */
function watchRoutes(site: Site, namespace: string) {
  const states: string[] = [];
  const stop = kubectlLines(
    site.cluster,
    ['-n', namespace, 'get', 'virtualservices', '--watch', '-o', 'jsonpath={.spec.http}{"\\n"}'],
    (line) => {
      const state = gistOf(JSON.parse(line) as HttpRoute[]);
      if (state !== states.at(-1)) states.push(state);
    },
  );
  return { states, stop };
}

interface Strategy {
  readonly analysis: CanaryAnalysis;
  readonly spec?: Partial<CanarySpec>;
  readonly routes: readonly string[];
  /** Between "Starting canary analysis" and "Promotion completed", without names. */
  readonly said: readonly string[];
}

const copying = 'Copying podinfo template spec to podinfo-primary';
const back = 'Routing all traffic to primary';
const match = [{ headers: { 'x-canary': { exact: 'insider' } } }];

const strategies: Readonly<Record<string, Strategy>> = {
  'weights in uneven steps, and back in steps': {
    analysis: { stepWeights: [20, 60], stepWeightPromotion: 30 },
    routes: ['100:0', '80:20', '40:60', '70:30', '100:0'],
    said: [
      'Advance podinfo canary weight 20',
      'Advance podinfo canary weight 60',
      copying,
      'Advance podinfo primary weight 70',
      'Advance podinfo primary weight 100',
    ],
  },
  'A/B: those who match see the canary': {
    analysis: { iterations: 2, match },
    routes: ['[x-canary] 100:0 | 100', '[x-canary] 0:100 | 100', '[x-canary] 100:0 | 100'],
    said: [
      'Advance podinfo canary iteration 1/2',
      'Advance podinfo canary iteration 2/2',
      copying,
      back,
    ],
  },
  'blue/green: everybody at once, at the end': {
    analysis: { iterations: 2 },
    routes: ['100:0', '0:100', '100:0'],
    said: [
      'Advance podinfo canary iteration 1/2',
      'Advance podinfo canary iteration 2/2',
      'Routing all traffic to canary',
      copying,
      back,
    ],
  },
  'blue/green with mirroring': {
    analysis: { iterations: 2, mirror: true, mirrorWeight: 40 },
    routes: ['100:0', '100:0 +40% to podinfo-canary', '0:100', '100:0'],
    said: [
      'Advance podinfo canary iteration 1/2',
      'Advance podinfo canary iteration 2/2',
      'Stop traffic mirroring and route all traffic to canary',
      copying,
      back,
    ],
  },
  'weights after a mirror stage': {
    analysis: { stepWeight: 50, maxWeight: 50, mirror: true },
    routes: ['100:0', '100:0 +100% to podinfo-canary', '50:50', '100:0'],
    said: ['Advance podinfo canary weight 0', 'Advance podinfo canary weight 50', copying, back],
  },
  'session affinity with both cookies': {
    analysis: {
      stepWeight: 50,
      maxWeight: 50,
      sessionAffinity: { cookieName: 'side', primaryCookieName: 'main' },
    },
    routes: [
      '100:0',
      '[Cookie] 0:100 | [Cookie] 100:0 | 50:50 setting cookies',
      '[Cookie] 100:0 dropping cookies | 100:0',
    ],
    said: ['Advance podinfo canary weight 50', copying, back],
  },
};

const name = (sentence: string): string =>
  sentence
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-')
    .slice(0, 40)
    .replace(/-$/, '');

describe('strategies on a real API server', { skip, concurrency: 8, timeout: 600_000 }, () => {
  let site: Site;
  const applied = async (
    namespace: string,
    analysis: CanaryAnalysis,
    spec: Partial<CanarySpec>,
  ) => {
    const kubectl = await inNamespace(site.cluster, namespace);
    const { analysis: given, ...canary } = await canaryFixture();
    const { stepWeight: _, maxWeight: _max, ...kept } = given;
    const wanted = {
      ...canary.object,
      spec: { ...canary.spec, ...spec, analysis: { ...kept, ...analysis } },
    };
    await kubectl(['apply', '-f', fixture('podinfo.yaml')]);
    await kubectl(['apply', '-f', '-'], stringify(wanted));
    const watch = watchCanary(site.cluster, namespace, 'podinfo');
    await watch.sees('Initialized');
    await scaledTo(kubectl, 'podinfo', 0);
    return { kubectl, watch, routes: watchRoutes(site, namespace) };
  };
  const setImage = ['set', 'image', 'deployment/podinfo', 'podinfod=podinfo:6.0.1'];

  before(async () => {
    site = await startSite();
  });
  after(() => site?.stop());

  for (const [sentence, { analysis, spec = {}, routes: expected, said }] of Object.entries(
    strategies,
  )) {
    test(sentence, async () => {
      const namespace = name(sentence);
      const { kubectl, watch, routes } = await applied(namespace, analysis, spec);
      await kubectl(setImage);
      await watch.sees('Succeeded', { timeoutMs: 120_000 });
      const events = await eventsOf(kubectl, 'podinfo', /Promotion completed/);
      const texts = events.map((it) => it.replace('Normal ', '').replaceAll(`.${namespace}`, ''));
      const from = texts.indexOf('Starting canary analysis for podinfo');
      assert.deepEqual(texts.slice(from + 1, -1), said);
      await until('the last state of the routes', () => routes.states.at(-1) === expected.at(-1), {
        describe: () => routes.states.join('\n'),
      });
      assert.deepEqual(routes.states, expected);
      assert.equal(await imageOf(kubectl, 'podinfo-primary'), 'podinfo:6.0.1');
      watch.stop();
      routes.stop();
    });
  }

  test('skipAnalysis: promoted without a step, and traffic never leaves the primary', async () => {
    const { kubectl, watch, routes } = await applied(
      'skipped',
      { stepWeight: 50 },
      { skipAnalysis: true },
    );
    await kubectl(setImage);
    await watch.sees('Succeeded');
    const events = await eventsOf(kubectl, 'podinfo', /Promotion completed/);
    assert.equal(
      events.at(-1),
      'Normal Promotion completed! Canary analysis was skipped for podinfo.skipped',
    );
    assert.deepEqual(routes.states, ['100:0']);
    watch.stop();
    routes.stop();
  });

  test('suspend: nothing happens until it is taken off, and then the change is found', async () => {
    const { kubectl, watch, routes } = await applied(
      'suspended',
      { stepWeight: 50, maxWeight: 50 },
      {},
    );
    const suspend = (to: boolean) =>
      kubectl(['patch', 'canary', 'podinfo', '--type=merge', '-p', `{"spec":{"suspend":${to}}}`]);
    await suspend(true);
    await kubectl(setImage);
    await eventsOf(kubectl, 'podinfo', /skipping canary run as object is suspended/);
    assert.equal(watch.sightings.at(-1)?.phase, 'Initialized');
    await suspend(false);
    await watch.sees('Succeeded', { timeoutMs: 120_000 });
    assert.deepEqual(routes.states, ['100:0', '50:50', '100:0']);
    watch.stop();
    routes.stop();
  });
});

async function canaryFixture() {
  const object = parse(await readFile(fixture('canary.yaml'), 'utf8')) as Canary;
  const { analysis = {} } = object.spec;
  return { object, spec: object.spec, analysis };
}
