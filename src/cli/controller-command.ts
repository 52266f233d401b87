/**
 * `aviary controller`: builds everything, in the order in which it must be there, and joins all
 * long-lived tasks. One that ends before it is told to ends the process.
 *
 *   caches ─> certificate ─> webhook server ─> registration ─> lease ─> act
 */
import { hostname } from 'node:os';
import { randomBytes, randomUUID } from 'node:crypto';
import type { RegistrationOptions } from '../admission/registration.ts';
import { ensureRegistration } from '../admission/registration.ts';
import type { AdmissionServer } from '../admission/server.ts';
import { createAdmissionApp, serveAdmission } from '../admission/server.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { CertificateOptions, ServingCertificate } from '../certs/serving-certificate.ts';
import { keepCertificate, loadCertificate } from '../certs/serving-certificate.ts';
import type { Controller } from '../controller/controller.ts';
import { aborted, createController } from '../controller/controller.ts';
import { isAlreadyExists, isForbidden } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import type { Clock } from '../kube/clock.ts';
import { createOutbox } from '../alerts/outbox.ts';
import type { Outbox } from '../alerts/outbox.ts';
import { createPoster } from '../alerts/post.ts';
import { connect } from '../kube/config.ts';
import type { KubeConnection } from '../kube/config.ts';
import { createEventRecorder } from '../kube/events.ts';
import type { Informers } from '../kube/informers.ts';
import { createInformers } from '../kube/informers.ts';
import { createElection } from '../kube/lease.ts';
import type { Election } from '../kube/lease.ts';
import type { Log } from '../kube/log.ts';
import type { ReflectorState } from '../kube/reflector.ts';
import { namespaces, resource } from '../kube/resources.ts';
import { serveOperations } from '../telemetry/http.ts';
import type { OperationsServer } from '../telemetry/http.ts';
import { createTelemetry } from '../telemetry/metrics.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ControllerFlags, Environment } from './flags.ts';
import { globalReceiver } from './global-alerts.ts';

export interface CommandOptions {
  readonly flags: ControllerFlags;
  readonly environment: Environment;
  readonly version: string;
  readonly log: Log;
  /** Aborts when the process is told to end. */
  readonly signal: AbortSignal;
  /** By which canaries are judged; leases and certificates keep to the system's, as all by default. */
  readonly clock?: Clock;
  /** The address that its servers listen on; all of the machine's where absent. */
  readonly host?: string;
}

/** The reference's lease, so that neither acts while the other does. */
const leaseName = 'flagger-leader-election';
const homeDefault = 'aviary-system';
/** Looks side by side; they mostly wait for the API server, and the rate limit bounds them. */
const workersPerThread = 32;
/** What is in hand at the end may be finished; the kubelet waits for 30 s by default. */
const finishMsMax = 10_000;
/** Port of the Service that the manifests have. */
const servicePort = 443;

const selfSubjectReviews = resource<SelfSubjectReview>(
  'authentication.k8s.io/v1',
  'SelfSubjectReview',
  'selfsubjectreviews',
  'Cluster',
);

interface SelfSubjectReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

/** Everything that lives as long as the process. */
interface Parts extends CommandOptions {
  readonly home: string;
  readonly kube: KubeClient;
  /** Of the cluster that holds the routing objects, where that is another one. */
  readonly mesh: KubeClient | undefined;
  readonly telemetry: Telemetry;
  readonly informers: Informers;
  readonly controller: Controller;
  readonly election: Election;
  readonly flush: (signal: AbortSignal) => Promise<void>;
}

interface Webhook {
  /** Since it listens. */
  server: AdmissionServer | undefined;
  /** Whether the API server was told of it. */
  isRegistered: boolean;
}

/** Runs until the signal aborts; rejects where a part of it fails. */
export async function runController(options: CommandOptions): Promise<void> {
  const parts = build(options);
  const { log, signal, controller, election, flags } = parts;
  const failure = new AbortController();
  const until = AbortSignal.any([signal, failure.signal]);
  const webhook: Webhook = { server: undefined, isRegistered: false };
  const operations = await serveOperationsOf(parts, webhook);
  try {
    await ensureHome(parts);
    await together(failure, [
      joined('the caches', controller.watch(until), until),
      joined('the operations server', Promise.race([operations.done, aborted(until)]), until),
      joined('the webhook server', serveWebhook(parts, webhook, until), until),
      joined('the leader', lead(parts, election, until), until),
    ]);
  } finally {
    log.info({}, 'shutting down');
    await webhook.server?.close();
    await parts.flush(AbortSignal.timeout(finishMsMax));
    await operations.stop();
    parts.kube.close();
    parts.mesh?.close();
    log.info({ port: flags.port }, 'stopped');
  }
}

/** Where one fails all are told to end, and nothing begins any more when this rejects. */
async function together(failure: AbortController, tasks: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.all(tasks);
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(tasks);
    throw error;
  }
}

