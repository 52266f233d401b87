/** Whether the tests that need a real control plane can run here. */
import { buildBinaries, findBinaries } from './binaries.ts';

/**
 * `false` if they can, else the reason for which to skip them; pass it to node:test as `skip`.
 * Under `CI=true` nothing is skipped: what is missing is built, and this rejects if it cannot be.
 */
export async function controlPlaneOrSkip(): Promise<string | false> {
  const search = await findBinaries();
  if (search.found) return false;
  if (process.env['CI'] === 'true') {
    await buildBinaries((line) => process.stderr.write(`${line}\n`));
    return false;
  }
  return `needs ${search.missing.join(', ')}: \`make cluster-build\` builds them once, in about 6 minutes`;
}
