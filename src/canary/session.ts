/**
 * Session cookies over a rollout (`spec/01`, 2.21): made at the first weight above 0, kept while
 * the run lasts, remembered afterwards so that clients are told to drop them.
 */
import type { CanaryStatus } from '../api/canary.ts';
import type { Cookies } from './decision.ts';
import type { Observation } from './observation.ts';
import { statusOf } from './status.ts';

type CookieStatus = Partial<
  Pick<
    CanaryStatus,
    'sessionAffinityCookie' | 'primarySessionAffinityCookie' | 'previousSessionAffinityCookie'
  >
>;

/** Cookies of a run whose weight is above 0; the primary's is new in each run (D18). */
export function runCookies(seen: Observation): CookieStatus {
  const affinity = seen.canary.spec.analysis?.sessionAffinity;
  if (affinity === undefined) return {};
  const status = statusOf(seen.canary);
  if (status.sessionAffinityCookie) return {};
  const { cookieName, primaryCookieName } = affinity;
  return {
    sessionAffinityCookie: `${cookieName}=${seen.cookieValues.canary}`,
    ...(primaryCookieName
      ? { primarySessionAffinityCookie: `${primaryCookieName}=${seen.cookieValues.primary}` }
      : {}),
  };
}

/** Status fields at the end of a run. */
export function forgetCookies(seen: Observation): CookieStatus {
  const { sessionAffinityCookie } = statusOf(seen.canary);
  if (!sessionAffinityCookie) return {};
  return { sessionAffinityCookie: '', previousSessionAffinityCookie: sessionAffinityCookie };
}

/** Cookies that routes know while nobody is to be sent to the canary. */
export function withoutCookie(seen: Observation): Cookies {
  const status = statusOf(seen.canary);
  const previous = status.sessionAffinityCookie || status.previousSessionAffinityCookie;
  return previous ? { previous } : {};
}

/** Cookies that routes know while the canary takes traffic. */
export function withCookie(seen: Observation): Cookies {
  const { sessionAffinityCookie, primarySessionAffinityCookie } = {
    ...statusOf(seen.canary),
    ...runCookies(seen),
  };
  return {
    ...(sessionAffinityCookie ? { canary: sessionAffinityCookie } : {}),
    ...(primarySessionAffinityCookie ? { primary: primarySessionAffinityCookie } : {}),
  };
}
