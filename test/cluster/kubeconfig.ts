/** Kubeconfig files that need no other file beside them. JSON, which is YAML. */

export type Credentials =
  { readonly token: string } | { readonly certificatePem: string; readonly privateKeyPem: string };

export function kubeconfig(url: string, caPem: string, credentials: Credentials): string {
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(credentials.certificatePem),
          'client-key-data': base64(credentials.privateKeyPem),
        };
  const name = 'aviary-test';
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': base64(caPem) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
