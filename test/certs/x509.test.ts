import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import * as fc from 'fast-check';
import forge from 'node-forge';
import {
  factsOf,
  isPair,
  isSignedBy,
  issueLeaf,
  leafMs,
  makeAuthority,
} from '../../src/certs/x509.ts';

const dayMs = 24 * 60 * 60 * 1000;
const nowMs = Date.UTC(2026, 10, 23, 12);

const authority = await makeAuthority(nowMs);
const other = await makeAuthority(nowMs);
const names = ['aviary.aviary-system.svc', '127.0.0.1', '::1', '2001:db8::7'];
const leaf = await issueLeaf(authority, names, nowMs);

/** An extension as forge reads it. */
function extension(pem: string, name: string): Readonly<Record<string, unknown>> {
  const found: unknown = forge.pki.certificateFromPem(pem).getExtension(name);
  assert.ok(found, `no extension ${name}`);
  return { ...found };
}

suite('a CA', () => {
  const certificate = new X509Certificate(authority.certificate);

  test('is one, and signs itself', () => {
    assert.equal(certificate.ca, true);
    assert.equal(certificate.subject, certificate.issuer);
    assert.equal(certificate.verify(certificate.publicKey), true);
  });

  test('signs certificates, and none of them another (RFC 5280, 4.2.1.3 and 4.2.1.9)', () => {
    const usage = extension(authority.certificate, 'keyUsage');
    assert.deepEqual(
      [usage['critical'], usage['keyCertSign'], usage['cRLSign'], usage['digitalSignature']],
      [true, true, true, false],
    );
    const constraints = extension(authority.certificate, 'basicConstraints');
    assert.deepEqual(
      [constraints['critical'], constraints['cA'], constraints['pathLenConstraint']],
      [true, true, 0],
    );
  });

  test('lasts for ten years, and began an hour ago for clocks that are behind', () => {
    const { notBeforeMs, notAfterMs } = factsOf(authority.certificate) ?? assert.fail();
    assert.equal(notBeforeMs, nowMs - 60 * 60 * 1000);
    assert.equal(notAfterMs, nowMs + 3650 * dayMs);
  });

  test('has a name of its own, so that an old one and a new one are told apart', () => {
    assert.notEqual(certificate.subject, new X509Certificate(other.certificate).subject);
  });
});

suite('a serving certificate', () => {
  const certificate = new X509Certificate(leaf.certificate);
  const issuer = new X509Certificate(authority.certificate);

  test('is issued by its CA, and by no other', () => {
    assert.equal(certificate.checkIssued(issuer), true);
    assert.equal(certificate.verify(issuer.publicKey), true);
    assert.equal(isSignedBy(leaf.certificate, authority.certificate), true);
    assert.equal(isSignedBy(leaf.certificate, other.certificate), false);
  });

  test('is for each of its names, by type, and for no other', () => {
    assert.equal(certificate.checkHost('aviary.aviary-system.svc'), 'aviary.aviary-system.svc');
    for (const address of ['127.0.0.1', '::1', '2001:db8::7']) {
      assert.equal(certificate.checkIP(address), address);
    }
    assert.equal(certificate.checkHost('aviary.other.svc'), undefined);
    assert.equal(certificate.checkIP('127.0.0.2'), undefined);
  });

  test('is for servers only, and is no CA', () => {
    // `keyUsage` of Node is the extended one: this is serverAuth.
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.equal(certificate.ca, false);
    const usage = extension(leaf.certificate, 'keyUsage');
    assert.deepEqual(
      [usage['digitalSignature'], usage['keyEncipherment'], usage['keyCertSign']],
      [true, true, false],
    );
  });

  test('names the key of its CA, by which a chain is found among several', () => {
    const identifier = String(
      extension(authority.certificate, 'subjectKeyIdentifier')['subjectKeyIdentifier'],
    );
    const named = String(extension(leaf.certificate, 'authorityKeyIdentifier')['value']);
    assert.match(identifier, /^[0-9a-f]{40}$/);
    assert.ok(Buffer.from(named, 'binary').toString('hex').includes(identifier));
  });

  test('lasts for 90 days', () => {
    const facts = factsOf(leaf.certificate) ?? assert.fail();
    assert.equal(leafMs, 90 * dayMs);
    assert.equal(facts.notAfterMs, nowMs + leafMs);
    assert.equal(facts.notBeforeMs, nowMs - 60 * 60 * 1000);
    assert.deepEqual(facts.names, names);
  });

  test('is what a TLS server takes', () => {
    assert.ok(createSecureContext({ cert: leaf.certificate, key: leaf.key }));
  });

  test('has a positive serial number of 16 bytes (RFC 5280, 4.1.2.2)', () => {
    assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
  });
});

test('every address is read back as URLs write it, or it would be issued anew at every look', async () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const address = fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map((groups) => groups.map((it) => it.toString(16)).join(':'))
    .map((text) => new URL(`https://[${text}]`).hostname.slice(1, -1));
  const addresses = fc.sample(fc.oneof(address, fc.ipV4()), 300);
  const { certificate } = await issueLeaf(authority, addresses, nowMs);
  assert.deepEqual(factsOf(certificate)?.names, addresses);
});

test('a common name holds 64 characters, and a longer name is in the extension', async () => {
  const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.svc`;
  const { certificate } = await issueLeaf(authority, [name], nowMs);
  assert.equal(new X509Certificate(certificate).checkHost(name), name);
});

const pairs: Record<string, [Parameters<typeof isPair>[0], boolean]> = {
  'of a CA': [authority, true],
  'of a leaf': [leaf, true],
  'with the key of another': [{ ...leaf, key: authority.key }, false],
  'with no key': [{ ...leaf, key: 'none' }, false],
  'with no certificate': [{ ...leaf, certificate: 'none' }, false],
};
for (const [name, [pair, expected]] of Object.entries(pairs)) {
  test(`a pair ${name} ${expected ? 'fits' : 'does not fit'}`, () => {
    assert.equal(isPair(pair), expected);
  });
}

test('whatever the text, it is no certificate, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString('base64')}\n-----END CERTIFICATE-----\n`;
      for (const it of [text, pem]) {
        assert.equal(factsOf(it), undefined);
        assert.equal(isSignedBy(it, authority.certificate), false);
        assert.equal(isSignedBy(leaf.certificate, it), false);
      }
    }),
  );
});
