/** Whether the tests that need a real control plane can run here. */
import type { Environment } from './binaries.ts';
import { buildBinaries, findBinaries } from './binaries.ts';

/**
 * `false` if they can, else the reason for which to skip them; pass it to node:test as `skip`.
 * Under `CI=true` nothing is skipped: what is missing is built, and this rejects if it cannot be.
 */
export async function controlPlaneOrSkip(
  environment: Environment = process.env,
): Promise<string | false> {
  const search = await findBinaries(environment);
  if (search.found) return false;
  if (environment['CI'] === 'true') {
    await buildBinaries((line) => process.stderr.write(`${line}\n`), environment);
    return false;
  }
  return `needs ${search.missing.join(', ')}: \`make cluster-build\` builds them once, in 5 minutes`;
}
