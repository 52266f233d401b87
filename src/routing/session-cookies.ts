/** Set-Cookie texts of session affinity (`spec/01`, 2.21). */
import type { SessionAffinity } from '../api/canary.ts';

const maxAgeDefault = 86_400;

/** Keeps the bearer on the canary. */
export function canaryCookie(cookie: string, affinity: SessionAffinity): string {
  return withAttributes(cookie, affinity.maxAge || maxAgeDefault, affinity);
}

/** Keeps the bearer on the primary until the next verdict, so that shares are met again then. */
export function primaryCookie(
  cookie: string,
  affinity: SessionAffinity,
  intervalMs: number,
): string {
  return withAttributes(cookie, Math.trunc(intervalMs / 1000), affinity);
}

/**
 * Makes browsers drop a cookie. It carries the attributes with which the cookie was set, because
 * browsers keep one whose domain or path differs (D18).
 */
export function droppedCookie(cookie: string, affinity: SessionAffinity): string {
  return withAttributes(cookie, -1, affinity);
}

function withAttributes(cookie: string, maxAge: number, affinity: SessionAffinity): string {
  const { domain, httpOnly, partitioned, path, sameSite, secure } = affinity;
  return [
    cookie,
    `Max-Age=${maxAge}`,
    ...(domain ? [`Domain=${domain}`] : []),
    ...(httpOnly === true ? ['HttpOnly'] : []),
    ...(partitioned === true ? ['Partitioned'] : []),
    ...(path ? [`Path=${path}`] : []),
    ...(sameSite ? [`SameSite=${sameSite}`] : []),
    ...(secure === true ? ['Secure'] : []),
  ].join('; ');
}

/** The pattern by which routes recognise a bearer of the cookie. */
export function cookiePattern(cookie: string): string {
  const equals = cookie.indexOf('=');
  return `.*${cookie.slice(0, equals)}.*${cookie.slice(equals + 1)}.*`;
}
