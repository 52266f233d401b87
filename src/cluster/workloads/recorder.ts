/** What controllers tell people of an object: Events, as `kubectl describe` shows them. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import type { OpenObject } from '../../kube/resources.ts';
import { events } from '../../kube/resources.ts';
import type { ControllerApi } from '../controller-api.ts';
import { timestamp } from '../metadata.ts';

/** Never fails its caller. */
export type EventRecorder = (
  about: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
) => void;

/** For worlds in which nobody reads them. */
export const recordNothing: EventRecorder = () => undefined;

export interface RecorderOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  readonly log: Log;
  /** `deployment-controller`. */
  readonly component: string;
}

export function createRecorder({ api, clock, log, component }: RecorderOptions): EventRecorder {
  let serial = 0;
  return (about, type, reason, message) => {
    const { name, namespace = 'default', uid = '', resourceVersion = '' } = about.metadata;
    const { apiVersion, kind } = about;
    serial += 1;
    const time = timestamp(clock.now());
    // As names of Events are: what it is about, and a moment in hexadecimal.
    const moment = (BigInt(Math.trunc(clock.now())) * 1_000_000n + BigInt(serial)).toString(16);
    const event: OpenObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${moment}`, namespace },
      involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
    api.create(events, event).catch((error: unknown) => {
      log.warn({ component, about: name, reason, error: String(error) }, 'an event was not kept');
    });
  };
}
