/** The provider of docs/add-a-provider.md: a mesh whose Split shares a host's requests out. */
import type { Canary } from '../../src/api/canary.ts';
import { serviceNames, strategyOf } from '../../src/api/defaults.ts';
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { OpaqueObject, Resource } from '../../src/kube/resources.ts';
import { apiVersionOf, resource } from '../../src/kube/resources.ts';
import type { Confirmation, RoutingProvider } from '../../src/routing/provider.ts';
import { apexMetadata, owned } from '../../src/routing/route-metadata.ts';

const splits: Resource<OpaqueObject> = resource('mesh.example.com/v1', 'Split', 'splits');

interface Split extends KubeObject {
  readonly spec?: {
    readonly host?: string;
    readonly weights?: Readonly<Record<string, number>>;
    readonly mirrorTo?: string;
  };
  readonly status?: { readonly observedGeneration?: number; readonly error?: string };
}

const keyOf = (canary: Canary) => ({ resource: splits, name: serviceNames(canary).apex });

export const example: RoutingProvider = {
  name: 'example',
  routeKeys: (canary) => [keyOf(canary)],
  render: (canary, split, _cookies, live) => {
    if (strategyOf(canary) === 'ab-testing') {
      return { ok: false, error: 'spec.analysis.match: a Split cannot tell users apart' };
    }
    const { apex, primary, canary: other } = serviceNames(canary);
    const weights = { [primary]: split.primary, [other]: split.canary };
    const ours = { host: apex, weights, ...(split.mirrored && { mirrorTo: other }) };
    const found: Split | undefined = live(keyOf(canary));
    const { host: _host, weights: _weights, mirrorTo: _mirror, ...others } = specOf(found);
    const metadata = { ...(found?.metadata ?? owned(canary, apex)) };
    const wanted: Split = {
      ...found,
      apiVersion: apiVersionOf(splits),
      kind: splits.kind,
      metadata: { ...metadata, ...apexMetadata(canary, metadata) },
      spec: { ...others, ...ours },
    };
    return { ok: true, objects: [{ resource: splits, wanted, ...(found && { live: found }) }] };
  },
  read: (canary, live) => {
    const { weights = {}, mirrorTo } = specOf(live(keyOf(canary)));
    const { primary: one, canary: other } = serviceNames(canary);
    const { [one]: primary = 0, [other]: weight = 0 } = weights;
    if (primary + weight === 0) return undefined;
    return { primary, canary: weight, mirrored: mirrorTo === other };
  },
  confirm: (canary, live) => confirmed(live(keyOf(canary))),
  revert: () => [],
};

const specOf = (found: Split | undefined): NonNullable<Split['spec']> => found?.spec ?? {};

function confirmed(found: Split | undefined): Confirmation {
  if (found === undefined) return { state: 'pending' };
  const route = `Split ${found.metadata.name}`;
  const { observedGeneration, error } = found.status ?? {};
  if (observedGeneration === undefined) return { state: 'unreported', route };
  if (observedGeneration !== found.metadata.generation) {
    return { state: 'pending', why: `${route} waits for the mesh` };
  }
  if (error === undefined) return { state: 'confirmed' };
  return { state: 'refused', message: `${route} refused by the mesh: ${error}` };
}
