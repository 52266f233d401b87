/**
 * What a routing provider is: a pure translation between a split of traffic and the objects that a
 * mesh, ingress or gateway acts on. It calls nothing and keeps nothing; the controller looks the
 * objects up, compares, and writes what differs.
 *
 * To add a provider: one file beside `istio.ts`, one line in `registry.ts`, its abilities in
 * `api/providers.ts`, its rights in `manifests/rbac.yaml`, golden files under `test/golden/routing/`,
 * its CRDs under `test/crds/`. Step by step: `docs/add-a-provider.md`.
 */
import type { Canary } from '../api/canary.ts';
import type { KubeObject } from '../api/kubernetes.ts';
import type { Resource } from '../kube/resources.ts';

/** Shares of traffic in percent; they sum to 100. */
export interface Split {
  readonly primary: number;
  readonly canary: number;
  /** Requests to the primary are copied to the canary. */
  readonly mirrored: boolean;
}

/** Session cookies as `name=value`. */
export interface Cookies {
  /** Keeps its bearer on the canary. */
  readonly canary?: string;
  /** Keeps its bearer on the primary. */
  readonly primary?: string;
  /** Of a former run: browsers are told to drop it. */
  readonly previous?: string;
}

/** Where an object that a provider writes or reads is found. */
export interface RouteKey {
  readonly resource: Resource<KubeObject>;
  readonly name: string;
  /** The canary's where absent; only of what is read. */
  readonly namespace?: string;
}

export type Rendered =
  | { readonly ok: true; readonly objects: readonly RenderedRoute[] }
  /** The spec cannot be expressed; the text tells its author what to change. */
  | { readonly ok: false; readonly error: string };

export interface RenderedRoute {
  readonly resource: Resource<KubeObject>;
  /** Absent where the object is to be made. */
  readonly live?: KubeObject;
  /** Equal to `live` where nothing is to be done. */
  readonly wanted: KubeObject;
  /** Leads nobody anywhere by itself, and must be there before the pods of the primary start. */
  readonly beforePods?: true;
}

/** Finds a live object; of this canary's namespace unless the key names another. */
export type LiveRoutes = (key: RouteKey) => KubeObject | undefined;

/** What the mesh, ingress or gateway itself says of the routes as they stand. */
export type Confirmation =
  /** It has taken in what is written. */
  | { readonly state: 'confirmed' }
  /**
   * It has reported before, and not yet of what is written now; `why` says for what to wait. Absent
   * where there is nothing to say.
   */
  | { readonly state: 'pending'; readonly why?: string }
  /**
   * Nothing has ever been reported of `route` (its kind and name), and perhaps nobody is there who
   * would: waited for as long as `unreportedMs` of `controller/route-record.ts`, and not longer.
   */
  | { readonly state: 'unreported'; readonly route: string }
  /** It does not act on what is written; `message` names the route and has the gateway's words. */
  | { readonly state: 'refused'; readonly message: string };

export interface RoutingProvider {
  readonly name: string;
  /** The objects that a canary's routes consist of, in the order in which they are written. */
  routeKeys(canary: Canary): readonly RouteKey[];
  /** Objects of users that routes are made after: they are watched, and never written. */
  sourceKeys?(canary: Canary): readonly RouteKey[];
  /**
   * The objects for a split, on top of the live ones: fields, labels and annotations of others
   * survive. Equal input gives equal output, and what is stored of an output gives it again. An
   * object that is to be made has an owner reference; whoever makes it in another cluster than the
   * canary's takes that off.
   */
  render(canary: Canary, split: Split, cookies: Cookies, live: LiveRoutes): Rendered;
  /** The split that live objects express; undefined where they express none, or weights of 0. */
  read(canary: Canary, live: LiveRoutes): Split | undefined;
  /**
   * Whether the status of the live objects says that what is written is in effect. Absent where the
   * objects have no status that tells. Objects that are not there are `pending`.
   */
  confirm?(canary: Canary, live: LiveRoutes): Confirmation;
  /**
   * Objects that were somebody's before they were taken over, as they were then; and what no owner
   * reference removes, as it does no harm where it stays.
   */
  revert(canary: Canary, live: LiveRoutes): readonly RenderedRoute[];
}
