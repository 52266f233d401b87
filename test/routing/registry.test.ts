import assert from 'node:assert/strict';
import { test } from 'node:test';
import { supportedProviders } from '../../src/api/providers.ts';
import { allProviders, providerFor } from '../../src/routing/registry.ts';
import { conform } from './conform.ts';

// A Knative Service is the user's own, and its own route: `knative.test.ts`.
for (const provider of allProviders()) if (provider.name !== 'knative') conform(provider);

test('there is a provider for each that validation lets through', () => {
  const names = allProviders().map(({ name }) => name);
  assert.deepEqual(names.toSorted(), Object.keys(supportedProviders).toSorted());
});

test('a provider is found by its exact name only', () => {
  assert.equal(providerFor('istio')?.name, 'istio');
  assert.equal(providerFor('kubernetes')?.name, 'kubernetes');
  for (const name of ['', 'Istio', 'appmesh:v1beta1', 'constructor', '__proto__']) {
    assert.equal(providerFor(name), undefined, name);
  }
});
