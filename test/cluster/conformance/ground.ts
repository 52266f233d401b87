/** Everything that the tests of one site share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/kube/clock.ts';
import { connect } from '../../../src/kube/config.ts';
import { until } from '../../support/until.ts';
import { callsTo } from './calls.ts';
import { kubectlOn } from './kubectl.ts';
import type { Ground, Site } from './site.ts';
import { startWebhookServer } from './webhook-server.ts';
import type { WebhookServer } from './webhook-server.ts';

export interface OpenGround extends Ground {
  close(): Promise<void>;
}

/** `kubectlPath`: not used where no test needs it. */
export async function groundOn(site: Site, kubectlPath: string): Promise<OpenGround> {
  const { kubeconfigPath } = site;
  const directory = await mkdtemp(join(tmpdir(), 'aviary-conformance-'));
  const calls = await callsTo(
    connect({ kubeconfig: kubeconfigPath, master: '', environment: {}, clock: systemClock }),
  );
  let count = 0;
  let webhookServer: Promise<WebhookServer> | undefined;
  const name = (prefix: string): string => `${prefix}-${(count += 1)}`;
  return {
    site,
    calls,
    kubectl: kubectlOn({
      path: kubectlPath,
      kubeconfigPath,
      directory,
      patienceMs: site.patienceMs,
    }),
    directory,
    until: (what, probe) => until(what, probe, { timeoutMs: site.patienceMs }),
    name,
    webhookServer: () => (webhookServer ??= startWebhookServer()),
    namespace: async () => {
      const metadata = { name: name('ground') };
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
      const { code, body: found } = await calls.create('/api/v1/namespaces', body);
      if (code !== 201) throw new Error(`create a namespace: ${code} ${JSON.stringify(found)}`);
      return metadata.name;
    },
    close: async () => {
      calls.close();
      await (await webhookServer)?.close();
      await site.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
