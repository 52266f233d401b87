/**
 * Where the programs of the control plane are. Taken from `KUBEBUILDER_ASSETS` where that directory
 * has them, else from the cache, into which `buildBinaries` puts what it builds from Go modules.
 * Nothing of the sort is taken from PATH: what is found there may be of any version, or a wrapper.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  access,
  chmod,
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';

export type BinaryName =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'kwok';

/** Absolute path of each. */
export type Paths<Name extends string> = Readonly<Record<Name, string>>;
export type Binaries = Paths<BinaryName>;

export type Environment = Readonly<Record<string, string | undefined>>;

export type Search<Name extends string = BinaryName> =
  | { readonly found: true; readonly binaries: Paths<Name> }
  | { readonly found: false; readonly missing: readonly Name[] };

/** What is built from one go.mod. A change of any field is a change of what is built. */
export interface GoModule<Name extends string> {
  /** Folder of its go.mod in `build/`. */
  readonly name: string;
  readonly packages: Readonly<Partial<Record<Name, string>>>;
  readonly linkerFlags: string;
  /** Files to keep beside the programs, from the source of a module that go.sum vouches for. */
  readonly files?: Readonly<
    Partial<Record<Name, { readonly module: string; readonly path: string }>>
  >;
}

// Without these, the API server calls itself v0.0.0 and clients misread what it can do.
const kubernetesVersion = 'k8s.io/component-base/version';

