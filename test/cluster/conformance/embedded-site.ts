/** The embedded cluster as others meet it: over HTTPS, by a kubeconfig, in real time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster } from '../../../src/cluster/cluster.ts';
import { serveCluster } from '../../../src/cluster/http.ts';
import type { PlanPod } from '../../../src/cluster/workloads/pods.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { quietLog } from '../../../src/kube/quiet-log.ts';
import { createAuthority } from '../identity.ts';
import { kubeconfig } from '../kubeconfig.ts';
import type { Site } from './site.ts';

/** As KWOK's stages in `test/cluster/stages.yaml` have it. */
const plan: PlanPod = ({ metadata }) =>
  metadata.annotations?.['aviary.test/ready'] === 'false' ? {} : { readyMs: 20 };

export async function openEmbeddedSite(): Promise<Site> {
  const cluster = createCluster({
    clock: systemClock,
    random: Math.random,
    log: quietLog,
    workloads: { plan, nodes: ['node-0', 'node-1'] },
  });
  const authority = await createAuthority();
  const serving = await authority.issueServing();
  const token = 'admin';
  const served = await serveCluster({
    rest: cluster.rest,
    users: new Map([[token, { username: 'admin', groups: ['system:masters'] }]]),
    tls: { key: serving.privateKeyPem, certificate: serving.certificatePem },
  });
  const directory = await mkdtemp(join(tmpdir(), 'aviary-embedded-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  const text = kubeconfig(served.url, authority.certificatePem, { token });
  await writeFile(kubeconfigPath, text, { mode: 0o600 });
  return {
    url: served.url,
    kubeconfigPath,
    patienceMs: 4_000,
    forget: async () => cluster.store.compact(),
    close: async () => {
      await served.close();
      cluster.stop();
      await rm(directory, { recursive: true });
    },
  };
}
