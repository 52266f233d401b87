/** What the real control plane does is the expectation; here it is seen to be so. */
import { startControlPlane } from '../control-plane.ts';
import { controlPlaneOrSkip } from '../require.ts';
import { conform } from './conform.ts';
import type { Site } from './site.ts';

await conform('kube-apiserver', { open, skip: await controlPlaneOrSkip() });

async function open(): Promise<Site> {
  const plane = await startControlPlane({ nodes: 2 });
  const { url, kubeconfigPath } = plane;
  return {
    url,
    kubeconfigPath,
    patienceMs: 30_000,
    forget: () => compact(plane.etcdUrl),
    close: () => plane.stop(),
  };
}

/** As the API server itself does it every five minutes. */
async function compact(etcdUrl: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(new URL(path, etcdUrl), {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const key = base64('compact_rev_key');
  const { header } = (await ask('/v3/kv/range', { key })) as {
    readonly header: { readonly revision: string };
  };
  const { revision } = header;
  await ask('/v3/kv/compaction', { revision, physical: true });
  // By this key API servers tell each other; they drop what they keep of older versions.
  await ask('/v3/kv/put', { key, value: base64(revision) });
}
