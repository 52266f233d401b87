/**
 * The serving certificate of this process: loaded from the Secret that all replicas share, made
 * where there is none, renewed long before it ends. A new certificate is served only after API
 * servers trust its CA, so that no handshake is refused.
 *
 *   Secret (old and new CA) ─> caBundle (both) ─> a minute ─> serve the new leaf
 */
import type { NamespacedName, Secret } from '../api/kubernetes.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import { secrets } from '../kube/resources.ts';
import type { Bundle, Rotation } from './bundle.ts';
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

/** What is done with a certificate. */
export interface Presentation {
  /**
   * Makes API servers trust every CA of the bundle (PEM). Called at each look, because whoever
   * applies a manifest anew may have undone it: it must write nothing where nothing differs.
   */
  readonly trust: (caBundle: string) => Promise<void>;
  /** Shows a certificate that differs from the last to new connections. */
  readonly serve: (certificate: ServingCertificate) => void;
}

const secretName = 'aviary-webhook-certs';
/** How long a registration that somebody undid stays so; changes are found by the watch meanwhile. */
const lookMs = 10 * 60 * 1000;
/** API servers learn of another caBundle by a watch: each, in the time that a slow one may need. */
const trustedAfterMs = 60 * 1000;
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
 * Looks at the Secret now and then, and presents what it has. What fails is logged and tried again;
 * there is a month for it. Resolves when the signal aborts.
 */
export async function keepCertificate(
  options: CertificateOptions,
  first: ServingCertificate,
  presentation: Presentation,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = options;
  let served = first;
  while (!signal.aborted) {
    await clock.sleep(lookMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      served = await look(options, served, presentation, signal);
    } catch (error) {
      if (signal.aborted) return;
      const expiresAt = new Date(served.expiresAtMs).toISOString();
      log.error({ error: String(error), expiresAt }, 'webhook certificate could not be checked');
    }
  }
}

/** The certificate that is served after it. */
async function look(
  options: CertificateOptions,
  served: ServingCertificate,
  { trust, serve }: Presentation,
  signal: AbortSignal,
): Promise<ServingCertificate> {
  const found = await loadCertificate(options, signal);
  await trust(found.caBundle);
  if (found.certificate === served.certificate && found.caBundle === served.caBundle) return served;
  if (found.caBundle !== served.caBundle) {
    await options.clock.sleep(trustedAfterMs, signal);
    // A replica that started while the CA was replaced may have registered the one it had read.
    await trust(found.caBundle);
  }
  serve(found);
  return found;
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
  const bundle =
    stored === undefined ? await makeBundle(options) : await rotate(stored, rotation, options);
  if (bundle === stored) return stored;
  await store(options, key, secret, bundle, signal);
  log.info({ secret: secretName, namespace, rotation }, 'webhook certificate Secret written');
  return bundle;
}

async function rotate(
  stored: Bundle,
  rotation: Rotation,
  options: CertificateOptions,
): Promise<Bundle> {
  switch (rotation) {
    case 'Keep':
      return stored;
    case 'RenewLeaf': {
      const leaf = await issueLeaf(stored.authority, options.names, options.clock.now());
      return { ...stored, leaf };
    }
    case 'RenewAuthority': {
      const former = stored.authority.certificate;
      const bundle = await makeBundle(options);
      // API servers refuse a whole caBundle for one part that is no certificate.
      return factsOf(former) === undefined ? bundle : { ...bundle, formerAuthority: former };
    }
    case 'ForgetFormerAuthority': {
      const { formerAuthority: _, ...bundle } = stored;
      return bundle;
    }
  }
}

async function makeBundle({ clock, names }: CertificateOptions): Promise<Bundle> {
  const authority = await makeAuthority(clock.now());
  return { authority, leaf: await issueLeaf(authority, names, clock.now()) };
}

async function store(
  { kube }: CertificateOptions,
  key: NamespacedName,
  found: Secret | undefined,
  bundle: Bundle,
  signal: AbortSignal,
): Promise<void> {
  const data = encodeBundle(bundle);
  if (found === undefined) {
    const metadata = { ...key, labels: { 'app.kubernetes.io/name': 'aviary' } };
    const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
    await kube.create(secrets, secret, { signal });
    return;
  }
  const { resourceVersion } = found.metadata;
  // A merge patch removes what is null.
  const removed = Object.fromEntries(Object.keys(found.data ?? {}).map((it) => [it, null]));
  const body = { metadata: { resourceVersion }, data: { ...removed, ...data } };
  await kube.patch(secrets, key, { type: 'merge', body }, { signal });
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
