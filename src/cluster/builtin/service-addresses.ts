/**
 * Which address a Service gets: one after the other, so that a run can be repeated. Nothing is
 * given twice until all were given once.
 */
export interface ServiceAddresses {
  /** Of 10.96.0.0/12; the wanted one, where there is one. */
  clusterIp(wanted: string | undefined): string;
  /** 30000 to 32767. */
  nodePort(wanted: number | undefined): number;
}

/** 10.96.0.1 is the API server's own. */
const firstHost = 2;
const hostsMax = 2 ** 20 - 1;
const nodePortMin = 30_000;
const nodePortMax = 32_767;

export function createServiceAddresses(): ServiceAddresses {
  const wantedAddresses = new Set<string>();
  let host = firstHost;
  let port = nodePortMin;
  const next = (): string => {
    const found = addressOf(host);
    host = host + 1 >= hostsMax ? firstHost : host + 1;
    return found;
  };
  return {
    clusterIp: (wanted) => {
      if (wanted !== undefined) {
        wantedAddresses.add(wanted);
        return wanted;
      }
      let found = next();
      for (let tries = 0; wantedAddresses.has(found) && tries < hostsMax; tries += 1)
        found = next();
      return found;
    },
    nodePort: (wanted) => {
      if (wanted !== undefined) return wanted;
      const found = port;
      port = port === nodePortMax ? nodePortMin : port + 1;
      return found;
    },
  };
}

const addressOf = (host: number): string =>
  `10.${96 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
