/**
 * A stand-in for the controller of a gateway: it takes in every route of the Gateway API, and says
 * so in the route's status, as the real ones do.
 */
import type { KubeObject } from '../api/kubernetes.ts';
import type { ControllerApi } from '../cluster/controller-api.ts';
import type { Clock } from '../kube/clock.ts';
import type { Resource } from '../kube/resources.ts';

export interface GatewayAnswer {
  readonly accepted: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface GatewayOptions {
  readonly api: ControllerApi;
  readonly clock: Clock;
  /** The kinds of routes that it takes in. */
  readonly resources: readonly Resource<KubeObject>[];
  /** From a write to the report; it takes in what is written when the time is over. */
  readonly reportMs: number;
  /** What it says of a route; undefined where it says nothing. It accepts all where absent. */
  readonly answer?: (route: KubeObject) => GatewayAnswer | undefined;
}

interface ParentedRoute extends KubeObject {
  readonly spec?: { readonly parentRefs?: readonly object[] };
  readonly status?: object;
}

const accepts: GatewayAnswer = { accepted: 'True', reason: 'Accepted', message: '' };
const controllerName = 'rehearsal.aviary.dev/gateway';

/** Answers how to stop. */
export function startGateway(options: GatewayOptions): () => void {
  const { api, clock, resources, reportMs } = options;
  const ended = new AbortController();
  const report = async (resource: Resource<KubeObject>, { metadata }: KubeObject) => {
    await clock.sleep(reportMs, ended.signal);
    const { namespace = '', name } = metadata;
    const found = api.get(resource, { namespace, name });
    const answer = found && (options.answer ?? (() => accepts))(found);
    if (found === undefined || answer === undefined) return;
    const reported: ParentedRoute = { ...found, status: statusOf(found, answer) };
    await api.update(resource, reported, 'status');
  };
  const stop = api.onChange(({ groupResource, before, after }) => {
    const resource = resources.find(({ plural, group }) => groupResource === `${plural}.${group}`);
    if (resource === undefined || after === undefined) return;
    if (before?.metadata.generation === after.metadata.generation) return;
    // Whoever wrote meanwhile made a change that is reported of, too.
    report(resource, after).catch(() => undefined);
  });
  return () => {
    stop();
    ended.abort();
  };
}

function statusOf({ spec, metadata }: ParentedRoute, answer: GatewayAnswer): object {
  const { accepted: status, reason, message } = answer;
  const observed = { observedGeneration: metadata.generation, lastTransitionTime: epoch };
  const conditions = [
    { type: 'Accepted', status, reason, message, ...observed },
    { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '', ...observed },
  ];
  return {
    parents: (spec?.parentRefs ?? []).map((parentRef) => ({
      parentRef,
      controllerName,
      conditions,
    })),
  };
}

/** Nobody looks at it. */
const epoch = '1970-01-01T00:00:00Z';