/** A task that ends before it is told to is a failure, however well it ended. */
async function joined(what: string, task: Promise<unknown>, until: AbortSignal): Promise<void> {
  try {
    await task;
  } catch (error) {
    if (until.aborted) return;
    throw new Error(`${what} failed`, { cause: error });
  }
  if (!until.aborted) throw new Error(`${what} ended`);
}

function build(options: CommandOptions): Parts {
  const { flags, environment, version, log, signal } = options;
  const telemetry = createTelemetry({ version, meshProvider: flags.meshProvider });
  const clock = systemClock;
  const random = Math.random;
  const connection = connect({
    kubeconfig: flags.kubeconfig,
    master: flags.master,
    environment,
    clock,
  });
  const kube = createKubeClient(connection, {
    qps: flags.kubeconfigQps,
    burst: flags.kubeconfigBurst,
    userAgent: `aviary/${version}`,
    clock,
    onCall: telemetry.apiCall,
  });
  const mesh = connectMesh(options, connection, telemetry);
  const recorder = createEventRecorder({
    client: kube,
    clock,
    random,
    randomHex: (digits) =>
      randomBytes(Math.ceil(digits / 2))
        .toString('hex')
        .slice(0, digits),
    log,
    onDrop: telemetry.eventDropped,
  });
  const alerts = alertsOf(options, telemetry);
  const watching = {
    clock,
    random,
    log,
    namespace: flags.namespace,
    onState: (plural: string, state: ReflectorState) => {
      telemetry.watchState(plural, state.phase);
      controller.watchChanged(plural, state);
    },
  };
  const informers = createInformers({ client: kube, ...watching });
  const controller: Controller = createController({
    settings: { ...flags, configTracking: flags.enableConfigTracking },
    kube,
    informers,
    ...(mesh && {
      mesh: { kube: mesh, informers: createInformers({ client: mesh, ...watching }) },
    }),
    recorder,
    alerts,
    telemetry,
    clock: options.clock ?? clock,
    random,
    uuid: randomUUID,
    log,
    workers: flags.threadiness * workersPerThread,
    signal,
  });
  telemetry.watchQueue(() => ({
    depth: controller.queue.depth,
    oldestSeconds: controller.queue.oldestMs() / 1000,
  }));
  const home = environment['POD_NAMESPACE'] || homeDefault;
  const election = electionOf(options, kube, home, telemetry);
  const flush = async (until: AbortSignal): Promise<void> => {
    await Promise.all([recorder.flush(until), alerts.outbox.flush(until)]);
  };
  return { ...options, home, kube, mesh, telemetry, informers, controller, election, flush };
}

/** Where alerts go, and what becomes of those that do not arrive. */
function alertsOf({ flags, log }: CommandOptions, telemetry: Telemetry) {
  const global = globalReceiver(flags);
  if (global.kind === 'Refused') log.error({ reason: global.reason }, 'Notifier is disabled');
  const sleep = (ms: number, signal: AbortSignal) => systemClock.sleep(ms, signal);
  const outbox: Outbox = createOutbox({
    poster: createPoster(sleep),
    sleep,
    sent: ({ receiver }) => telemetry.alert(receiver, 'sent'),
    lost: ({ receiver, alert }, reason) => {
      telemetry.alert(receiver, 'lost');
      const { namespace, name } = alert.canary;
      log.error(
        { canary: `${name}.${namespace}`, provider: receiver, reason },
        "alert can't be sent",
      );
    },
  });
  return { outbox, fallback: global.kind === 'Receiver' ? global.receiver : undefined };
}

function electionOf(
  { flags, log }: CommandOptions,
  client: KubeClient,
  home: string,
  telemetry: Telemetry,
): Election {
  return createElection({
    client,
    clock: systemClock,
    random: Math.random,
    log,
    key: { namespace: leaseNamespace(flags, home), name: leaseName },
    identity: `${hostname()}_${randomUUID()}`,
    onHeld: telemetry.leader,
  });
}

/** A client of the cluster that holds the routing objects, where that is another one. */
function connectMesh(
  { flags, environment, version }: CommandOptions,
  own: KubeConnection,
  telemetry: Telemetry,
): KubeClient | undefined {
  const kubeconfig = flags.kubeconfigServiceMesh;
  if (kubeconfig === '' || kubeconfig === flags.kubeconfig) return undefined;
  const connection = connect({ kubeconfig, master: '', environment, clock: systemClock });
  if (connection.server.host === own.server.host) return undefined;
  return createKubeClient(connection, {
    qps: flags.kubeconfigQps,
    burst: flags.kubeconfigBurst,
    userAgent: `aviary/${version}`,
    clock: systemClock,
    onCall: telemetry.apiCall,
  });
}

/** There is always a lease: two replicas that both act are never wanted. */
function leaseNamespace(flags: ControllerFlags, home: string): string {
  if (flags.namespace !== '') return flags.namespace;
  return flags.enableLeaderElection ? flags.leaderElectionNamespace : home;
}

