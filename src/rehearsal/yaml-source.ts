/**
 * YAML as people write it: documents with the lines on which their fields stand, so that what is
 * wrong with one can be shown where it is.
 */
import { isMap, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node, ParsedNode } from 'yaml';

export type FieldPath = readonly (string | number)[];

export interface SourceDocument {
  /** As messages name it: a path, or `<stdin>`. */
  readonly file: string;
  readonly value: unknown;
  /** The line of a field; of one that is not there, that of what should hold it. From 1. */
  lineOf(path: FieldPath): number;
}

export interface Problem {
  readonly file: string;
  /** From 1; absent where the whole file is meant. */
  readonly line?: number;
  /** As `kubectl explain` writes it, with indices; '' is the whole document. */
  readonly path: string;
  readonly message: string;
}

export type ParsedSource =
  | { readonly ok: true; readonly documents: readonly SourceDocument[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** JSON is YAML. Documents without content are left out. */
export function parseSource(file: string, text: string): ParsedSource {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = [...parsed];
  const problems = documents.flatMap(({ errors }) =>
    errors.map(({ message, pos }) => ({
      file,
      line: lines.linePos(pos[0]).line,
      path: '',
      message,
    })),
  );
  if (problems.length > 0) return { ok: false, problems };
  return readDocuments(file, documents, lines);
}

function readDocuments(
  file: string,
  documents: readonly Document.Parsed[],
  lines: LineCounter,
): ParsedSource {
  const found: SourceDocument[] = [];
  for (const document of documents) {
    let value: unknown;
    try {
      value = document.toJS();
    } catch (error) {
      // Aliases that multiply without end.
      const message = error instanceof Error ? error.message : 'cannot be read';
      return { ok: false, problems: [{ file, path: '', message }] };
    }
    if (value === null || value === undefined) continue;
    found.push({ file, value, lineOf: (path) => lineOf(document, lines, path) });
  }
  return { ok: true, documents: found };
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: FieldPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return lines.linePos(document.contents?.range[0] ?? 0).line;
}

/** Where the key stands, or, of an item of a list, the item. */
function offsetOf(document: Document.Parsed, path: FieldPath): number | undefined {
  const parent = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => String(key) === String(last));
    return (pair?.key as ParsedNode | undefined)?.range[0];
  }
  const node = document.getIn(path, true) as Node | undefined;
  return node?.range?.[0];
}

/** `analysis.metrics[0].name`, as messages write paths. */
export function showPath(path: FieldPath): string {
  return path.reduce<string>((shown, part) => {
    if (typeof part === 'number') return `${shown}[${part}]`;
    const name = /^[A-Za-z_][\w-]*$/.test(part) ? part : `[${JSON.stringify(part)}]`;
    return shown === '' || name.startsWith('[') ? `${shown}${name}` : `${shown}.${name}`;
  }, '');
}

/** The reverse, for paths that validation wrote. */
export function readPath(path: string): FieldPath {
  return [...path.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  );
}

/** `canary.yaml:12: spec.analysis.interval: is no duration`. */
export function showProblem({ file, line, path, message }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}
