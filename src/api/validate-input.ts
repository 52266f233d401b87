/** A spec as validation reads it: anything may be missing or of another type than it should be. */
import { parseDuration } from './duration.ts';
import { isKnativeReference } from './knative.ts';
import type { ProviderAbilities, ProviderTable } from './providers.ts';
import { effectiveProvider } from './providers.ts';

export interface ValidationOptions {
  /** The providers of this version and what each can do. */
  readonly providers: ProviderTable;
  readonly targetKinds: readonly string[];
  readonly autoscalerKinds: readonly string[];
  /** The `-no-cross-namespace-refs` flag. */
  readonly noCrossNamespaceRefs: boolean;
  /** The `-mesh-provider` flag. */
  readonly meshProvider: string;
}

export interface Finding {
  readonly severity: 'Error' | 'Warning';
  readonly path: string;
  readonly message: string;
}

export const refuse = (path: string, message: string): Finding => ({
  severity: 'Error',
  path,
  message,
});

export const warn = (path: string, message: string): Finding => ({
  severity: 'Warning',
  path,
  message,
});

export type Fields = Readonly<Record<string, unknown>>;

export interface Subject {
  readonly name: string;
  readonly namespace: string;
  readonly annotations: Fields;
  readonly spec: Fields;
  readonly target: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly service: Fields;
  readonly analysis: Fields;
  /** The provider that the canary will have. */
  readonly provider: string;
  /** Absent where this version does not support the provider. */
  readonly abilities?: ProviderAbilities;
  readonly options: ValidationOptions;
}

export function readSpec(canary: unknown, options: ValidationOptions): Subject {
  const object = fieldsOf(canary);
  const spec = fieldsOf(object['spec']);
  const target = fieldsOf(spec['targetRef']);
  const service = fieldsOf(spec['service']);
  const provider = effectiveProvider(textOf(spec['provider']), options.meshProvider);
  const abilities = abilitiesOf(provider, service, options.providers);
  return {
    name: textOf(fieldsOf(object['metadata'])['name']),
    namespace: textOf(fieldsOf(object['metadata'])['namespace']),
    annotations: fieldsOf(fieldsOf(object['metadata'])['annotations']),
    spec,
    target: {
      apiVersion: textOf(target['apiVersion']),
      kind: textOf(target['kind']),
      name: textOf(target['name']),
    },
    service,
    analysis: fieldsOf(spec['analysis']),
    provider,
    ...(abilities === undefined ? {} : { abilities }),
    options,
  };
}

function abilitiesOf(
  provider: string,
  service: Fields,
  providers: ProviderTable,
): ProviderAbilities | undefined {
  const abilities = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  const isTcp = textOf(service['appProtocol']).toLowerCase() === 'tcp';
  if (abilities === undefined || !abilities.plainTcp || !isTcp) return abilities;
  const { weights, plainTcp } = abilities;
  return { weights, plainTcp, mirroring: false, sessionAffinity: false };
}

/** Knative Services are told from core Services by their version alone. */
export const isKnative = ({ target }: Subject): boolean => isKnativeReference(target);

export function fieldsOf(value: unknown): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : {};
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Undefined where there is no number, which is the schema's to refuse. */
export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** Refuses what is no Go duration. Empty is the default, and fine. */
export function* duration(path: string, text: string): Iterable<Finding> {
  if (text === '' || isPlainDuration(text)) return;
  const message = `${shown(text)} is no duration: write numbers with units, as 30s, 5m or 1m30s`;
  yield refuse(path, message);
}

function isPlainDuration(text: string): boolean {
  const parsed = parseDuration(text);
  return parsed.ok && parsed.ms >= 0;
}

/** A warning for what means nothing where it stands. */
export const ignored = (path: string, because: string): Finding =>
  warn(path, `is ignored: ${because}`);

const charactersShownMax = 80;

/** A value as a message can hold it. */
export function shown(value: unknown): string {
  const text = typeof value === 'object' ? typeof value : (JSON.stringify(value) ?? typeof value);
  return text.length > charactersShownMax ? `${text.slice(0, charactersShownMax)}…` : text;
}
