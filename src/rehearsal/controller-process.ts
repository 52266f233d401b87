/**
 * One process of the controller in a world of virtual time: everything is the program's own but the
 * wire, the clock and the dice. It can die as real ones do: at any moment, with nothing finished.
 */
import type { Answerer } from '../admission/server.ts';
import { createAnswerer } from '../admission/server.ts';
import type { User } from '../cluster/resource-type.ts';
import type { Controller, ControllerOptions } from '../controller/controller.ts';
import { createController } from '../controller/controller.ts';
import type { Settings } from '../controller/settings.ts';
import { clientOver } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { createEventRecorder } from '../kube/events.ts';
import type { Informers } from '../kube/informers.ts';
import { createInformers } from '../kube/informers.ts';
import type { Election } from '../kube/lease.ts';
import { createElection } from '../kube/lease.ts';
import type { Log } from '../kube/log.ts';
import type { Transport } from '../kube/transport.ts';
import { repeating } from '../kube/transport.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface ProcessOptions {
  /** Unique in the world, ever. */
  readonly name: string;
  /** The way to the API server: one attempt a call. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly settings?: Partial<Settings>;
  /** Whether it acts without asking for the lease; for worlds with one process. */
  readonly isAlone?: boolean;
  /** What answers metric checks and hooks, and takes alerts, in place of the network. */
  readonly answers?: Partial<Pick<ControllerOptions, 'checks' | 'post' | 'alerts'>>;
}

export type ProcessEnd = 'Stopped' | 'Killed' | 'Lost the lease';

export interface ControllerProcess {
  readonly name: string;
  readonly controller: Controller;
  /** Answers admission reviews as its webhook server would. */
  readonly review: Answerer;
  isLeader(): boolean;
  isAlive(): boolean;
  /** Dies as with SIGKILL: nothing that is under way is ever finished. */
  kill(): void;
  /** Ends in good order. */
  stop(): void;
  /** Rejects where a part of it fails. */
  readonly ended: Promise<ProcessEnd>;
}

/** Who processes are to the API server. */
export const controllerUser: User = {
  username: 'system:serviceaccount:aviary-system:aviary',
  groups: ['system:serviceaccounts', 'system:authenticated'],
};

/** The defaults of the flags. */
const settingsDefault: Settings = {
  meshProvider: 'istio',
  metricsServer: 'http://prometheus:9090',
  selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
  includeLabelPrefix: '',
  configTracking: true,
  ingressClass: '',
  ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
  noCrossNamespaceRefs: false,
  maxProgressing: 0,
  maxProgressingPerNamespace: 0,
  eventWebhook: '',
  clusterName: '',
};

const home = 'aviary-system';
const leaseName = 'flagger-leader-election';
const workers = 32;
/** As the flags have it. */
const rate = { qps: 100, burst: 250 };
/** What is in hand at the end may be finished. */
const finishMs = 10_000;

export function startControllerProcess(options: ProcessOptions): ControllerProcess {
  const { name, clock, log, telemetry } = options;
  const life = new AbortController();
  const wire = cuttable(options.transport);
  let end: ProcessEnd = 'Stopped';
  const parts = build(options, wire.transport, life.signal);
  const { controller, election, recorder } = parts;
  const lead = async (): Promise<void> => {
    await controller.synced();
    if (options.isAlone === true) {
      await controller.lead(life.signal, life.signal);
      return;
    }
    const outcome = await election.run((held) => controller.lead(held, held), life.signal);
    if (outcome !== 'Lost') return;
    end = 'Lost the lease';
    life.abort(new Error(end));
  };
  const run = async (): Promise<ProcessEnd> => {
    await Promise.race([
      Promise.all([controller.watch(life.signal), lead()]).catch((error: unknown) => {
        if (!life.signal.aborted) throw error;
      }),
      wire.isCut,
    ]);
    if (end !== 'Killed') await recorder.flush(deadline(clock, finishMs));
    return end;
  };
  return {
    name,
    controller,
    review: createAnswerer({
      lookup: controller.lookup,
      validation: controller.validation,
      noticed: (notice) => controller.noticed(notice),
      telemetry,
      log,
      now: () => clock.now(),
      steadyMs: () => clock.monotonic(),
    }),
    isLeader: () => !life.signal.aborted && (options.isAlone === true || election.isHeld()),
    isAlive: () => !life.signal.aborted,
    kill: () => {
      end = 'Killed';
      wire.cut();
      life.abort(new Error(end));
    },
    stop: () => life.abort(new Error(end)),
    ended: run(),
  };
}

interface Parts {
  readonly controller: Controller;
  readonly election: Election;
  readonly recorder: ControllerOptions['recorder'];
}

function build(options: ProcessOptions, transport: Transport, signal: AbortSignal): Parts {
  const { name, clock, random, log, telemetry } = options;
  const kube = clientOver(repeating(transport, clock), { ...rate, clock });
  const hex = serialNumbers(name);
  const recorder = createEventRecorder({
    client: kube,
    clock,
    random,
    randomHex: hex,
    log,
    onDrop: telemetry.eventDropped,
  });
  const informers: Informers = createInformers({
    client: kube,
    clock,
    random,
    log,
    onState: (plural, state) => controller.watchChanged(plural, state),
  });
  const controller: Controller = createController({
    settings: { ...settingsDefault, ...options.settings },
    kube,
    informers,
    recorder,
    telemetry,
    clock,
    random,
    uuid: () => `${name}-${hex(12)}`,
    log,
    workers,
    signal,
    ...options.answers,
  });
  const election = createElection({
    client: kube,
    clock,
    random,
    log,
    key: { namespace: home, name: leaseName },
    identity: name,
  });
  return { controller, election, recorder };
}

/** Never the same twice, in no process of the world. */
function serialNumbers(name: string): (digits: number) => string {
  const prefix = Buffer.from(name).toString('hex');
  let serial = 0;
  return (digits) => {
    serial += 1;
    return `${prefix}${serial.toString(16).padStart(6, '0')}`.slice(-Math.max(digits, 6));
  };
}

interface Cuttable {
  readonly transport: Transport;
  readonly isCut: Promise<void>;
  cut(): void;
}

/** Once cut, nothing that was asked is ever answered. */
function cuttable(transport: Transport): Cuttable {
  let cut = (): void => undefined;
  let isOver = false;
  const isCut = new Promise<void>((resolve) => {
    cut = () => {
      isOver = true;
      resolve();
    };
  });
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
  const unlessCut = async <T>(attempt: () => Promise<T>): Promise<T> => {
    if (isOver) return never();
    try {
      const answer = await attempt();
      return isOver ? await never<T>() : answer;
    } catch (error) {
      if (isOver) return never();
      throw error;
    }
  };
  return {
    isCut,
    cut: () => cut(),
    transport: {
      call: (request) => unlessCut(() => transport.call(request)),
      stream: (request) =>
        unlessCut(async () => untilCut(await transport.stream(request), () => isOver)),
      close: () => transport.close(),
    },
  };
}

async function* untilCut(
  chunks: AsyncIterable<Uint8Array>,
  isOver: () => boolean,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (isOver()) return;
    yield chunk;
  }
}

function deadline(clock: Clock, ms: number): AbortSignal {
  const controller = new AbortController();
  clock.after(ms, () => controller.abort(new Error('the time to finish is over')));
  return controller.signal;
}