/** Outside of a cluster nobody has made our namespace. */
async function ensureHome({ kube, home, environment, log, signal }: Parts): Promise<void> {
  if (environment['POD_NAMESPACE']) return;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } };
  try {
    await kube.create(namespaces, namespace, { signal });
    log.info({ namespace: home }, 'namespace created');
  } catch (error) {
    if (isAlreadyExists(error)) return;
    if (!isForbidden(error)) throw error;
    log.warn({ namespace: home }, 'namespace could not be created, expecting it to be there');
  }
}

function serveOperationsOf(
  { flags, host, telemetry, controller, election, informers }: Parts,
  webhook: Readonly<Webhook>,
): Promise<OperationsServer> {
  return serveOperations({
    port: flags.port,
    ...(host === undefined ? {} : { host }),
    metrics: telemetry,
    requirements: [
      { name: 'the caches', isMet: () => controller.unsynced().length === 0 },
      {
        name: 'the webhook server',
        isMet: () => flags.webhook === undefined || webhook.isRegistered,
      },
    ],
    state: () => ({
      leader: { isHeld: election.isHeld(), holder: election.holder() },
      queue: { depth: controller.queue.depth, oldestMs: controller.queue.oldestMs() },
      watches: informers.states(),
    }),
  });
}

/** Serves admission until the signal aborts; resolves then. */
async function serveWebhook(parts: Parts, webhook: Webhook, until: AbortSignal): Promise<void> {
  const { flags, kube, log, home, telemetry, controller } = parts;
  if (flags.webhook === undefined) {
    log.warn({}, 'no webhook address given: changes are seen by the watch only');
    return aborted(until);
  }
  await controller.synced();
  const options: CertificateOptions = {
    kube,
    clock: systemClock,
    log,
    namespace: home,
    names: servedNames(flags.webhook),
  };
  const certificate = await loadCertificate(options, until);
  const app = createAdmissionApp({
    lookup: controller.lookup,
    validation: controller.validation,
    noticed: (notice) => controller.noticed(notice),
    telemetry,
    log,
    now: () => systemClock.now(),
    steadyMs: () => systemClock.monotonic(),
  });
  const server = await serveAdmission(app, flags.webhookPort, certificate, parts.host);
  webhook.server = server;
  const user = await whoAmI(kube, until);
  const trust = (caBundle: string): Promise<void> =>
    ensureRegistration(kube, registrationOf(flags, caBundle, user), until);
  const report = (given: ServingCertificate): void => {
    telemetry.certificateExpiry('serving', given.expiresAtMs / 1000);
    telemetry.certificateExpiry('ca', given.authorityExpiresAtMs / 1000);
  };
  const serve = (given: ServingCertificate): void => {
    server.useCertificate(given);
    report(given);
    log.info({}, 'webhook certificate replaced');
  };
  await trust(certificate.caBundle);
  report(certificate);
  webhook.isRegistered = true;
  log.info({ port: server.port }, 'webhook server listens');
  await keepCertificate(options, certificate, { trust, serve }, until);
}

function servedNames(webhook: NonNullable<ControllerFlags['webhook']>): readonly string[] {
  if (webhook.kind === 'Url') return [new URL(webhook.url).hostname.replace(/^\[|\]$/g, '')];
  const { namespace, name } = webhook;
  const service = `${name}.${namespace}.svc`;
  return [service, `${service}.cluster.local`, `${name}.${namespace}`];
}

function registrationOf(
  { webhook, namespace }: ControllerFlags,
  caBundle: string,
  user: string,
): RegistrationOptions {
  const common = { caBundle, user, namespace };
  if (webhook?.kind === 'Url') return { address: webhook, ...common };
  const { namespace: home = '', name = '' } = webhook ?? {};
  return { address: { kind: 'Service', namespace: home, name, port: servicePort }, ...common };
}

/** Our own user name, by which admission leaves our writes alone. */
async function whoAmI(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const review: SelfSubjectReview = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: { name: '' },
  };
  const { status } = await kube.create(selfSubjectReviews, review, { signal });
  const username = status?.userInfo?.username ?? '';
  if (username === '') throw new Error('the API server does not say who this process is to it');
  return username;
}

/** Acts while the lease is held. Losing it ends the process: another one acts then. */
async function lead(parts: Parts, election: Election, until: AbortSignal): Promise<void> {
  const { controller, log } = parts;
  await controller.synced();
  const outcome = await election.run(async (held) => {
    log.info({}, 'Acting as elected leader');
    const writing = mayWrite(held, until);
    await controller.lead(held, writing.signal).finally(writing.ended);
  }, until);
  if (outcome === 'Lost') throw new Error('Leadership lost');
}

/**
 * Told to end, what is in hand may be finished; without the lease nothing may be written. Call
 * `ended` when nothing is in hand, else the process waits for as long as it might have taken.
 */
function mayWrite(held: AbortSignal, until: AbortSignal) {
  const writing = new AbortController();
  let ended = (): void => undefined;
  held.addEventListener(
    'abort',
    () => {
      if (!until.aborted) writing.abort(held.reason);
      else ended = systemClock.after(finishMsMax, () => writing.abort(held.reason));
    },
    { once: true },
  );
  return { signal: writing.signal, ended: () => ended() };
}
