/**
 * What a primary is made from, whatever its kind, and the metadata that it takes over from the target
 * (`spec/01`, 3.9).
 */
import { revisionAnnotation } from '../api/annotations.ts';
import type { Canary } from '../api/canary.ts';
import { primaryName } from '../api/defaults.ts';
import type { KubeObject, ObjectMeta, StringMap } from '../api/kubernetes.ts';
import type { ConfigReference } from '../revision/references.ts';
import { ownerReferenceTo, withPrefixes, withoutForeignMarks } from './metadata.ts';
import type { Selector } from './selector.ts';

export interface PrimarySettings {
  readonly canary: Canary;
  readonly selector: Selector;
  /** Objects of which the primary has copies of its own. */
  readonly copied: readonly Pick<ConfigReference, 'kind' | 'name'>[];
  readonly selectorLabels: readonly string[];
  readonly includeLabelPrefix: string;
  /** A fresh UUID: it makes the primary roll even if nothing else of its template differs. */
  readonly uuid: string;
  /** What the primary runs from here on. */
  readonly revision: string;
}

export interface PrimaryOptions<T extends KubeObject> extends PrimarySettings {
  readonly target: T;
}

export const primaryValue = ({ value }: Selector): string => `${value}-primary`;

/** Of a primary as it is first made. */
export function createdMetadata(options: PrimaryOptions<KubeObject>): ObjectMeta {
  const { canary, target, includeLabelPrefix, revision } = options;
  const { namespace = '', labels, annotations } = target.metadata;
  return {
    name: primaryName(canary),
    namespace,
    labels: { ...withPrefixes(labels, includeLabelPrefix), ...selectorLabel(options) },
    annotations: { ...withoutForeignMarks(annotations), [revisionAnnotation]: revision },
    ownerReferences: [ownerReferenceTo(canary)],
  };
}

/**
 * Of a primary after promotion. What others wrote on it stays; what it had from the target goes,
 * because it would tell of a former revision. `own` are labels that it has beside those.
 */
export function promotedMetadata(
  options: PrimaryOptions<KubeObject>,
  primary: KubeObject,
  own: StringMap = selectorLabel(options),
): ObjectMeta {
  const { target, includeLabelPrefix, revision } = options;
  const { labels, annotations } = target.metadata;
  return {
    ...primary.metadata,
    labels: {
      ...primary.metadata.labels,
      ...withPrefixes(labels, includeLabelPrefix),
      ...own,
    },
    annotations: {
      ...withoutInherited(primary.metadata.annotations, annotations),
      ...withPrefixes(annotations, includeLabelPrefix),
      [revisionAnnotation]: revision,
    },
  };
}

function selectorLabel({ selector }: PrimarySettings): StringMap {
  return { [selector.label]: primaryValue(selector) };
}

/** The Deployment controller keeps its own notes, on the primary as on the target. */
const rolloutNotes = 'deployment.kubernetes.io/';

function withoutInherited(own: StringMap | undefined, target: StringMap | undefined): StringMap {
  const isOwn = ([key]: readonly [string, string]): boolean =>
    target?.[key] === undefined || key.startsWith(rolloutNotes);
  return Object.fromEntries(Object.entries(own ?? {}).filter(isOwn));
}
