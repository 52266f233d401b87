/** Paths of the API: `/apis/apps/v1/namespaces/shop/deployments/web/scale`. */
import type { Subresource } from './writing.ts';
import { noSuchPath } from './status-error.ts';

export interface RestPath {
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
  readonly subresource: Subresource;
}

const subresources: readonly string[] = ['status', 'scale', 'finalize'];
/** What may follow the name of a namespace without being a kind in it. */
const ofNamespaces: readonly string[] = ['status', 'finalize'];

const isSubresource = (text: string): text is Subresource => subresources.includes(text);

/**
 * Undefined where the path is of no resource: it is of a document then, or of nothing. Throws a
 * `StatusError` (404) for a subresource that no kind has.
 */
export function parsePath(path: string): RestPath | undefined {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1);
  if (group === undefined || version === undefined || rest.length === 0) return undefined;
  const [first = '', second, third = ''] = rest;
  const isWithin =
    first === 'namespaces' &&
    rest.length > 2 &&
    !(rest.length === 3 && ofNamespaces.includes(third));
  const namespace = isWithin ? second : undefined;
  const [plural = '', name, subresource = '', ...more] = isWithin ? rest.slice(2) : rest;
  if (plural === '' || more.length > 0) throw noSuchPath();
  if (subresource !== '' && !isSubresource(subresource)) throw noSuchPath();
  return { group, version, namespace, plural, name, subresource };
}
