/**
 * Tells Prometheus which pods there are, over HTTP, by what the API server says: Debian's package is
 * built without discovery by Kubernetes. Labels are those that most Prometheis give to pods.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Api } from './api.ts';

export interface Discovery {
  /** For `http_sd_configs`. */
  readonly url: string;
  close(): Promise<void>;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string };
    readonly status: { readonly phase?: string; readonly podIP?: string };
  }[];
}

const port = 3000;

export async function startDiscovery(api: Api): Promise<Discovery> {
  const targets = async (): Promise<readonly object[]> => {
    const { items } = (await api.call('GET', '/api/v1/pods')) as PodList;
    return items.flatMap(({ metadata, status: { phase, podIP } }) => {
      if (phase !== 'Running' || podIP === undefined) return [];
      const labels = {
        kubernetes_namespace: metadata.namespace,
        kubernetes_pod_name: metadata.name,
      };
      return [{ targets: [`${podIP}:${port}`], labels }];
    });
  };
  const server = createServer((_, response) => {
    targets().then(
      (list) => response.setHeader('content-type', 'application/json').end(JSON.stringify(list)),
      (error: unknown) => {
        response.statusCode = 502;
        response.end(String(error));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
