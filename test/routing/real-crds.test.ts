/** Golden objects and real CRDs on the embedded API server (`crd-suite.ts`): without a cluster. */
import { test } from 'node:test';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { createCluster } from '../../src/cluster/cluster.ts';
import { createRandom } from '../../src/cluster/random.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { quietLog } from '../../src/kube/quiet-log.ts';
import type { AdminCalls } from '../cluster/admin-calls.ts';
import { checkAll } from './crd-suite.ts';

const user = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

const sendTo =
  ({ rest }: Cluster): AdminCalls['send'] =>
  async ({ method, path: address, body, type = 'application/json', accept }) => {
    const [path = '', query = ''] = address.split('?', 2);
    const answer = await rest({
      method,
      path,
      query: new URLSearchParams(query),
      accept,
      contentType: type,
      userAgent: 'test/1',
      body: body === undefined ? '' : JSON.stringify(body),
      user,
      signal: new AbortController().signal,
    });
    if (answer.kind === 'Stream') throw new Error(`${path} answers a stream`);
    const warnings = answer.warnings ?? [];
    const text = answer.body.startsWith('{') ? answer.body : '{}';
    return { status: answer.code, warnings, body: JSON.parse(text) as Record<string, unknown> };
  };

test('golden objects under the real CRDs, on the embedded API server', async (context) => {
  const cluster = createCluster({
    clock: systemClock,
    random: createRandom(1, 'crds'),
    log: quietLog,
  });
  context.after(() => cluster.stop());
  await checkAll(sendTo(cluster), context);
});
