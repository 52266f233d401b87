/** Small kinds of the core group. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { StoredObject } from '../resource-type.ts';
import { age, column, wide } from './columns.ts';
import { fill, isJsonObject } from './defaulting.ts';
import type { Kind } from './kind.ts';
import { persistentVolumeClaimSpec } from './pod-defaults.ts';
import { validateConfigMap, validateSecret } from './config-validation.ts';
import { validateClaim } from './other-validation.ts';

const core = { group: '', version: 'v1' } as const;
const definition = (kind: string): string => `io.k8s.api.core.v1.${kind}`;

const countOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? Object.keys(value).length : 0;

interface WithData extends KubeObject {
  readonly data?: object;
  readonly binaryData?: object;
  readonly type?: string;
}

const configMap: Kind = {
  ...core,
  definition: definition('ConfigMap'),
  kind: 'ConfigMap',
  plural: 'configmaps',
  validate: validateConfigMap,
  shortNames: ['cm'],
  columns: [
    column<WithData>('Data', ({ data, binaryData }) => countOf(data) + countOf(binaryData)),
    age,
  ],
};

/** `stringData` is written, and never read. */
function withStringData(object: StoredObject): StoredObject {
  const { stringData, ...others } = object;
  if (stringData === undefined) return object;
  const { data } = others as { readonly data?: object };
  const texts = isJsonObject(stringData) ? Object.entries(stringData) : [];
  const encoded = texts.map(([key, text]) => [
    key,
    Buffer.from(typeof text === 'string' ? text : '').toString('base64'),
  ]);
  return { ...others, data: { ...data, ...Object.fromEntries(encoded) } };
}

const secret: Kind = {
  ...core,
  definition: definition('Secret'),
  kind: 'Secret',
  plural: 'secrets',
  validate: validateSecret,
  selectableFields: ['type'],
  columns: [
    column<WithData>('Type', ({ type }) => type ?? ''),
    column<WithData>('Data', ({ data }) => countOf(data)),
    age,
  ],
  defaults: { type: fill('Opaque') },
  complete: withStringData,
};

const namespace: Kind = {
  ...core,
  definition: definition('Namespace'),
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: false,
  selectableFields: ['status.phase'],
  columns: [
    column<KubeObject & { readonly status?: { readonly phase?: string } }>(
      'Status',
      ({ status }) => status?.phase ?? '',
    ),
    age,
  ],
  complete: (object) => {
    const { name, labels } = object.metadata;
    const label = 'kubernetes.io/metadata.name';
    if (name === undefined || name === '' || labels?.[label] === name) return object;
    return { ...object, metadata: { ...object.metadata, labels: { ...labels, [label]: name } } };
  },
  firstStatus: { phase: 'Active' },
  prepare: (object, before) => {
    if (before !== undefined) return object;
    const spec = isJsonObject(object.spec) ? object.spec : {};
    return { ...object, spec: { ...spec, finalizers: ['kubernetes'] } };
  },
};

const serviceAccount: Kind = {
  ...core,
  definition: definition('ServiceAccount'),
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  columns: [age],
};

interface Claim extends KubeObject {
  readonly spec?: {
    readonly volumeName?: string;
    readonly storageClassName?: string;
    readonly volumeAttributesClassName?: string;
    readonly volumeMode?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly accessModes?: readonly string[];
    readonly capacity?: { readonly storage?: string };
  };
}

const accessModes: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

const isBound = ({ spec }: Claim): boolean => (spec?.volumeName ?? '') !== '';

const persistentVolumeClaim: Kind = {
  ...core,
  definition: definition('PersistentVolumeClaim'),
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  validate: validateClaim,
  shortNames: ['pvc'],
  hasStatus: true,
  hasGeneration: false,
  columns: [
    column<Claim>('Status', ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    ),
    column<Claim>('Volume', ({ spec }) => spec?.volumeName ?? ''),
    column<Claim>('Capacity', (claim) =>
      isBound(claim) ? (claim.status?.capacity?.storage ?? '0') : '',
    ),
    column<Claim>('Access Modes', (claim) => {
      if (!isBound(claim)) return '';
      const { accessModes: found = [] } = claim.status ?? {};
      return accessModes.flatMap(([mode, text]) => (found.includes(mode) ? [text] : [])).join(',');
    }),
    column<Claim>('StorageClass', ({ spec }) => spec?.storageClassName ?? ''),
    column<Claim>(
      'VolumeAttributesClass',
      ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    ),
    age,
    column<Claim>('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>', wide),
  ],
  defaults: { spec: persistentVolumeClaimSpec },
  firstStatus: { phase: 'Pending' },
};

export const coreKinds = (): readonly Kind[] => [
  namespace,
  configMap,
  secret,
  serviceAccount,
  persistentVolumeClaim,
];
