/** The real control plane, whose answers are the expectation. */
import type { ControlPlane, ControlPlaneOptions } from '../control-plane.ts';
import { startControlPlane } from '../control-plane.ts';
import type { Site } from './site.ts';

export interface RealSite extends Site {
  readonly plane: ControlPlane;
}

export async function openRealSite(options: ControlPlaneOptions): Promise<RealSite> {
  const plane = await startControlPlane(options);
  const { url, kubeconfigPath } = plane;
  return {
    url,
    kubeconfigPath,
    plane,
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
    const text = await answer.text();
    // Somebody else, or the API server itself, forgot as much.
    if (text.includes('has been compacted')) return {};
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as unknown;
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
