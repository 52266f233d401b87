/** Free ports on loopback, below those that the kernel gives to outgoing connections. */
import { createServer } from 'node:net';

const portMin = 20_000;
const portMax = 32_000;
const triesMax = 200;

/** As many different ports as asked for, free when this returns. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries === triesMax) throw new Error(`no ${count} free ports in ${triesMax} tries`);
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
