/**
 * Connections to the endpoints of users: through the proxies that the environment names
 * (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in either case) or the caller does, verified or not. What
 * is on this machine is never sought through a proxy of the environment, as in Go's programs.
 */
import { EnvHttpProxyAgent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { HopelessCall } from './hopeless-call.ts';

export interface ConnectionOptions {
  readonly insecureSkipVerify?: boolean;
  /** In place of those of the environment; none where empty. */
  readonly proxy?: string | undefined;
}

export interface Connections {
  /** @throws HopelessCall where the proxy has no valid URL. */
  to(options: ConnectionOptions): Dispatcher;
  /** Drops what is kept. Calls under way fail. */
  close(): Promise<void>;
}

export interface KeepOptions {
  /**
   * Connections to one host that are kept for the next call; more calls wait in line. Where absent,
   * none is: each call has its own, and none can meet one that the other side has just closed.
   */
  readonly kept?: number;
}

/** Under the idle timeouts of servers and proxies, which begin at a minute. */
const idleMs = 30_000;
/** Proxies for which connections are held, and those of the environment. */
const dispatchersMax = 32;
const ownHosts = 'localhost,127.0.0.1,[::1]';

export function createConnections({ kept }: KeepOptions = {}): Connections {
  const pool =
    kept === undefined ? { pipelining: 0 } : { connections: kept, keepAliveTimeout: idleMs };
  const noProxy = [process.env['no_proxy'] ?? process.env['NO_PROXY'], ownHosts];
  // Made when they are first needed: most processes call few, and tests none.
  const known = new Map<string, Dispatcher>();
  const made = (proxy: string, isVerified: boolean): Dispatcher => {
    const options = { ...pool, ...timeless(isVerified) };
    if (proxy === '') {
      return new EnvHttpProxyAgent({ ...options, noProxy: noProxy.filter(Boolean).join(',') });
    }
    if (!URL.canParse(proxy)) throw new HopelessCall('the proxy has no valid URL');
    return new ProxyAgent({ ...options, uri: proxy });
  };
  return {
    to: ({ insecureSkipVerify = false, proxy = '' }) => {
      const key = `${insecureSkipVerify} ${proxy}`;
      const dispatcher = known.get(key) ?? made(proxy, !insecureSkipVerify);
      known.delete(key);
      known.set(key, dispatcher);
      dropOldest(known);
      return dispatcher;
    },
    close: async () => {
      await Promise.all([...known.values()].map((it) => it.destroy()));
    },
  };
}

/** What was not used for longest; its calls under way go on. */
function dropOldest(known: Map<string, Dispatcher>): void {
  const [[key, dispatcher] = []] = known;
  if (known.size <= dispatchersMax || key === undefined) return;
  known.delete(key);
  void dispatcher?.close();
}

/** How long anything may take is the caller's deadline. */
const timeless = (rejectUnauthorized: boolean) => ({
  headersTimeout: 0,
  bodyTimeout: 0,
  connect: { timeout: 0, rejectUnauthorized },
  requestTls: { timeout: 0, rejectUnauthorized },
  // A tunnel for what is encrypted only: proxies refuse one to port 80.
  proxyTunnel: false,
});
