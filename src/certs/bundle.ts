/**
 * What all replicas share: the CA, the serving certificate, and the former CA while certificates of
 * it may still be served. Kept in one Secret.
 */
import type { Secret, StringMap } from '../api/kubernetes.ts';
import type { KeyedCertificate } from './x509.ts';
import { factsOf, isPair, isSignedBy, leafMs, skewMs } from './x509.ts';

export interface Bundle {
  readonly authority: KeyedCertificate;
  readonly leaf: KeyedCertificate;
  /** PEM of the CA before this one. */
  readonly formerAuthority?: string;
}

/** What a look at the bundle asks for. */
export type Rotation = 'Keep' | 'RenewLeaf' | 'RenewAuthority' | 'ForgetFormerAuthority';

const dayMs = 24 * 60 * 60 * 1000;
/** A leaf of 90 days is replaced after 60: a month is left for whatever goes wrong. */
const leafRestMsMin = 30 * dayMs;
/** A CA is replaced while all certificates that it signed can outlive it. */
const authorityRestMsMin = 365 * dayMs;

/** What must be done now so that every name can be served. Pure. */
export function rotationOf(
  bundle: Bundle | undefined,
  names: readonly string[],
  nowMs: number,
): Rotation {
  if (bundle === undefined) return 'RenewAuthority';
  const { authority, leaf, formerAuthority } = bundle;
  if (!isUsable(authority, nowMs, authorityRestMsMin)) return 'RenewAuthority';
  if (!isUsable(leaf, nowMs, leafRestMsMin)) return 'RenewLeaf';
  if (!isSignedBy(leaf.certificate, authority.certificate)) return 'RenewLeaf';
  const served = factsOf(leaf.certificate)?.names ?? [];
  if (!names.every((name) => served.includes(name))) return 'RenewLeaf';
  if (formerAuthority !== undefined && isSpent(formerAuthority, authority, nowMs)) {
    return 'ForgetFormerAuthority';
  }
  return 'Keep';
}

function isUsable(keyed: KeyedCertificate, nowMs: number, restMsMin: number): boolean {
  const facts = factsOf(keyed.certificate);
  if (facts === undefined || !isPair(keyed)) return false;
  return facts.notBeforeMs <= nowMs && facts.notAfterMs - nowMs >= restMsMin;
}

/** Whether nothing that the former CA signed is valid: its last leaf is older than the CA after it. */
function isSpent(former: string, { certificate }: KeyedCertificate, nowMs: number): boolean {
  const madeMs = (factsOf(certificate)?.notBeforeMs ?? 0) + skewMs;
  return nowMs > madeMs + leafMs || (factsOf(former)?.notAfterMs ?? 0) < nowMs;
}

/** What API servers are to trust: the CA, and the one before it while that may be served. */
export function caBundleOf({ authority, formerAuthority }: Bundle): string {
  return formerAuthority === undefined
    ? authority.certificate
    : `${authority.certificate.trimEnd()}\n${formerAuthority}`;
}

const keys = {
  authority: 'ca.crt',
  authorityKey: 'ca.key',
  former: 'former-ca.crt',
  leaf: 'tls.crt',
  leafKey: 'tls.key',
} as const;

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** `data` of the Secret. */
export function encodeBundle({ authority, leaf, formerAuthority }: Bundle): StringMap {
  return {
    [keys.authority]: encode(authority.certificate),
    [keys.authorityKey]: encode(authority.key),
    [keys.leaf]: encode(leaf.certificate),
    [keys.leafKey]: encode(leaf.key),
    ...(formerAuthority === undefined ? {} : { [keys.former]: encode(formerAuthority) }),
  };
}

/** Undefined where the Secret has no whole bundle. */
export function decodeBundle({ data = {} }: Secret): Bundle | undefined {
  const read = (key: string): string | undefined => {
    const found = data[key];
    return found === undefined ? undefined : decode(found);
  };
  const [certificate, key] = [read(keys.authority), read(keys.authorityKey)];
  const [leaf, leafKey] = [read(keys.leaf), read(keys.leafKey)];
  if (!certificate || !key || !leaf || !leafKey) return undefined;
  const former = read(keys.former);
  return {
    authority: { certificate, key },
    leaf: { certificate: leaf, key: leafKey },
    ...(former ? { formerAuthority: former } : {}),
  };
}
