/** Columns of `kubectl get` that many kinds have. */
import type { KubeObject, StringMap } from '../../api/kubernetes.ts';
import type { Column } from '../resource-type.ts';
import { selectorText } from '../scale.ts';
import { ageOf } from '../table.ts';

type Cell<T> = (object: T, nowMs: number) => string | number | boolean | undefined;

export function column<T extends KubeObject>(
  name: string,
  cell: Cell<T>,
  options: Partial<Pick<Column, 'type' | 'priority' | 'format'>> = {},
): Column {
  const shown = cell as unknown as Column['cell'];
  return { name, type: 'string', priority: 0, ...options, cell: shown };
}

export const integer = { type: 'integer' } as const;
export const wide = { priority: 1 } as const;

export const age = column<KubeObject>('Age', ({ metadata }, nowMs) =>
  ageOf(metadata.creationTimestamp, nowMs),
);

/** As it was written: kinds that have no printer of their own show that. */
export const createdAt: Column = {
  ...age,
  name: 'Created At',
  type: 'date',
  cell: ({ metadata }) => metadata.creationTimestamp ?? undefined,
};

interface Templated extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly name?: string; readonly image?: string }[];
      };
    };
    readonly selector?: unknown;
  };
}

const containersOf = ({ spec }: Templated) => spec?.template?.spec?.containers ?? [];

export const containerNames = column<Templated>(
  'Containers',
  (object) =>
    containersOf(object)
      .map(({ name = '' }) => name)
      .join(','),
  wide,
);

export const containerImages = column<Templated>(
  'Images',
  (object) =>
    containersOf(object)
      .map(({ image = '' }) => image)
      .join(','),
  wide,
);

export const selector = column<Templated>(
  'Selector',
  ({ spec }) => shownSelector(spec?.selector),
  wide,
);

/** Of a `LabelSelector`. */
export const shownSelector = (value: unknown): string => {
  const text = selectorText(value) ?? '';
  return text === '' ? '<none>' : text;
};

/** `a=1,b=2`. */
export function shownLabels(labels: StringMap | undefined): string {
  const texts = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return texts.length === 0 ? '<none>' : texts.sort().join(',');
}

/** The first few, and how many more there are. */
export function shownSome(texts: readonly string[], max: number): string {
  if (texts.length === 0) return '<none>';
  const more = texts.length - max;
  const shown = texts.slice(0, max).join(',');
  return more > 0 ? `${shown} + ${more} more...` : shown;
}
