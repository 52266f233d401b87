/**
 * The golden files of a routing provider: what `kubectl get` shows for a canary and a split.
 * The first document says what is given, the others are the objects in the order of their writing.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import type { Canary, CanaryAnalysis, CanaryService, CanarySpec } from '../../src/api/canary.ts';
import type { KubeObject, StringMap } from '../../src/api/kubernetes.ts';
import type { Cookies, RoutingProvider, Split } from '../../src/routing/provider.ts';
import { allProviders } from '../../src/routing/registry.ts';
import { canaryOf } from './canaries.ts';

export interface GoldenCase {
  readonly name: string;
  readonly canary: Canary;
  readonly split: Split;
  readonly cookies: Cookies;
  readonly live: readonly KubeObject[];
  readonly expected: readonly KubeObject[];
  /** Keeps the given part as it is written, comments included. */
  rewrite(objects: readonly KubeObject[]): void;
}

interface Given {
  /** Of the Canary. */
  readonly annotations?: StringMap;
  readonly service: CanaryService;
  readonly analysis: CanaryAnalysis;
  /** Fields of the spec beside those. */
  readonly spec?: Partial<CanarySpec>;
  readonly split: Split;
  readonly cookies?: Cookies;
  readonly live?: readonly KubeObject[];
}

const separator = '\n---\n';
/** As prettier has it, so that a rewritten file passes the check of formats. */
const style = { singleQuote: true, lineWidth: 0, aliasDuplicateObjects: false } as const;

export const goldenDirectory = join(import.meta.dirname, '../golden/routing');

/** Providers that have golden files; in a directory's name a hyphen stands for a colon. */
export function goldenProviders(): readonly RoutingProvider[] {
  const directories = readdirSync(goldenDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const providers = allProviders().filter(({ name }) => directories.includes(directoryOf(name)));
  assert.equal(providers.length, directories.length, 'a directory is named after no provider');
  return providers;
}

const directoryOf = (provider: string): string => provider.replaceAll(':', '-');

export function goldenCases(provider: string): readonly GoldenCase[] {
  const directory = join(goldenDirectory, directoryOf(provider));
  const files = readdirSync(directory).filter((file) => file.endsWith('.yaml'));
  assert.ok(files.length > 0, `no golden files in ${directory}`);
  return files.toSorted().map((file) => goldenCase(join(directory, file)));
}

function goldenCase(path: string): GoldenCase {
  const text = readFileSync(path, 'utf8');
  const end = text.indexOf(separator);
  const given = parse(text.slice(0, end)) as Given;
  const documents = parseAllDocuments(text.slice(end));
  return {
    name: basename(path, '.yaml'),
    canary: canaryFrom(given),
    split: given.split,
    cookies: given.cookies ?? {},
    live: given.live ?? [],
    expected: documents.map((document) => document.toJS() as KubeObject),
    rewrite: (objects) => {
      const parts = [
        text.slice(0, end),
        ...objects.map((object) => stringify(object, style).trimEnd()),
      ];
      writeFileSync(path, `${parts.join(separator)}\n`);
    },
  };
}

function canaryFrom({ service, analysis, spec, annotations }: Given): Canary {
  const canary = canaryOf(service, analysis);
  return {
    ...canary,
    metadata: { ...canary.metadata, ...(annotations !== undefined && { annotations }) },
    spec: { ...canary.spec, ...spec },
  };
}
