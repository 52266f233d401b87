/** The kinds of targets that there are. */
import type { ObjectReference } from '../api/canary.ts';
import { isKnativeReference } from '../api/knative.ts';
import { daemonSetKind } from './daemon-set.ts';
import { deploymentKind } from './deployment.ts';
import { knativeServiceKind } from './knative-service.ts';
import { serviceKind } from './service.ts';
import type { TargetKind } from './target-kind.ts';

const kinds: Readonly<Record<string, TargetKind>> = {
  Deployment: deploymentKind,
  DaemonSet: daemonSetKind,
  Service: serviceKind,
};

/** Undefined for a kind that there is not: validation has said so. */
export const targetKindOf = (
  reference: Pick<ObjectReference, 'apiVersion' | 'kind'>,
): TargetKind | undefined =>
  isKnativeReference(reference) ? knativeServiceKind : kinds[reference.kind];
