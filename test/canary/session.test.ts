/** Session cookies over a run: made once, kept while it lasts, dropped at its end (D18). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CanaryStatus } from '../../src/api/canary.ts';
import { forgetCookies, runCookies, withCookie, withoutCookie } from '../../src/canary/session.ts';
import { canaryOf, observationOf } from './builders.ts';

const seen = (status: Partial<CanaryStatus>, primaryCookieName?: string) => {
  const named = primaryCookieName === undefined ? {} : { primaryCookieName };
  const sessionAffinity = { cookieName: 'flagger-cookie', ...named };
  const canary = canaryOf({ sessionAffinity });
  return observationOf({ canary, status });
};

test('the first weight makes a cookie for each side that has a name', () => {
  assert.deepEqual(runCookies(seen({})), { sessionAffinityCookie: 'flagger-cookie=aaaaaaaaaa' });
  assert.deepEqual(runCookies(seen({}, 'primary-cookie')), {
    sessionAffinityCookie: 'flagger-cookie=aaaaaaaaaa',
    primarySessionAffinityCookie: 'primary-cookie=bbbbbbbbbb',
  });
});

test('later weights keep them', () => {
  const running = { sessionAffinityCookie: 'flagger-cookie=Kept' };
  assert.deepEqual(runCookies(seen(running)), {});
  assert.deepEqual(withCookie(seen(running)), { canary: 'flagger-cookie=Kept' });
});

test('the end of a run remembers the cookie, so that routes can tell clients to drop it', () => {
  const running = { sessionAffinityCookie: 'flagger-cookie=Kept' };
  assert.deepEqual(forgetCookies(seen(running)), {
    sessionAffinityCookie: '',
    previousSessionAffinityCookie: 'flagger-cookie=Kept',
  });
  assert.deepEqual(withoutCookie(seen(running)), { previous: 'flagger-cookie=Kept' });
  const ended = { sessionAffinityCookie: '', previousSessionAffinityCookie: 'flagger-cookie=Old' };
  assert.deepEqual(withoutCookie(seen(ended)), { previous: 'flagger-cookie=Old' });
});
