/**
 * The two kinds of Istio that routes consist of, as CustomResourceDefinitions without a schema:
 * the demo's cluster has no mesh that could object.
 */
import type { KubeObject } from '../../api/kubernetes.ts';
import { destinationRules, virtualServices } from '../../kube/resources.ts';
import type { Resource } from '../../kube/resources.ts';

interface Column {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const istioDefinitions: readonly KubeObject[] = [
  definition(virtualServices, 'vs', [
    { name: 'Gateways', type: 'string', jsonPath: '.spec.gateways' },
    { name: 'Hosts', type: 'string', jsonPath: '.spec.hosts' },
    age,
  ]),
  definition(destinationRules, 'dr', [
    { name: 'Host', type: 'string', jsonPath: '.spec.host' },
    age,
  ]),
];

function definition(
  { group, version, kind, plural }: Resource<KubeObject>,
  shortName: string,
  additionalPrinterColumns: readonly Column[],
): KubeObject {
  const spec = {
    group,
    names: {
      kind,
      listKind: `${kind}List`,
      plural,
      singular: kind.toLowerCase(),
      shortNames: [shortName],
    },
    scope: 'Namespaced',
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
        subresources: { status: {} },
        additionalPrinterColumns,
      },
    ],
  };
  const metadata = { name: `${plural}.${group}` };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata,
    spec,
  } as KubeObject;
}
