/**
 * The serving certificate of this process: loaded from the Secret that all replicas share, made
 * where there is none, renewed long before it ends. A new certificate is served only after API
 * servers trust its CA, so that no handshake is refused.
 *
 *   Secret (old and new CA) ─> caBundle (both) ─> serve the new leaf
 */
import type { NamespacedName, Secret } from '../api/kubernetes.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import { secrets } from '../kube/resources.ts';
import type { Bundle } from './bundle.ts';
import { caBundleOf, decodeBundle, encodeBundle, rotationOf } from './bundle.ts';
import { factsOf, issueLeaf, makeAuthority } from './x509.ts';

export interface ServingCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of every CA that is to be trusted. */
  readonly caBundle: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  readonly authorityExpiresAtMs: number;
}

export interface CertificateOptions {
  readonly kube: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  /** DNS names and addresses at which API servers call. */
  readonly names: readonly string[];
}

const secretName = 'aviary-webhook-certs';
/** Another replica may have renewed it: an hour is nothing to a certificate of 90 days. */
const lookMs = 60 * 60 * 1000;
/** Replicas that start together write one after the other; each reads what the first has written. */
const triesMax = 5;

/** The certificate to serve now; renewed in the Secret first if need be. */
export async function loadCertificate(
  options: CertificateOptions,
  signal: AbortSignal,
): Promise<ServingCertificate> {
  for (let tries = 1; ; tries += 1) {
    try {
      return servingOf(await ensureBundle(options, signal));
    } catch (error) {
      const raced = isConflict(error) || isAlreadyExists(error);
      if (!raced || tries === triesMax) throw error;
    }
  }
}

/**
 * Looks at the Secret now and then, and hands over a certificate that differs from the last. What
 * fails is logged and tried again; there is a month for it.
 */
export async function keepCertificate(
  options: CertificateOptions,
  first: ServingCertificate,
  changed: (certificate: ServingCertificate) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let served = first;
  while (!signal.aborted) {
    await options.clock.sleep(lookMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const found = await loadCertificate(options, signal);
      if (found.certificate === served.certificate && found.caBundle === served.caBundle) continue;
      await changed(found);
      served = found;
    } catch (error) {
      const field = { error: String(error), expiresAt: new Date(served.expiresAtMs).toISOString() };
      options.log.error(field, 'webhook certificate could not be checked');
    }
  }
}

async function ensureBundle(options: CertificateOptions, signal: AbortSignal): Promise<Bundle> {
  const { clock, log, namespace, names } = options;
  const key = { namespace, name: secretName };
  const secret = await options.kube.get(secrets, key, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const stored = secret && decodeBundle(secret);
  if (secret !== undefined && stored === undefined) {
    log.warn(
      { secret: secretName, namespace },
      'webhook certificate Secret is unusable, replacing it',
    );
  }
  const rotation = rotationOf(stored, names, clock.now());
  if (stored !== undefined && rotation === 'Keep') return stored;
  const bundle = await rotate(stored, rotation, options);
  log.info({ secret: secretName, namespace, rotation }, 'webhook certificate made');
  return store(options, key, secret, bundle, signal);
}

async function rotate(
  stored: Bundle | undefined,
  rotation: 'Keep' | 'RenewLeaf' | 'RenewAuthority',
  { clock, names }: CertificateOptions,
): Promise<Bundle> {
  const nowMs = clock.now();
  if (stored !== undefined && rotation !== 'RenewAuthority') {
    return { ...stored, leaf: await issueLeaf(stored.authority, names, nowMs) };
  }
  const authority = await makeAuthority(nowMs);
  const leaf = await issueLeaf(authority, names, nowMs);
  const former = stored?.authority.certificate;
  return { authority, leaf, ...(former === undefined ? {} : { formerAuthority: former }) };
}

async function store(
  { kube }: CertificateOptions,
  key: NamespacedName,
  found: Secret | undefined,
  bundle: Bundle,
  signal: AbortSignal,
): Promise<Bundle> {
  const data = encodeBundle(bundle);
  if (found === undefined) {
    const metadata = { ...key, labels: { 'app.kubernetes.io/name': 'aviary' } };
    const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
    await kube.create(secrets, secret, { signal });
    return bundle;
  }
  const { resourceVersion } = found.metadata;
  const body = { metadata: { resourceVersion }, data };
  await kube.patch(secrets, key, { type: 'merge', body }, { signal });
  return bundle;
}

function servingOf(bundle: Bundle): ServingCertificate {
  return {
    certificate: bundle.leaf.certificate,
    key: bundle.leaf.key,
    caBundle: caBundleOf(bundle),
    expiresAtMs: factsOf(bundle.leaf.certificate)?.notAfterMs ?? 0,
    authorityExpiresAtMs: factsOf(bundle.authority.certificate)?.notAfterMs ?? 0,
  };
}
