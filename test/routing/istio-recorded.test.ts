/**
 * What the reference wrote on a real API server is what Aviary writes for the same canary and split,
 * and is read as that split, so that a team can move over in the middle of a rollout. Where users
 * are hurt by what was written, it is named here with what is written instead.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { CanaryAnalysis, CanaryService } from '../../src/api/canary.ts';
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import { istio } from '../../src/routing/istio.ts';
import type { Cookies, Split } from '../../src/routing/provider.ts';
import { canaryOf, liveOf } from './canaries.ts';
import { goldenDirectory } from './golden-cases.ts';

interface Scenario {
  readonly service: CanaryService;
  readonly analysis: CanaryAnalysis;
  readonly routes: readonly {
    readonly split: Split;
    readonly cookies?: Cookies;
    readonly spec: Json;
  }[];
  /** What their specs have beside the host. */
  readonly destinationRules?: Readonly<Record<string, Json>>;
}

const file = join(goldenDirectory, 'istio-recorded.yaml');
const recorded = parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Scenario>>;

/** By scenario and position: a text of the recorded spec, and what stands there instead. */
const deviations: Readonly<Record<string, readonly [because: string, was: string, is: string]>> = {
  'istioab 1': [
    'everybody else has the one destination that there is, at full weight',
    '{"destination":{"host":"podinfo-primary"},"weight":0}]}]',
    '{"destination":{"host":"podinfo-primary"},"weight":100}]}]',
  ],
  'istiosa 3': [
    'the cookie is dropped for its bearers only',
    '{"headers":{"response":{"add":{"Set-Cookie":"flagger-cookie=conktThCaJ; Max-Age=-1","x-a":"b"}}},"route"',
    '{"headers":{"response":{"add":{"x-a":"b"}}},"route"',
  ],
  'istiosap 3': [
    'browsers drop a cookie only by the attributes that it was set with (D18, R12)',
    'Max-Age=-1',
    'Max-Age=-1; SameSite=Strict; Secure',
  ],
};

for (const [name, { service, analysis, routes, destinationRules }] of Object.entries(recorded)) {
  const canary = canaryOf(service, analysis);
  for (const [index, { split, cookies = {}, spec }] of routes.entries()) {
    const deviation = deviations[`${name} ${index}`];
    const because = deviation === undefined ? '' : `, but ${deviation[0]}`;

    test(`recorded ${name}, step ${index}: written as the reference does${because}`, () => {
      const rendered = istio.render(canary, split, cookies, liveOf([]));
      assert.ok(rendered.ok);
      const specs = rendered.objects.map(({ wanted }) => specOf(wanted));
      const sides = ['podinfo-canary', 'podinfo-primary'];
      const rules = sides.map((host) => ({ host, ...intact(destinationRules) }));
      assert.deepEqual(specs, [...rules, expected(spec, deviation)]);
    });

    test(`recorded ${name}, step ${index}: read as its split`, () => {
      const { apiVersion, metadata } = canary;
      const live = { apiVersion, kind: 'VirtualService', metadata, spec } as KubeObject;
      assert.deepEqual(istio.read(canary, liveOf([live])), split);
    });
  }
}

function expected(spec: Json, deviation: (typeof deviations)[string] | undefined): Json {
  if (deviation === undefined) return spec;
  const [, was, is] = deviation;
  const text = JSON.stringify(spec);
  assert.ok(text.includes(was), `not recorded: ${was}`);
  return JSON.parse(text.replace(was, is)) as Json;
}

/** The reference drops the one key of consistent hashing that its types do not name. */
function intact(spec: Scenario['destinationRules']): Readonly<Record<string, Json>> {
  const text = JSON.stringify(spec ?? {});
  return JSON.parse(
    text.replace('"consistentHash":{}', '"consistentHash":{"httpQueryParameterName":"u"}'),
  ) as Readonly<Record<string, Json>>;
}

const specOf = (object: KubeObject): Json => (object as KubeObject & { readonly spec: Json }).spec;
