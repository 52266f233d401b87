/**
 * Keys and certificates of one control plane: a CA that lives as long as it does, a serving
 * certificate for loopback, and a client certificate per user. RSA, since node-forge signs no other.
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

export interface KeyPair {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
}

export interface Certificate extends KeyPair {
  readonly certificatePem: string;
}

/** A Kubernetes user: the API server takes the name from CN and the groups from O. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Authority {
  readonly certificatePem: string;
  issueServing(): Promise<Certificate>;
  issueClient(user: User): Promise<Certificate>;
}

const rsaBits = 2048;
const validMs = 7 * 24 * 3_600_000;
const clockSkewMs = 3_600_000;

const generate = promisify(generateKeyPair);

export async function createKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await generate('rsa', {
    modulusLength: rsaBits,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { privateKeyPem: privateKey, publicKeyPem: publicKey };
}

export async function createAuthority(): Promise<Authority> {
  const keys = await createKeyPair();
  const subject = [{ name: 'commonName', value: 'aviary-test-ca' }];
  const sign = (
    holder: KeyPair,
    names: readonly forge.pki.CertificateField[],
    extensions: readonly object[],
  ): string => {
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = forge.pki.publicKeyFromPem(holder.publicKeyPem);
    // Positive, as X.509 wants it, and without zeros in front: one in 512 would be refused.
    certificate.serialNumber = `40${randomBytes(15).toString('hex')}`;
    certificate.validity.notBefore = new Date(Date.now() - clockSkewMs);
    certificate.validity.notAfter = new Date(Date.now() + validMs);
    certificate.setSubject([...names]);
    certificate.setIssuer(subject);
    certificate.setExtensions([...extensions]);
    certificate.sign(forge.pki.privateKeyFromPem(keys.privateKeyPem), forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  const issue = async (
    names: readonly forge.pki.CertificateField[],
    extensions: readonly object[],
  ): Promise<Certificate> => {
    const holder = await createKeyPair();
    return { ...holder, certificatePem: sign(holder, names, extensions) };
  };

  return {
    certificatePem: sign(keys, subject, [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ]),
    issueServing: () =>
      issue(
        [{ name: 'commonName', value: 'kube-apiserver' }],
        [
          { name: 'extKeyUsage', serverAuth: true },
          { name: 'subjectAltName', altNames: loopbackNames },
        ],
      ),
    issueClient: ({ name, groups }) =>
      issue(
        [
          { name: 'commonName', value: name },
          ...groups.map((value) => ({ name: 'organizationName', value })),
        ],
        [{ name: 'extKeyUsage', clientAuth: true }],
      ),
  };
}

// Types of RFC 5280, section 4.2.1.6: 2 is a DNS name, 7 an address.
const loopbackNames = [
  { type: 2, value: 'localhost' },
  { type: 2, value: 'kubernetes.default.svc' },
  { type: 7, ip: '127.0.0.1' },
];
