/** The annotations that Aviary and the reference put on other people's objects. */

/** On a target: the name of the Canary that took it over. Admission sees only such objects. */
export const canaryAnnotation = 'aviary.dev/canary';
/** On a target: the revision that admission saw; on a primary: the revision that it runs. */
export const revisionAnnotation = 'aviary.dev/revision';
/** On a target: the user who made the change of that revision. */
export const changedByAnnotation = 'aviary.dev/changed-by';
/** On a target: one line on what changed. */
export const changeCauseAnnotation = 'aviary.dev/change-cause';
/** On a target: the replicas that a manifest asked for while the canary holds another number. */
export const replicasAnnotation = 'aviary.dev/replicas';
/** All that we write on a target: gone with its Canary. */
export const targetAnnotations = [
  canaryAnnotation,
  revisionAnnotation,
  changedByAnnotation,
  changeCauseAnnotation,
  replicasAnnotation,
] as const;

/** On a Canary: commands about gates that wait, by name; taken off again by whoever sees them. */
export const approveAnnotation = 'aviary.dev/approve';
export const rejectAnnotation = 'aviary.dev/reject';
/** On a Canary: what became of those commands, with who gave them and when. */
export const decisionsAnnotation = 'aviary.dev/decisions';

/** On a Canary: the kind of route that the Gateway API provider makes, HTTPRoute where absent. */
export const routeKindAnnotation = 'aviary.dev/route-kind';

/**
 * On a Canary, `enabled`: users who match `analysis.match` see the canary while the others are split by
 * weight. Absent, as in the reference, `match` counts with `iterations` only.
 */
export const matchWithWeightsAnnotation = 'aviary.dev/match-with-weights';

/** In the node selector of a DaemonSet that is to have no pods: no node has this label. */
export const scaleToZeroLabel = 'flagger.app/scale-to-zero';

/** Keeps Flux from reverting what the controller manages. */
export const fluxAnnotations = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
} as const;

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

export const finalizer = 'finalizer.flagger.app';
