/** Discovery says of our kinds what a real API server was recorded to say. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { builtInTypes } from '../../src/cluster/builtin/types.ts';
import { discoveryAnswer } from '../../src/cluster/discovery.ts';
import type { ResourceType } from '../../src/cluster/resource-type.ts';
import { readGolden } from './builtin/golden.ts';

const types = builtInTypes();
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const older = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';

const ask = (path: string, accept = 'application/json', of = types): unknown => {
  const answer = discoveryAnswer(path, accept, of);
  return answer === undefined ? undefined : JSON.parse(answer.body);
};

const widget: ResourceType = {
  ...builtInTypes()[0],
  ...({ group: 'example.com', version: 'v1', kind: 'Widget', plural: 'widgets' } as const),
  isCustom: true,
} as ResourceType;

interface Resources {
  readonly resources: readonly { readonly name: string }[];
}

interface Aggregated {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources: readonly {
        readonly resource: string;
        readonly subresources?: readonly { readonly subresource: string }[];
      }[];
    }[];
  }[];
}

const byName = ({ resources, ...others }: Resources): object => ({
  ...others,
  resources: resources.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
});

suite('discovery', () => {
  for (const [path, recorded] of Object.entries(readGolden().discovery)) {
    test(`${path} lists our resources as a real API server does`, () => {
      assert.deepEqual(byName(ask(path) as Resources), byName(recorded as unknown as Resources));
    });
  }

  test('groups prefer the version that was registered first', () => {
    const { groups } = ask('/apis') as {
      readonly groups: readonly { readonly name: string; readonly preferredVersion: object }[];
    };
    assert.deepEqual(groups.find(({ name }) => name === 'autoscaling')?.preferredVersion, {
      groupVersion: 'autoscaling/v2',
      version: 'v2',
    });
    assert.deepEqual((ask('/api') as { readonly versions: unknown }).versions, ['v1']);
  });

  test('one document has all groups, for those who ask for it first', () => {
    const answer = discoveryAnswer('/apis', `${aggregated},${older},application/json`, types);
    assert.equal(answer?.contentType, aggregated);
    const { items } = JSON.parse(answer?.body ?? '') as Aggregated;
    const apps = items.find(({ metadata }) => metadata.name === 'apps')?.versions[0];
    const deployments = apps?.resources.find(({ resource }) => resource === 'deployments');
    const parts = deployments?.subresources?.map(({ subresource }) => subresource);
    assert.deepEqual(parts, ['scale', 'status']);
    assert.ok(!items.some(({ metadata }) => metadata.name === undefined), 'the core is not in it');
    const core = ask('/api', aggregated) as Aggregated;
    assert.deepEqual(core.items[0]?.metadata, {});
  });

  test('who does not ask for it gets the list of groups', () => {
    assert.equal(
      (ask('/apis', `${older},application/json`) as { kind: string }).kind,
      'APIGroupList',
    );
    assert.equal((ask('/apis', undefined) as { kind: string }).kind, 'APIGroupList');
  });

  test('custom resources appear with their group', () => {
    const all = [...types, widget];
    assert.equal(ask('/apis/example.com/v1'), undefined);
    const found = ask('/apis/example.com/v1', undefined, all) as Resources;
    assert.ok(found.resources.some(({ name }) => name === 'widgets'));
    assert.equal(
      (ask('/apis/example.com', undefined, all) as { name: string }).name,
      'example.com',
    );
  });

  test('health is plain text, the version that of the API server we imitate', () => {
    for (const path of ['/healthz', '/livez', '/readyz']) {
      const answer = discoveryAnswer(path, undefined, types);
      assert.deepEqual(answer, { contentType: 'text/plain; charset=utf-8', body: 'ok' });
    }
    assert.equal((ask('/version') as { gitVersion: string }).gitVersion, 'v1.36.3');
  });

  test('other paths are none of its', () => {
    for (const path of ['/metrics', '/api/v2', '/apis/nope', '/apis/apps/v2', '/api/v1/pods']) {
      assert.equal(ask(path), undefined, path);
    }
  });
});
