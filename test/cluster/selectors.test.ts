import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseLabelSelector } from '../../src/cluster/label-selector.ts';
import { fieldOf, parseFieldSelector } from '../../src/cluster/selectors.ts';
import { StatusError } from '../../src/cluster/status-error.ts';

const labels = { app: 'web', tier: 'front', generation: '7', 'example.com/team': 'shop' };

const selects: Readonly<Record<string, boolean>> = {
  '': true,
  'app=web': true,
  'app==web': true,
  'app = web , tier=front': true,
  'app=api': false,
  'app!=api': true,
  'missing!=api': true,
  'app in (api, web)': true,
  'app in (api)': false,
  'app notin (api)': true,
  'missing notin (api)': true,
  'app,tier': true,
  app: true,
  missing: false,
  '!missing': true,
  '!app': false,
  'example.com/team=shop,app in (web,api),!missing': true,
  'generation>6': true,
  'generation<7': false,
  'missing>1': false,
  'app=': false,
};

suite('label selectors', () => {
  for (const [text, expected] of Object.entries(selects)) {
    test(`'${text}' ${expected ? 'selects' : 'leaves out'}`, () =>
      assert.equal(parseLabelSelector(text)(labels), expected));
  }
  for (const text of ['app=web=x', 'app in web', '=web', 'app in (a', 'a b']) {
    test(`'${text}' is refused`, () =>
      assert.throws(() => parseLabelSelector(text), { name: 'StatusError', code: 400 }));
  }
});

suite('field selectors', () => {
  test('hold a path, a value, and whether it shall be that', () => {
    assert.deepEqual(parseFieldSelector('metadata.name=a,status.phase!=Running,spec.x==y'), [
      { path: 'metadata.name', value: 'a', isEqual: true },
      { path: 'status.phase', value: 'Running', isEqual: false },
      { path: 'spec.x', value: 'y', isEqual: true },
    ]);
  });
  test('may hold escaped commas', () =>
    assert.deepEqual(parseFieldSelector('reason=a\\,b'), [
      { path: 'reason', value: 'a,b', isEqual: true },
    ]));
  test('without a comparison are refused', () =>
    assert.throws(() => parseFieldSelector('metadata.name'), StatusError));
  test('compare numbers and booleans as text, and what is absent as empty', () => {
    const object = { spec: { replicas: 3, paused: true } };
    assert.deepEqual(
      ['spec.replicas', 'spec.paused', 'spec.none', 'none.at.all'].map((it) => fieldOf(object, it)),
      ['3', 'true', '', ''],
    );
  });
});
