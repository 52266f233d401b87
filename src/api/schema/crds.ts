/**
 * The CustomResourceDefinitions of Aviary, the one source of `manifests/crds/` (`make manifests`).
 * They are those of the reference, a little wider: objects move over in place, and back.
 */
import type { Properties, Schema } from './builders.ts';
import { object, string } from './builders.ts';
import { canarySchema } from './canary.ts';
import { alertProviderSchema, metricTemplateSchema } from './providers.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'boolean';
  readonly jsonPath: string;
  /** 1 is shown with `-o wide` only. */
  readonly priority?: 1;
}

interface Kind {
  readonly kind: string;
  readonly singular: string;
  readonly columns: readonly PrinterColumn[];
  readonly schema: {
    readonly description: string;
    readonly spec: Schema;
    readonly status?: Schema;
  };
}

const column = (
  name: string,
  jsonPath: string,
  more: Partial<PrinterColumn> = {},
): PrinterColumn => ({ name, type: 'string', jsonPath, ...more });

const wide = { priority: 1 } as const;

const canaryColumns = [
  column('Status', '.status.phase'),
  column('Weight', '.status.canaryWeight'),
  column('Suspended', '.spec.suspend', { type: 'boolean', ...wide }),
  column('FailedChecks', '.status.failedChecks', wide),
  column('Interval', '.spec.analysis.interval', wide),
  column('Mirror', '.spec.analysis.mirror', { type: 'boolean', ...wide }),
  column('StepWeight', '.spec.analysis.stepWeight', wide),
  column('StepWeights', '.spec.analysis.stepWeights', wide),
  column('MaxWeight', '.spec.analysis.maxWeight', wide),
  column('LastTransitionTime', '.status.lastTransitionTime'),
];

const kinds: readonly Kind[] = [
  {
    kind: 'AlertProvider',
    singular: 'alertprovider',
    schema: alertProviderSchema,
    columns: [column('Type', '.spec.type')],
  },
  { kind: 'Canary', singular: 'canary', schema: canarySchema, columns: canaryColumns },
  {
    kind: 'MetricTemplate',
    singular: 'metrictemplate',
    schema: metricTemplateSchema,
    columns: [column('Provider', '.spec.provider.type')],
  },
];

const group = 'flagger.app';
const version = 'v1beta1';

/** One CustomResourceDefinition per kind, by the alphabet. */
export const customResourceDefinitions = kinds.map(definition);

function definition({ kind, singular, columns, schema }: Kind) {
  const plural = singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // An uninstalled chart must not take every canary with it.
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular, categories: ['all'] },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: root(schema) },
        },
      ],
    },
  };
}

function root({ description, spec, status }: Kind['schema']): Schema {
  const properties: Properties = {
    apiVersion: string('Version of the schema of this object.'),
    kind: string('Kind of this object.'),
    metadata: { type: 'object' },
    spec,
    ...(status === undefined ? {} : { status }),
  };
  return object(description, properties);
}
