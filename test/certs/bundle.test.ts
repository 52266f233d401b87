import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Secret } from '../../src/api/kubernetes.ts';
import type { Bundle, Rotation } from '../../src/certs/bundle.ts';
import { caBundleOf, decodeBundle, encodeBundle, rotationOf } from '../../src/certs/bundle.ts';
import { issueLeaf, makeAuthority } from '../../src/certs/x509.ts';

const dayMs = 24 * 60 * 60 * 1000;
const madeMs = Date.UTC(2026, 0, 1);
const at = (days: number, ms = 0): number => madeMs + days * dayMs + ms;
const name = 'aviary.aviary-system.svc';

const authority = await makeAuthority(madeMs);
const leaf = await issueLeaf(authority, [name, '127.0.0.1'], madeMs);
const bundle: Bundle = { authority, leaf };
const former = await makeAuthority(at(-3285));
const stranger = await makeAuthority(madeMs);
const rotated: Bundle = { ...bundle, formerAuthority: former.certificate };
/** As young as the CA's end is near: for the rows about the CA. */
const lateLeaf = await issueLeaf(authority, [name], at(3284));
const late: Bundle = { authority, leaf: lateLeaf };
const recent: Bundle = { ...rotated, leaf: await issueLeaf(authority, [name], at(60)) };
const gone = await makeAuthority(at(-3650));

suite('a look at the bundle', () => {
  const cases: Record<string, [Bundle | undefined, readonly string[], number, Rotation]> = {
    'makes everything where there is nothing': [undefined, [name], at(0), 'RenewAuthority'],
    'keeps what is fresh': [bundle, [name], at(0), 'Keep'],
    'keeps a leaf that serves more names than asked for': [bundle, [name], at(1), 'Keep'],
    'renews a leaf that lacks a name': [bundle, [name, '::1'], at(1), 'RenewLeaf'],
    'keeps a leaf with 30 days left': [bundle, [name], at(60), 'Keep'],
    'renews a leaf with less': [bundle, [name], at(60, 1), 'RenewLeaf'],
    'renews a leaf that has ended': [bundle, [name], at(91), 'RenewLeaf'],
    'keeps a CA with a year left': [late, [name], at(3285), 'Keep'],
    'renews a CA with less, before any leaf of it could outlive it': [
      late,
      [name],
      at(3285, 1),
      'RenewAuthority',
    ],
    'takes a certificate that begins in an hour or less for one of a clock ahead of ours': [
      bundle,
      [name],
      at(0, -60 * 60 * 1000),
      'Keep',
    ],
    'renews what no API server takes yet': [
      bundle,
      [name],
      at(0, -60 * 60 * 1000 - 1),
      'RenewAuthority',
    ],
    'renews a leaf of another CA': [{ ...bundle, authority: stranger }, [name], at(0), 'RenewLeaf'],
    'renews a leaf that is unreadable': [
      { ...bundle, leaf: { ...leaf, certificate: 'none' } },
      [name],
      at(0),
      'RenewLeaf',
    ],
    'renews a leaf whose key is that of another': [
      { ...bundle, leaf: { ...leaf, key: lateLeaf.key } },
      [name],
      at(0),
      'RenewLeaf',
    ],
    'renews a CA that is unreadable': [
      { ...bundle, authority: { ...authority, certificate: 'none' } },
      [name],
      at(0),
      'RenewAuthority',
    ],
    'renews a CA whose key is that of another, as it could sign nothing': [
      { ...bundle, authority: { ...authority, key: former.key } },
      [name],
      at(0),
      'RenewAuthority',
    ],
    'keeps the former CA while a leaf of it can be valid': [recent, [name], at(90), 'Keep'],
    'forgets it after that': [recent, [name], at(90, 1), 'ForgetFormerAuthority'],
    'renews the leaf first, since one thing is done at a time': [
      rotated,
      [name],
      at(90, 1),
      'RenewLeaf',
    ],
    'forgets a former CA that has ended': [
      { ...bundle, formerAuthority: gone.certificate },
      [name],
      at(0, 1),
      'ForgetFormerAuthority',
    ],
    'forgets a former CA that is unreadable, for which API servers would refuse both': [
      { ...bundle, formerAuthority: 'none' },
      [name],
      at(0),
      'ForgetFormerAuthority',
    ],
  };
  for (const [sentence, [given, names, nowMs, expected]] of Object.entries(cases)) {
    test(sentence, () => assert.equal(rotationOf(given, names, nowMs), expected));
  }
});

const secret = (data: Secret['data']): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'aviary-webhook-certs' },
  ...(data === undefined ? {} : { data }),
});

test('a bundle comes out of a Secret as it went in', () => {
  for (const given of [bundle, rotated]) {
    assert.deepEqual(decodeBundle(secret(encodeBundle(given))), given);
  }
});

test('a Secret that lacks a part, or has an empty one, has no bundle', () => {
  assert.equal(decodeBundle(secret(undefined)), undefined);
  const whole = encodeBundle(bundle);
  for (const key of Object.keys(whole)) {
    const { [key]: _, ...rest } = whole;
    assert.equal(decodeBundle(secret(rest)), undefined, key);
    assert.equal(decodeBundle(secret({ ...whole, [key]: '' })), undefined, key);
  }
});

test('API servers trust the CA, and the former one beside it', () => {
  const count = (pem: string): number => pem.split('-----BEGIN CERTIFICATE-----').length - 1;
  assert.equal(count(caBundleOf(bundle)), 1);
  const both = caBundleOf(rotated);
  assert.equal(count(both), 2);
  for (const part of [authority.certificate, former.certificate]) {
    assert.ok(both.replaceAll('\r', '').includes(part.replaceAll('\r', '').trim()));
  }
});
