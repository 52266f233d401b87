/** What is said of each decision. The texts are the reference's (`spec/01`, 4.2) where it has one. */
import { approveAnnotation } from '../api/annotations.ts';
import type { Canary, GateStatus } from '../api/canary.ts';
import { displayName, primaryDisplayName, targetDisplayName } from '../api/defaults.ts';
import type { AlertText, Saying } from './observation.ts';

const normal = (message: string): Saying => ({ type: 'Normal', message, kind: 'Decision' });
const warning = (message: string): Saying => ({ type: 'Warning', message, kind: 'Decision' });

const alerting = (
  saying: Saying,
  severity: AlertText['severity'],
  message: string,
  hasSettings = false,
): Saying => ({ ...saying, alert: { severity, message, hasSettings } });

const once = (saying: Saying): Saying => ({ ...saying, kind: 'Once' });

/** A state that lasts. */
export const waiting = (message: string): Saying => ({ type: 'Warning', message, kind: 'Waiting' });

/** Nobody hears of it by an alert in the reference: it is outside of every analysis. */
const halting = (saying: Saying, state: string): Saying => ({
  ...saying,
  alert: {
    severity: 'error',
    message: `Halted until somebody acts: ${saying.message}`,
    hasSettings: false,
    state,
  },
});

/** A state that somebody must end: said at once. */
export const blocked = (message: string): Saying => halting(once(warning(message)), message);

/** Pods that are waited for beyond their deadline, because there is nothing to roll back. */
export const overdue = (message: string): Saying => halting(waiting(message), 'Overdue');

/** What is asked at every verdict says the same only once. */
export const onlyOnce = (sayings: readonly Saying[]) => sayings.map(once);

export const suspended = once(normal('skipping canary run as object is suspended'));

export const initialized = (canary: Canary) =>
  alerting(
    normal(`Initialization done! ${displayName(canary)}`),
    'info',
    `New ${canary.spec.targetRef.kind} detected, initialization completed.`,
    true,
  );

export const scalingUp = (canary: Canary) =>
  alerting(
    normal(`New revision detected! Scaling up ${targetDisplayName(canary)}`),
    'info',
    'New revision detected, progressing canary analysis.',
    true,
  );

/** Of a primary that somebody scaled down: the reference has the text, and cannot say it (D25). */
export const primaryScaledToZero = (canary: Canary): string => {
  const kind = canary.spec.targetRef.kind.toLowerCase();
  return `halt ${displayName(canary)} advancement: primary ${kind} is scaled to zero`;
};

/** Somebody deleted it; not in the reference, which makes it of whatever is applied. */
export const primaryRestored = (canary: Canary) =>
  warning(`${primaryDisplayName(canary)} was deleted: it is restored as it was`);

/** It was deleted while no process knew how it was, or never made for a target that is another one now. */
export const primaryMadeAnew = (canary: Canary) =>
  warning(
    `${primaryDisplayName(canary)} was missing: it is made of what ${targetDisplayName(canary)} is now`,
  );

export const restarting = (canary: Canary) =>
  normal(`New revision detected! Restarting analysis for ${targetDisplayName(canary)}`);

/** Not in the reference, which analyses the old revision as if it were new (D3). */
export const reverted = (canary: Canary) =>
  normal(`Promoted revision restored! Canceling analysis for ${targetDisplayName(canary)}`);

export const startingAnalysis = (canary: Canary) =>
  once(normal(`Starting canary analysis for ${targetDisplayName(canary)}`));

export const advancedWeight = (canary: Canary, weight: number) =>
  normal(`Advance ${displayName(canary)} canary weight ${weight}`);

export const advancedIteration = (canary: Canary, iteration: number, iterations: number) =>
  normal(`Advance ${displayName(canary)} canary iteration ${iteration}/${iterations}`);

export const advancedPrimaryWeight = (canary: Canary, weight: number) =>
  normal(`Advance ${displayName(canary)} primary weight ${weight}`);

export const routingAllToCanary = (mirrored: boolean) =>
  normal(
    mirrored
      ? 'Stop traffic mirroring and route all traffic to canary'
      : 'Routing all traffic to canary',
  );

export const routingAllToPrimary = normal('Routing all traffic to primary');

export const copying = (canary: Canary) =>
  normal(`Copying ${targetDisplayName(canary)} template spec to ${primaryDisplayName(canary)}`);

export const promoted = (canary: Canary) =>
  alerting(
    normal(`Promotion completed! Scaling down ${targetDisplayName(canary)}`),
    'info',
    'Canary analysis completed successfully, promotion finished.',
  );

