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

/** Whether there is a cookie: a value without a name cannot be sent back. */
export function isNamed(cookie: string | undefined): cookie is string {
  return cookie !== undefined && cookie.indexOf('=') > 0;
}

/** The pattern by which routes recognise a bearer of the cookie: RE2, over the whole header. */
export function cookiePattern(cookie: string): string {
  const equals = cookie.indexOf('=');
  const [name, value] = [cookie.slice(0, equals), cookie.slice(equals + 1)].map(literally);
  return `.*${name}.*${value}.*`;
}

/** An RE2 expression that matches the text and nothing else. */
export const literally = (text: string): string => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');
