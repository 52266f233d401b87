/** Every way in which a target can differ from what its Canary's status remembers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CanaryStatus } from '../../src/api/canary.ts';
import type { Change, Compared } from '../../src/revision/change.ts';
import { compareRevision } from '../../src/revision/change.ts';
import { revisionOf } from '../../src/revision/hash.ts';

const a = 'v1-aaaaaaaaaaaaaaaa';
const b = 'v1-bbbbbbbbbbbbbbbb';
const c = 'v1-cccccccccccccccc';
const ofReference = { a: '5787d999fb', b: '7fbb47469c', c: '8bc68ddb7' };

const blue = { 'configmap/color': 'b1' };
const red = { 'configmap/color': 'r1' };

const tracked = { uid: 'u1', generation: 2 };
const touched = { uid: 'u1', generation: 3 };
const remade = { uid: 'u2', generation: 2 };

const idle: CanaryStatus = {
  phase: 'Succeeded',
  failedChecks: 0,
  canaryWeight: 0,
  iterations: 0,
  lastAppliedSpec: a,
  lastPromotedSpec: a,
  trackedConfigs: blue,
  trackedTarget: tracked,
};
const running: CanaryStatus = { ...idle, phase: 'Progressing', lastAppliedSpec: b };
const failed: CanaryStatus = { ...running, phase: 'Failed' };
const { trackedTarget: _, ...withoutTarget } = idle;
const { trackedConfigs: __, ...withoutConfigs } = idle;
const takenOver: CanaryStatus = {
  ...withoutTarget,
  lastAppliedSpec: ofReference.a,
  lastPromotedSpec: ofReference.a,
};
const takenOverRunning: CanaryStatus = {
  ...takenOver,
  phase: 'Progressing',
  lastAppliedSpec: ofReference.b,
};

const unasked = () => assert.fail('this answer must not be needed');
const seen = {
  status: idle,
  hash: a,
  tracked,
  configs: blue,
  referenceHash: unasked,
  primaryAgrees: unasked,
  primaryRevision: undefined,
};
/** The template whose hash the reference would compute is `a`, and so on. */
const known = (hash: string) => ({ referenceHash: () => hash });

