/** `spec.analysis`: how traffic is moved, and what is checked meanwhile. */
import {
  array,
  boolean,
  crossReference,
  duration,
  enumOf,
  exactlyOne,
  number,
  object,
  string,
  stringMap,
} from './builders.ts';
import { analysisMatch } from './http-match.ts';

const metrics = array(
  'Metrics that are checked at each interval.',
  object(
    'One metric: a built-in one by its name, or a query.',
    {
      name: string('Name; request-success-rate and request-duration are built in.'),
      interval: duration('Window of the query; 1m where not given.'),
      threshold: number(
        'Deprecated, use thresholdRange: a minimum for rates, a maximum for others.',
      ),
      thresholdRange: object('Values that pass.', {
        min: number('Lowest value that passes.'),
        max: number('Highest value that passes.'),
      }),
      query: string('Deprecated, use templateRef: a Prometheus query.'),
      templateRef: crossReference('MetricTemplate with the query.', 'MetricTemplate'),
      templateVariables: stringMap('Variables of the template, by name.'),
    },
    ['name'],
  ),
);

const alerts = array(
  'Alerts to send.',
  object(
    'One alert.',
    {
      name: string('Name of the alert.'),
      severity: enumOf('Least severity to send; info where not given.', [
        '',
        'info',
        'warn',
        'error',
      ]),
      providerRef: crossReference('AlertProvider to send it by.', 'AlertProvider'),
    },
    ['name', 'providerRef'],
  ),
);

const webhooks = array(
  'HTTP calls that gate, test or record a rollout.',
  object(
    'One call.',
    {
      name: string('Name of the hook.'),
      type: enumOf('When it is called; rollout where not given.', [
        '',
        'confirm-rollout',
        'pre-rollout',
        'rollout',
        'confirm-promotion',
        'post-rollout',
        'event',
        'rollback',
        'confirm-traffic-increase',
      ]),
      url: string('URL to call; a confirm or rollback hook without one is opened by annotation.'),
      timeout: duration('Timeout of each attempt; 10s where not given.'),
      retries: number('Attempts after the first.'),
      disableTLS: boolean("Leaves the receiver's certificate unchecked."),
      muteAlert: boolean('Sends no alert while the hook says no.'),
      metadata: stringMap('Sent with the call.'),
    },
    ['name'],
  ),
);

const sessionAffinity = object(
  'Keeps users of the canary on the canary.',
  {
    cookieName: string('Name of the cookie.'),
    primaryCookieName: string('Name of the cookie that keeps others on the primary.'),
    domain: string('Hosts that the cookie is sent to.'),
    httpOnly: boolean('Hides the cookie from scripts.'),
    maxAge: number('Seconds until the cookie ends.', { default: 86_400 }),
    partitioned: boolean('Keeps the cookie apart for each site that embeds.'),
    path: string('Path that the cookie is sent for.'),
    sameSite: enumOf('Whether the cookie is sent across sites.', ['Strict', 'Lax', 'None']),
    secure: boolean('Sends the cookie over https only.'),
  },
  ['cookieName'],
);

export const analysis = object(
  'How traffic is moved, and what is checked meanwhile.',
  {
    interval: duration('Time between two verdicts; 10s at least.'),
    threshold: number('Failed checks that end the rollout.'),
    iterations: number('Checks that an A/B test or blue/green rollout must pass.'),
    stepWeight: number('Percent by which traffic to the canary grows.'),
    stepWeights: array('Percents of traffic to the canary, rising.', { type: 'number' }),
    maxWeight: number('Percent at which the canary is promoted; 100 where not given.'),
    stepWeightPromotion: number('Percent by which traffic moves to the new primary.'),
    mirror: boolean('Mirrors requests to the canary before it gets any.'),
    mirrorWeight: number('Percent of requests to mirror.'),
    primaryReadyThreshold: number("Percent of the primary's pods that must be available."),
    canaryReadyThreshold: number("Percent of the canary's pods that must be available."),
    match: analysisMatch,
    metrics,
    alerts,
    webhooks,
    sessionAffinity,
    rollbackWindow: duration('How long a revision that was replaced is promoted without analysis.'),
  },
  [],
  exactlyOne(
    ['interval', 'threshold', 'iterations'],
    ['interval', 'threshold', 'stepWeight'],
    ['interval', 'threshold', 'stepWeights'],
  ),
);
