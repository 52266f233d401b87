/** This room against the real kube-apiserver. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { isForbidden } from '../../src/kube/api-error.ts';
import { configMaps } from '../../src/kube/resources.ts';
import { openRealSite } from '../cluster/conformance/real-site.ts';
import type { RealSite } from '../cluster/conformance/real-site.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { clientOf, talksTo } from './conversation.ts';

const skip = await controlPlaneOrSkip();
const open = (): Promise<RealSite> => openRealSite({ nodes: 0, controllers: false });

await talksTo('a real API server', { open, skip });

suite('on a real API server, with the rights of a ServiceAccount', { skip }, () => {
  let site: RealSite;
  before(async () => {
    site = await open();
  });
  after(() => site?.close());

  test('without the right to it, a call says so', async () => {
    const { plane } = site;
    const account = { namespace: 'default', name: 'nobody' };
    await plane.kubectl(['create', 'namespace', account.namespace]);
    await plane.kubectl(['create', 'serviceaccount', account.name]);
    const nobody = clientOf(await plane.kubeconfigFor(account));
    const { signal } = new AbortController();
    const reading = nobody.get(configMaps, { namespace: 'default', name: 'a' }, { signal });
    await assert.rejects(reading, isForbidden);
    nobody.close();
  });
});
