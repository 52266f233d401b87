/**
 * X.509 certificates: a CA of our own and serving certificates that it signs. Keys are made by
 * Node, off the event loop; forge writes the certificates (RFC 5280).
 */
import { X509Certificate, createPrivateKey, generateKeyPair, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';

export interface KeyedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM; never logged. */
  readonly key: string;
}

export interface CertificateFacts {
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DNS names and IP addresses that it is for. */
  readonly names: readonly string[];
}

const dayMs = 24 * 60 * 60 * 1000;
const authorityMs = 10 * 365 * dayMs;
/** How long a serving certificate lasts. */
export const leafMs = 90 * dayMs;
/** Clocks of API servers that are a little behind ours must not refuse a new certificate. */
export const skewMs = 60 * 60 * 1000;

const makeKeys = promisify(generateKeyPair);

async function newKeys(modulusLength: number) {
  return makeKeys('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** A self-signed CA that lasts for ten years. */
export async function makeAuthority(nowMs: number): Promise<KeyedCertificate> {
  const { publicKey, privateKey } = await newKeys(3072);
  const certificate = blank(publicKey, nowMs, authorityMs);
  // The name carries the serial number, so that an old CA and a new one are told apart.
  const subject = [
    { name: 'commonName', value: `aviary-ca-${certificate.serialNumber.slice(0, 8)}` },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key: privateKey };
}

/** A serving certificate for names or addresses, which lasts for 90 days. */
export async function issueLeaf(
  authority: KeyedCertificate,
  names: readonly string[],
  nowMs: number,
): Promise<KeyedCertificate> {
  const { publicKey, privateKey } = await newKeys(2048);
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const certificate = blank(publicKey, nowMs, leafMs);
  certificate.setSubject([{ name: 'commonName', value: (names[0] ?? 'aviary').slice(0, 64) }]);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: names.map((name) =>
        isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name },
      ),
    },
    { name: 'subjectKeyIdentifier' },
    {
      name: 'authorityKeyIdentifier',
      keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes(),
    },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key: privateKey };
}

function blank(publicKey: string, nowMs: number, lifetimeMs: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // A positive number of 16 bytes: the first bit of the first is the sign.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  certificate.serialNumber = serial.toString('hex');
  certificate.validity.notBefore = new Date(nowMs - skewMs);
  certificate.validity.notAfter = new Date(nowMs + lifetimeMs);
  return certificate;
}

/** What a certificate says; undefined where the text is none. */
export function factsOf(pem: string): CertificateFacts | undefined {
  try {
    const { validity, getExtension } = withMethods(forge.pki.certificateFromPem(pem));
    const extension = getExtension('subjectAltName') as AlternativeNames | undefined;
    return {
      notBeforeMs: validity.notBefore.getTime(),
      notAfterMs: validity.notAfter.getTime(),
      names: (extension?.altNames ?? []).map(({ ip, value }) => ip ?? value ?? ''),
    };
  } catch {
    // forge throws whatever it stumbles over; for the caller the text is no certificate.
    return undefined;
  }
}

interface AlternativeNames {
  readonly altNames?: readonly { readonly ip?: string; readonly value?: string }[];
}

const withMethods = (certificate: forge.pki.Certificate) => ({
  validity: certificate.validity,
  getExtension: (name: string): unknown => certificate.getExtension(name),
});

/** Whether the CA has signed the certificate. */
export function isSignedBy(certificate: string, authority: string): boolean {
  try {
    const issuer = forge.pki.certificateFromPem(authority);
    return issuer.verify(forge.pki.certificateFromPem(certificate));
  } catch {
    // An unreadable certificate, or another issuer: not signed by this one.
    return false;
  }
}

/** Whether the key is that of the certificate; a server does not start with another. */
export function isPair({ certificate, key }: KeyedCertificate): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    // One of the two is unreadable.
    return false;
  }
}
