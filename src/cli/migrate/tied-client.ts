/**
 * A client with its hands tied: it reads, and what it is told to write it only notes. Each write is
 * answered as the API server would answer it, so that whoever writes goes on, and sees what it wrote.
 */
import type { Json, KubeObject, NamespacedName } from '../../api/kubernetes.ts';
import type { KubeClient, Patch } from '../../kube/client.ts';
import { applyMergePatch } from '../../kube/merge-patch.ts';
import type { Resource } from '../../kube/resources.ts';
import { pathOf } from '../../kube/resources.ts';

/** Something that would have been written. */
export interface Write {
  readonly resource: Resource<KubeObject>;
  readonly namespace: string;
  readonly name: string;
  /** Absent where it would be made. */
  readonly before?: KubeObject;
  readonly after: KubeObject;
}

/** Longer, and so greater, than any version of a server. */
const firstVersion = 10n ** 30n;

export function createTiedClient(
  kube: Pick<KubeClient, 'get' | 'list' | 'watch' | 'close'>,
  noted: (write: Write) => void,
): KubeClient {
  const written = new Map<string, KubeObject>();
  let version = firstVersion;

  const answer = <T extends KubeObject>(resource: Resource<T>, after: T, before?: T): T => {
    version += 1n;
    const metadata = { uid: `not-made-${version}`, generation: 1, ...after.metadata };
    const stored = { ...after, metadata: { ...metadata, resourceVersion: String(version) } };
    const { namespace = '', name } = stored.metadata;
    written.set(pathOf(resource, { namespace, name }), stored);
    noted({ resource, namespace, name, ...(before && { before }), after: stored });
    return stored;
  };

  return {
    get: async (resource, key, options) => {
      const known = written.get(pathOf(resource, key));
      return known === undefined ? kube.get(resource, key, options) : (known as never);
    },
    list: (resource, options) => kube.list(resource, options),
    watch: (resource, options) => kube.watch(resource, options),
    create: async (resource, object) => answer(resource, object),
    patch: async <T extends KubeObject>(
      resource: Resource<T>,
      key: NamespacedName,
      patch: Patch,
      { signal }: { readonly signal: AbortSignal },
    ) => {
      const known = written.get(pathOf(resource, key));
      const before = (known as T | undefined) ?? (await kube.get(resource, key, { signal }));
      return answer(resource, patched(before, patch), before);
    },
    delete: async () => undefined,
    close: () => kube.close(),
  };
}

/** As far as the controller patches: RFC 7386, and JSON Patch of contents that nobody compares. */
function patched<T extends KubeObject>(before: T, { type, body }: Patch): T {
  if (type !== 'merge') return before;
  const after = applyMergePatch(before as unknown as Json, body as Json);
  return after as unknown as T;
}