export const promotedUnanalysed = (canary: Canary) =>
  alerting(
    normal(`Promotion completed! Canary analysis was skipped for ${targetDisplayName(canary)}`),
    'info',
    'Canary analysis was skipped, promotion finished.',
  );

export const thresholdReached = (canary: Canary, failedChecks: number) =>
  alerting(
    warning(`Rolling back ${displayName(canary)} failed checks threshold reached ${failedChecks}`),
    'error',
    `Failed checks threshold reached ${failedChecks}`,
  );

/** The reference documents this text and this alert, and cannot send them (D5, M-16). */
export const deadlineExceeded = (canary: Canary, message: string) => [
  warning(message),
  alerting(
    warning(`Rolling back ${displayName(canary)} progress deadline exceeded ${message}`),
    'error',
    `Progress deadline exceeded ${message}`,
  ),
];

/** As of a hook that was called. */
export const rollbackChecked = ({ name }: GateStatus) => warning(`Rollback check ${name} passed`);

export const rolledBackByHook = (canary: Canary) =>
  alerting(
    warning(`Rolling back ${displayName(canary)} manual webhook invoked`),
    'warn',
    'Rolling back manual webhook invoked',
  );

export const rolledBack = (canary: Canary) =>
  warning(`Canary failed! Scaling down ${displayName(canary)}`);

export const promotionFailed = (canary: Canary, message: string) =>
  alerting(
    warning(`Promotion of ${targetDisplayName(canary)} failed, primary not ready: ${message}`),
    'error',
    `Promotion failed, primary not ready: ${message}`,
  );

/** Not in the reference: it takes a weight that somebody lowered by hand silently. */
export const weightLowered = (canary: Canary, weight: number) =>
  warning(`Weight of ${displayName(canary)} was lowered to ${weight} by hand, going on from there`);

/** A verdict that was due on routes which are not in effect: a failed check. */
export const routeRefused = (canary: Canary, message: string) =>
  warning(`Halt ${displayName(canary)} advancement ${message}`);

/** Said while no verdict is due. */
export const routeStands = (message: string) => blocked(message);

export const unreported = (route: string) =>
  once(warning(`No gateway reports on ${route}, going on without its confirmation`));

export const noMirroring = (provider: string) =>
  once(warning(`Traffic mirroring is not supported when using the ${provider} provider`));

export const noStep = (canary: Canary) =>
  blocked(
    `Halt ${displayName(canary)} advancement: set analysis.stepWeight, stepWeights or iterations`,
  );

/** What the `kubernetes` provider cannot do, said as the reference says it. */
export const withoutRouting = {
  abTesting: once(warning('A/B testing is not supported when using the kubernetes provider')),
  weights: [
    once(warning('Progressive traffic is not supported when using the kubernetes provider')),
    once(warning('Setting canaryAnalysis.iterations: 10')),
  ],
};

/** Not in the reference: a change that is not its turn. */
export const queued = (canary: Canary, why: string) =>
  normal(`New revision of ${targetDisplayName(canary)} waits: ${why}`);

/** Not in the reference: a fast way back. */
export const returning = (canary: Canary, revision: string) =>
  normal(
    `Revision ${revision} of ${targetDisplayName(canary)} served within ` +
      `${canary.spec.analysis?.rollbackWindow ?? ''}, going straight to promotion`,
  );

/** Not in the reference: gates of our own. */
export const decided = ({ name, verdict, by }: GateStatus): Saying => {
  const who = by === undefined ? '' : ` by ${by}`;
  if (verdict === 'Approved') return normal(`Gate ${name} approved${who}`);
  return warning(`Gate ${name} rejected${who}`);
};

export const nothingWaits = (gate: string) =>
  warning(`Nothing waits for gate ${gate}, the decision about it has no effect`);

export const howToDecide = (canary: Canary, gates: readonly GateStatus[]): Saying => {
  const { name, namespace = '' } = canary.metadata;
  const names = gates.map((gate) => gate.name).join(',');
  const annotate = `kubectl -n ${namespace} annotate canary ${name}`;
  return normal(`To approve: ${annotate} ${approveAnnotation}=${names}`);
};

export const terminating = (canary: Canary) => normal(`Terminating canary ${displayName(canary)}`);

export const howToGiveUp = (canary: Canary) =>
  waiting(
    `Deleting ${displayName(canary)} waits until ${targetDisplayName(canary)} is ready; ` +
      'set spec.revertOnDeletion to false to delete it without giving traffic back',
  );

export const terminated = (canary: Canary) => normal(`Terminated canary ${displayName(canary)}`);
