/** The laws that every routing provider obeys, whatever it writes. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Json, KubeObject } from '../../src/api/kubernetes.ts';
import { mergePatchBetween } from '../../src/kube/merge-patch.ts';
import { apiVersionOf } from '../../src/kube/resources.ts';
import type { RenderedRoute, RoutingProvider } from '../../src/routing/provider.ts';
import type { Case } from './canaries.ts';
import { furnished, sourcesFor } from './sources.ts';
import { arbitraryCase, arbitraryChange, liveOf, namespace, stored } from './canaries.ts';

/** Fields that no provider knows, as a user may have added them to any object. */
const foreign = {
  labels: { 'example.com/team': 'shop' },
  annotations: { 'example.com/note': 'ours' },
  spec: { userField: { deep: ['kept'] } },
};

export function conform(provider: RoutingProvider): void {
  const render = ({ canary, split, cookies }: Case, live: readonly KubeObject[] = []) => {
    const rendered = provider.render(
      canary,
      split,
      cookies,
      liveOf([...sourcesFor(canary), ...live]),
    );
    // Who cannot say it refuses it, by the field; the laws are about what is said.
    if (!rendered.ok) assert.match(rendered.error, /^(spec|match)\.[\w.[\]-]+: /);
    fc.pre(rendered.ok);
    return rendered.objects;
  };
  const fitting = (given: Case): Case => ({
    ...given,
    canary: furnished(provider, given.canary),
  });
  const written = (wanted: Case, live: readonly KubeObject[] = []): readonly KubeObject[] =>
    render(wanted, live).map((route) => stored(route));
  const law = (name: string, holds: (given: Case) => void) =>
    test(name, () =>
      fc.assert(fc.property(arbitraryCase, (given) => holds(frozen(fitting(given))))),
    );

  suite(`routing provider ${provider.name}`, () => {
    law('reads back the split that it rendered', (given) => {
      const objects = written(given);
      const expected = objects.length === 0 ? undefined : given.split;
      assert.deepEqual(provider.read(given.canary, liveOf(objects)), expected);
    });

    law('renders exactly the objects of its keys, in their order', (given) => {
      const keys = provider.routeKeys(given.canary).map(({ resource, name }) => ({
        apiVersion: apiVersionOf(resource),
        kind: resource.kind,
        name,
        namespace: resource.namespaced ? namespace : undefined,
      }));
      const objects = render(given).map(({ wanted: { apiVersion, kind, metadata } }) => ({
        apiVersion,
        kind,
        name: metadata.name,
        namespace: metadata.namespace,
      }));
      assert.deepEqual(objects, keys);
    });

    law('R7: renders the same from the same, and changes nothing that it was given', (given) => {
      const live = frozen(written(given));
      assert.deepEqual(render(given), render(given));
      assert.deepEqual(render(given, live), render(given, live));
    });

    law('has nothing to do where the routes are as wanted', (given) => {
      const live = written(given);
      assert.deepEqual(
        render(given, live).map(difference),
        live.map(() => undefined),
      );
    });

    law('owns what it makes, and never what it found', (given) => {
      for (const { wanted, resource } of render(given)) {
        // What is of the cluster cannot belong to what is of a namespace.
        if (!resource.namespaced) continue;
        assert.deepEqual(wanted.metadata.ownerReferences, [
          {
            apiVersion: 'flagger.app/v1beta1',
            kind: 'Canary',
            name: given.canary.metadata.name,
            uid: given.canary.metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ]);
      }
      const found = written(given).map(orphaned);
      for (const { wanted } of render(given, found)) {
        assert.equal(wanted.metadata.ownerReferences, undefined);
      }
    });

    law('makes of the object of somebody else what it would have made itself', (given) => {
      const bare = written(given).map((object) => ({ ...orphaned(object), spec: {} }));
      const made = render(given).map(({ wanted }) => specOf(wanted));
      assert.deepEqual(
        render(given, bare).map(({ wanted }) => specOf(wanted)),
        made,
      );
    });

    law('reads nothing where it rendered nothing', ({ canary }) => {
      assert.equal(provider.read(canary, liveOf([])), undefined);
    });

    law('returns nothing that was not there before it', (given) => {
      assert.deepEqual(provider.revert(given.canary, liveOf([])), []);
      const reverted = provider.revert(given.canary, liveOf(written(given)));
      // What is of the cluster has no owner to be removed with: it may be put at rest.
      const owned = reverted.filter(({ resource }) => resource.namespaced);
      assert.deepEqual(owned, []);
      for (const { wanted } of reverted) {
        assert.equal(provider.read(given.canary, liveOf([wanted])), undefined);
      }
    });

    test('goes from any split to any other as if it had begun there', () => {
      const holds = ({ before, after }: { readonly before: Case; readonly after: Case }) => {
        const changed = render(after, written(before)).map(({ wanted }) => specOf(wanted));
        assert.deepEqual(
          changed,
          render(after).map(({ wanted }) => specOf(wanted)),
        );
      };
      const fits = ({ before, after }: { readonly before: Case; readonly after: Case }) =>
        holds({ before: fitting(before), after: fitting(after) });
      fc.assert(fc.property(arbitraryChange, fits));
    });

    test('says any change of weights in one write', () => {
      const holds = ({ before, after }: { readonly before: Case; readonly after: Case }) => {
        const patches = render(after, written(before)).map(difference);
        assert.ok(patches.filter((patch) => patch !== undefined).length <= 1);
      };
      const fits = ({ before, after }: { readonly before: Case; readonly after: Case }) =>
        holds({ before: fitting(before), after: fitting(after) });
      fc.assert(fc.property(arbitraryChange, fits));
    });

    test('R1, R11: keeps what others added, and puts the split right beside it', () => {
      const holds = ({ before, after }: { readonly before: Case; readonly after: Case }) => {
        const edited = written(before).map(withForeign);
        const repaired = render(after, edited);
        for (const { wanted } of repaired) {
          const { labels, annotations } = wanted.metadata;
          assert.equal(labels?.['example.com/team'], 'shop');
          assert.equal(annotations?.['example.com/note'], 'ours');
          assert.deepEqual(specOf(wanted)['userField'], foreign.spec.userField);
        }
        const live = liveOf(repaired.map((route) => stored(route)));
        const expected = repaired.length === 0 ? undefined : after.split;
        assert.deepEqual(provider.read(after.canary, live), expected);
      };
      const fits = ({ before, after }: { readonly before: Case; readonly after: Case }) =>
        holds({ before: fitting(before), after: fitting(after) });
      fc.assert(fc.property(arbitraryChange, fits));
    });
  });
}

/** The patch that the controller would send; undefined for none. */
export function difference({ live, wanted }: RenderedRoute): Json | undefined {
  assert.ok(live !== undefined, `${wanted.kind} ${wanted.metadata.name} is to be made`);
  return mergePatchBetween(asJson(live), asJson(wanted));
}

const asJson = (object: KubeObject): Json => object as unknown as Json;

const specOf = (object: KubeObject): Readonly<Record<string, Json>> =>
  (object as KubeObject & { readonly spec: Readonly<Record<string, Json>> }).spec;

function orphaned(object: KubeObject): KubeObject {
  const { ownerReferences: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withForeign(object: KubeObject): KubeObject {
  const { labels, annotations } = object.metadata;
  const metadata = {
    ...object.metadata,
    labels: { ...labels, ...foreign.labels },
    annotations: { ...annotations, ...foreign.annotations },
  };
  return { ...object, metadata, spec: { ...specOf(object), ...foreign.spec } } as KubeObject;
}

/** A write to any depth of it throws, modules being strict. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