const controlPlane: readonly GoModule<BinaryName>[] = [
  {
    name: 'kubernetes',
    packages: {
      'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
      'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
      'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
      kubectl: 'k8s.io/kubernetes/cmd/kubectl',
      etcd: 'go.etcd.io/etcd/server/v3',
    },
    linkerFlags: [
      '-s -w',
      `-X ${kubernetesVersion}.gitVersion=v1.36.3`,
      `-X ${kubernetesVersion}.gitMajor=1`,
      `-X ${kubernetesVersion}.gitMinor=36`,
    ].join(' '),
  },
  { name: 'kwok', packages: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' }, linkerFlags: '-s -w' },
];

/** `AVIARY_CACHE`, or `aviary` in the user's cache directory. Never inside of the repository. */
export function cacheDirectory(environment: Environment = process.env): string {
  const { AVIARY_CACHE: own, XDG_CACHE_HOME: xdg } = environment;
  if (own !== undefined && own !== '') return own;
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.cache') : xdg, 'aviary');
}

/** Looks for the programs of the control plane; builds nothing. */
export const findBinaries = (environment: Environment = process.env): Promise<Search> =>
  findBuilt(controlPlane, environment);

/** Builds what is missing of the control plane: see `buildMissing`. */
export const buildBinaries = (
  report: (line: string) => void,
  environment: Environment = process.env,
): Promise<Binaries> => buildMissing(controlPlane, report, environment);

/** Looks for all that `modules` name; builds nothing. */
export async function findBuilt<Name extends string>(
  modules: readonly GoModule<Name>[],
  environment: Environment = process.env,
): Promise<Search<Name>> {
  const assets = environment['KUBEBUILDER_ASSETS'] ?? '';
  const paths: Partial<Record<Name, string>> = {};
  const missing: Name[] = [];
  for (const module of modules) {
    const built = await builtDirectory(module, environment);
    for (const name of namesIn(module)) {
      const candidates = [...(assets === '' ? [] : [join(assets, name)]), join(built, name)];
      const mode = module.files?.[name] === undefined ? constants.X_OK : constants.R_OK;
      const path = await firstUsable(candidates, mode);
      if (path === undefined) missing.push(name);
      else paths[name] = path;
    }
  }
  return missing.length === 0
    ? { found: true, binaries: paths as Paths<Name> }
    : { found: false, missing };
}

/**
 * Builds what is missing, from Go modules. Takes minutes the first time and is safe to run several
 * times at once: others wait, and what they find is either whole or not there.
 * Rejects with one line if there is no Go toolchain or a build fails; the build's own output goes to `report`.
 */
export async function buildMissing<Name extends string>(
  modules: readonly GoModule<Name>[],
  report: (line: string) => void,
  environment: Environment = process.env,
): Promise<Paths<Name>> {
  const cache = join(cacheDirectory(environment), 'bin');
  await mkdir(cache, { recursive: true });
  await withLock(join(cache, 'build.lock'), async () => {
    const search = await findBuilt(modules, environment);
    if (search.found) return;
    await requireGo(environment);
    await removeUnfinished(cache);
    for (const module of modules) {
      const wanted = namesIn(module).filter((name) => search.missing.includes(name));
      if (wanted.length > 0) await buildModule(module, environment, report);
    }
  });
  const search = await findBuilt(modules, environment);
  if (!search.found) throw new Error(`not there after the build: ${search.missing.join(', ')}`);
  return search.binaries;
}

async function buildModule<Name extends string>(
  module: GoModule<Name>,
  environment: Environment,
  report: (line: string) => void,
): Promise<void> {
  const target = await builtDirectory(module, environment);
  const unfinished = await mkdtemp(`${target}.unfinished-`);
  try {
    for (const [name, path] of Object.entries<string | undefined>(module.packages)) {
      if (path === undefined) continue;
      report(`building ${name}`);
      const flags = ['-trimpath', '-buildvcs=false', '-mod=readonly'];
      const output = ['-ldflags', module.linkerFlags, '-o', join(unfinished, name)];
      await go(['build', ...flags, ...output, path], sourceDirectory(module), environment, report);
    }
    await copyFiles(module, unfinished, environment);
    await rename(unfinished, target);
  } catch (cause) {
    throw new Error(`build ${module.name}`, { cause });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function copyFiles<Name extends string>(
  module: GoModule<Name>,
  target: string,
  environment: Environment,
): Promise<void> {
  for (const name of Object.keys(module.files ?? {}) as Name[]) {
    const file = module.files?.[name];
    if (file === undefined) continue;
    const args = ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', file.module];
    const source = await go(args, sourceDirectory(module), environment, () => undefined);
    await copyFile(join(source.trim(), file.path), join(target, name));
    // The module cache is read-only.
    await chmod(join(target, name), 0o644);
  }
}

/** What builds that were killed have left behind. */
async function removeUnfinished(cache: string): Promise<void> {
  const leftovers = (await readdir(cache)).filter((name) => name.includes('.unfinished-'));
  for (const name of leftovers) await rm(join(cache, name), { recursive: true, force: true });
}

async function requireGo(environment: Environment): Promise<void> {
  try {
    await go(['version'], import.meta.dirname, environment, () => undefined);
  } catch (cause) {
    throw new Error(
      'the control plane for tests is built from Go modules: install Go 1.26 or later (https://go.dev/dl), ' +
        'or set KUBEBUILDER_ASSETS to a directory that has its programs',
      { cause },
    );
  }
}

/** Answers what it wrote to stdout. */
async function go(
  args: readonly string[],
  directory: string,
  environment: Environment,
  report: (line: string) => void,
): Promise<string> {
  const child = spawn('go', args, {
    cwd: directory,
    env: { ...environment, GOWORK: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => report(text.trimEnd()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`go ${args.join(' ')} ended with code ${code}`);
  return stdout;
}

/** The name changes with whatever the programs are built from, so nothing in it is ever stale. */
async function builtDirectory<Name extends string>(
  module: GoModule<Name>,
  environment: Environment,
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(module));
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(await readFile(join(sourceDirectory(module), file)));
  }
  const version = hash.digest('hex').slice(0, 12);
  return join(cacheDirectory(environment), 'bin', `${module.name}-${version}`);
}

const sourceDirectory = ({ name }: { readonly name: string }): string =>
  join(import.meta.dirname, 'build', name);

const namesIn = <Name extends string>({ packages, files }: GoModule<Name>): readonly Name[] =>
  Object.keys({ ...packages, ...files }) as Name[];

async function firstUsable(paths: readonly string[], mode: number): Promise<string | undefined> {
  for (const path of paths) {
    const usable = await access(path, mode).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}