const cases: Record<string, [Partial<Compared>, Change]> = {
  // Nothing is remembered.
  'a target that was never applied is new': [
    { status: { ...idle, lastAppliedSpec: '', lastPromotedSpec: '' } },
    'Changed',
  ],

  // Ours, at rest.
  'the same template and configuration are no change': [{}, 'Unchanged'],
  'a resize is no change, though the generation moves': [{ tracked: touched }, 'Unchanged'],
  'the same template in a target made anew is no change': [{ tracked: remade }, 'Unchanged'],
  'another template is a change': [{ hash: b, tracked: touched }, 'Changed'],
  'another template in a target made anew is a change': [{ hash: b, tracked: remade }, 'Changed'],
  'another hash of an untouched target is adopted': [{ hash: b }, 'Adopt'],
  'another hash is a change where the status remembers no target': [
    { status: withoutTarget, hash: b },
    'Changed',
  ],
  'other configuration is a change': [{ configs: red }, 'Changed'],
  'other configuration is a change though the target is untouched': [
    { hash: b, configs: red },
    'Changed',
  ],
  'a reference that was added is a change': [
    { configs: { ...blue, 'secret/key': 's1' } },
    'Changed',
  ],
  'a reference that was dropped is a change': [{ configs: {} }, 'Changed'],
  'a reference that was replaced is a change': [{ configs: { 'secret/color': 'b1' } }, 'Changed'],

  // Tracking switched off and on.
  'configuration does not count where tracking is off': [{ configs: undefined }, 'Unchanged'],
  'a template counts where tracking is off': [
    { configs: undefined, hash: b, tracked: touched },
    'Changed',
  ],
  'tracking switched on with references is a change': [{ status: withoutConfigs }, 'Changed'],
  'tracking switched on without references is no change': [
    { status: withoutConfigs, configs: {} },
    'Unchanged',
  ],

  // Ours, amid a rollout of b over a.
  'the revision that is being analysed is no change': [
    { status: running, hash: b, tracked: touched },
    'Unchanged',
  ],
  'a newer revision is a change': [{ status: running, hash: c, tracked: touched }, 'Changed'],
  'the promoted template, back again, is a revert': [
    { status: running, tracked: touched },
    'Reverted',
  ],
  'the promoted template with what the primary runs is a revert': [
    { status: running, tracked: touched, primaryRevision: revisionOf(a, blue) },
    'Reverted',
  ],
  'template and configuration taken back together are a revert': [
    { status: { ...running, trackedConfigs: red }, primaryRevision: revisionOf(a, blue) },
    'Reverted',
  ],
  'a template that is taken back without its new configuration is a change': [
    {
      status: { ...running, trackedConfigs: red },
      configs: red,
      primaryRevision: revisionOf(a, blue),
    },
    'Changed',
  ],
  'the former template is a change once the primary runs the new one': [
    { status: running, tracked: touched, primaryRevision: revisionOf(b, blue) },
    'Changed',
  ],
  'the promoted template with newer configuration is a change': [
    { status: running, configs: red },
    'Changed',
  ],
  'configuration that is taken back alone is a change': [
    { status: { ...idle, phase: 'Progressing', trackedConfigs: red } },
    'Changed',
  ],
  'taking back a failed revision is a revert': [{ status: failed, tracked: touched }, 'Reverted'],
  'a fix of a failed revision is a change': [
    { status: failed, hash: c, tracked: touched },
    'Changed',
  ],

  // The reference's status, by a version whose hash is known.
  'the reference’s hash of this template is adopted': [
    { status: takenOver, ...known(ofReference.a) },
    'Adopt',
  ],
  'the reference’s hash is adopted amid its rollout': [
    { status: takenOverRunning, hash: b, ...known(ofReference.b) },
    'Adopt',
  ],
  'the reference’s hash is adopted after its failure': [
    { status: { ...takenOverRunning, phase: 'Failed' }, hash: b, ...known(ofReference.b) },
    'Adopt',
  ],
  'a template taken back while nobody looked is a revert': [
    { status: takenOverRunning, ...known(ofReference.a) },
    'Reverted',
  ],
  'a template that changed while nobody looked is a change': [
    { status: takenOver, hash: b, ...known(ofReference.b), primaryAgrees: () => false },
    'Changed',
  ],
  'configuration that changed while nobody looked is a change': [
    { status: takenOver, configs: red },
    'Changed',
  ],
  'binary data, which the reference does not see, is no change': [
    { status: takenOver, configs: red, referenceConfigs: () => blue, ...known(ofReference.a) },
    'Adopt',
  ],
  'data that changed beside binary data is a change': [
    { status: takenOver, configs: red, referenceConfigs: () => red },
    'Changed',
  ],

  // The reference's status, by a version whose hash is not known.
  'an unknown hash is adopted if the primary runs this template': [
    { status: takenOver, ...known('4444444444'), primaryAgrees: () => true },
    'Adopt',
  ],
  'an unknown hash is a change if the primary runs another template': [
    { status: takenOver, ...known('4444444444'), primaryAgrees: () => false },
    'Changed',
  ],
  'an unknown hash is a change if there is no primary': [
    { status: takenOver, ...known('4444444444'), primaryAgrees: () => undefined },
    'Changed',
  ],
  'an unknown hash is adopted after a failure': [
    { status: { ...takenOverRunning, phase: 'Failed' }, ...known('4444444444') },
    'Adopt',
  ],
  'another form of hash of our own is adopted if the target is untouched': [
    { status: { ...idle, lastAppliedSpec: 'v2-aaaaaaaaaaaaaaaa' } },
    'Adopt',
  ],

  // Taken over amid a rollout: what is applied is ours by now, what is promoted is not.
  'the template that the reference promoted is a revert': [
    {
      status: { ...running, lastPromotedSpec: ofReference.a },
      tracked: touched,
      ...known(ofReference.a),
    },
    'Reverted',
  ],
  'what the primary runs is a revert, whatever hash is remembered of it': [
    {
      status: { ...running, lastPromotedSpec: '4444444444' },
      tracked: touched,
      ...known(ofReference.a),
      primaryAgrees: () => true,
    },
    'Reverted',
  ],
  'a third template is a change then': [
    {
      status: { ...running, lastPromotedSpec: ofReference.a },
      hash: c,
      tracked: touched,
      ...known(ofReference.c),
      primaryAgrees: () => false,
    },
    'Changed',
  ],
};

for (const [name, [given, expected]] of Object.entries(cases)) {
  test(name, () =>
    assert.equal(
      compareRevision({ ...seen, referenceConfigs: () => given.configs ?? seen.configs, ...given }),
      expected,
    ),
  );
}

test('whatever is seen: once its hashes are taken over, nothing has changed', () => {
  const hash = fc.constantFrom(a, b, c, ofReference.a, ofReference.b);
  const configs = fc.constantFrom(undefined, {}, blue, red);
  const target = fc.constantFrom(tracked, touched, remade);
  fc.assert(
    fc.property(hash, hash, configs, configs, target, fc.constantFrom(a, b, c), (...given) => {
      const [lastAppliedSpec, lastPromotedSpec, trackedConfigs, live, seenTarget, current] = given;
      const status: CanaryStatus = {
        ...running,
        lastAppliedSpec,
        lastPromotedSpec,
        ...(trackedConfigs === undefined ? {} : { trackedConfigs }),
      };
      const options = {
        ...seen,
        status,
        hash: current,
        tracked: seenTarget,
        configs: live,
        referenceConfigs: () => live,
        referenceHash: () => ofReference.a,
        primaryAgrees: () => false,
      };
      const taken = {
        ...status,
        lastAppliedSpec: current,
        trackedTarget: seenTarget,
        ...(live === undefined ? {} : { trackedConfigs: live }),
      };
      assert.equal(compareRevision({ ...options, status: taken }), 'Unchanged');
    }),
  );
});
