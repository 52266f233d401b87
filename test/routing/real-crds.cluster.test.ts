/** Golden objects and real CRDs on a real API server (`crd-suite.ts`). */
import { test } from 'node:test';
import { connectAsAdmin } from '../cluster/admin-calls.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { controlPlaneOrSkip } from '../cluster/require.ts';
import { checkAll } from './crd-suite.ts';

const needed = { skip: await controlPlaneOrSkip(), timeout: 600_000 };

test('golden objects under the real CRDs, on a real API server', needed, async (context) => {
  const plane = await startControlPlane({ nodes: 0, controllers: false });
  context.after(() => plane.stop());
  const { send, close } = await connectAsAdmin(plane);
  context.after(close);
  await checkAll(send, context);
});
