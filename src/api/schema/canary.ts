/** The Canary's schema: spec and status. */
import type { CanaryStatus } from '../canary.ts';
import { analysis } from './analysis.ts';
import {
  array,
  boolean,
  enumOf,
  integer,
  number,
  object,
  reference,
  string,
  stringMap,
} from './builders.ts';
import { journal } from './journal.ts';
import { service } from './service.ts';

const spec = object(
  'What to release, and how.',
  {
    provider: enumOf('Routing provider; that of the controller where not given.', [
      'apisix',
      'appmesh',
      'appmesh:v1beta2',
      'contour',
      'gatewayapi:v1',
      'gatewayapi:v1beta1',
      'gloo',
      'istio',
      'knative',
      'kubernetes',
      'kuma',
      'linkerd',
      'nginx',
      'osm',
      'skipper',
      'smi:v1alpha1',
      'smi:v1alpha2',
      'smi:v1alpha3',
      'traefik',
    ]),
    metricsServer: string('URL of Prometheus; that of the controller where not given.'),
    targetRef: reference('Workload to release.', ['DaemonSet', 'Deployment', 'Service']),
    autoscalerRef: reference(
      'Autoscaler of the workload.',
      ['HorizontalPodAutoscaler', 'ScaledObject'],
      {
        primaryScalerQueries: stringMap("Queries of the primary's triggers, by name (KEDA)."),
        primaryScalerReplicas: object("Bounds of the primary's replicas.", {
          minReplicas: integer('Fewest replicas.', { minimum: 1 }),
          maxReplicas: integer('Most replicas.', { minimum: 1 }),
        }),
      },
    ),
    ingressRef: reference('Ingress of the workload (NGINX, Skipper).', ['Ingress']),
    routeRef: reference('Route of the workload (APISIX).', ['ApisixRoute']),
    upstreamRef: reference('Upstream whose settings are copied (Gloo).', ['Upstream'], {
      namespace: string("Namespace of the Upstream; the canary's where not given."),
    }),
    service,
    analysis,
    progressDeadlineSeconds: number('Seconds in which pods must become ready; 600 by default.'),
    skipAnalysis: boolean('Promotes each revision without checks.'),
    revertOnDeletion: boolean('Gives the workload its traffic and replicas back on deletion.'),
    suspend: boolean('Stops all work on this canary.'),
    dependsOn: array(
      'Canaries that must be done with their rollouts before one of this canary starts.',
      object(
        'One canary.',
        {
          name: string('Its name.'),
          namespace: string("Its namespace; the canary's where not given."),
        },
        ['name'],
      ),
      { maxItems: 64 },
    ),
  },
  ['targetRef', 'analysis'],
);

const conditions = array(
  'Conditions, by the conventions of Kubernetes.',
  object(
    'One condition.',
    {
      type: string('Type of the condition.'),
      status: string('True, False or Unknown.'),
      reason: string('Why, for machines.'),
      message: string('Why, for people.'),
      lastUpdateTime: string('When it was last written.', { format: 'date-time' }),
      lastTransitionTime: string('When its status last changed.', { format: 'date-time' }),
    },
    ['type', 'status', 'reason'],
  ),
);

const gates = array(
  'Gates without a URL that may be decided now, by annotations aviary.dev/approve and reject.',
  object(
    'One gate.',
    {
      name: string('Name of the hook.'),
      type: enumOf('When the gate stands.', [
        'confirm-rollout',
        'confirm-traffic-increase',
        'confirm-promotion',
        'rollback',
      ]),
      revision: string('The revision that waits.'),
      since: string('Since when.', { format: 'date-time' }),
      verdict: enumOf('What was decided.', ['Approved', 'Rejected']),
      by: string('Who decided; absent where admission did not see it.'),
      at: string('When it was decided.', { format: 'date-time' }),
    },
    ['name', 'type', 'revision', 'since'],
  ),
);

const status = object('What the controller did, and where it is.', {
  phase: enumOf('Where the canary is.', [
    '',
    'Initializing',
    'Initialized',
    'Waiting',
    'Progressing',
    'WaitingPromotion',
    'Promoting',
    'Finalising',
    'Succeeded',
    'Failed',
    'Terminating',
    'Terminated',
  ]),
  failedChecks: number('Failed checks of this rollout.'),
  canaryWeight: number('Percent of traffic that the canary gets.'),
  iterations: number('Checks that this A/B test or blue/green rollout passed.'),
  trackedConfigs: stringMap('Checksums of ConfigMaps and Secrets that the workload uses.'),
  lastAppliedSpec: string('Hash of the revision that was last acted on.'),
  lastPromotedSpec: string('Hash of the revision that the primary runs.'),
  promoted: array(
    'The last revisions that were promoted, newest first.',
    object(
      'One revision.',
      {
        revision: string('Names template and configuration.'),
        at: string('When it was promoted.', { format: 'date-time' }),
        until: string('When the next one was.', { format: 'date-time' }),
      },
      ['revision', 'at'],
    ),
  ),
  returning: boolean('This revision was promoted before, and goes straight to promotion.'),
  lastTransitionTime: string('When the status last changed.', { format: 'date-time' }),
  waitingSince: string('When the change that waits was first seen.', { format: 'date-time' }),
  trackedTarget: object('The workload as it was then.', {
    uid: string('Its uid.'),
    generation: integer('Its generation.', { format: 'int64' }),
  }),
  draining: boolean('Traffic has left the pods of the workload, which go an interval after that.'),
  gates,
  journal,
  sessionAffinityCookie: string('Cookie of this rollout.'),
  primarySessionAffinityCookie: string('Cookie that keeps users on the primary.'),
  previousSessionAffinityCookie: string('Cookie of the rollout before.'),
  conditions,
  // The API server drops what is not named here: every field that the controller writes must be.
} satisfies Readonly<Record<keyof CanaryStatus, unknown>>);

export const canarySchema = { description: 'How a workload is released.', spec, status };
