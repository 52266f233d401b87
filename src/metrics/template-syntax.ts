/**
 * The syntax of query templates: the part of Go's text/template that `spec/03`, 2.2 names. Parsing
 * gives a tree; nothing is ever compiled or evaluated as code.
 */

export type Node =
  | { readonly kind: 'Text'; readonly text: string }
  | { readonly kind: 'Print'; readonly pipe: Pipe }
  | {
      readonly kind: 'If' | 'With';
      readonly pipe: Pipe;
      readonly body: Nodes;
      readonly other: Nodes;
    }
  | { readonly kind: 'Range'; readonly pipe: Pipe; readonly body: Nodes; readonly other: Nodes };

export type Nodes = readonly Node[];

/** Commands, each fed with the result of the one before; the result may be kept in variables. */
export interface Pipe {
  readonly declares: readonly string[];
  readonly assigns?: string;
  readonly commands: readonly Command[];
}

/** A function or value, then arguments. */
export type Command = readonly Operand[];

export type Operand = (
  | { readonly kind: 'Literal'; readonly value: string | number | boolean | undefined }
  | { readonly kind: 'Function'; readonly name: string }
  | { readonly kind: 'Variable'; readonly name: string }
  | { readonly kind: 'Dot' }
  | { readonly kind: 'Pipe'; readonly pipe: Pipe }
) & {
  /** Keys looked up in the value: `variables.key`. */
  readonly path: readonly string[];
};

/** A template that cannot be read. The text is for its author. */
export class TemplateSyntaxError extends Error {}

/** Depth of blocks and parentheses: no query needs more, and recursion stays bounded. */
const depthMax = 32;

interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'field' | 'variable' | 'punctuation' | 'end';
  readonly text: string;
  readonly value?: string | number;
  readonly spaced: boolean;
  readonly line: number;
}

type Piece =
  { readonly text: string } | { readonly tokens: readonly Token[]; readonly line: number };

/** Throws a `TemplateSyntaxError` where the text is no template. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): Nodes {
  const reader = { pieces: split(source), position: 0, functions };
  const { nodes, ended } = parseNodes(reader, 0);
  if (ended !== undefined) fail(ended.line, `unexpected {{${ended.word}}}`);
  return nodes;
}

function fail(line: number, text: string): never {
  throw new TemplateSyntaxError(`template: tmpl:${line}: ${text}`);
}

/** Cuts the source into text and actions, and trims text where an action asks for it. */
function split(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  let trims = false;
  const addText = (text: string): void => {
    const kept = trims ? text.trimStart() : text;
    if (kept !== '') pieces.push({ text: kept });
  };
  for (;;) {
    const start = source.indexOf('{{', position);
    if (start === -1) break;
    const line = lineOf(source, start);
    const trimsLeft = /^\{\{-\s/.test(source.slice(start, start + 4));
    const before = source.slice(position, start);
    addText(trimsLeft ? before.trimEnd() : before);
    const action = readAction(source, start + (trimsLeft ? 3 : 2), line);
    trims = action.trimsRight;
    position = action.end;
    if (action.tokens.length > 0) pieces.push({ tokens: action.tokens, line });
  }
  addText(source.slice(position));
  return pieces;
}

const lineOf = (source: string, position: number): number =>
  source.slice(0, position).split('\n').length;

interface Action {
  readonly tokens: readonly Token[];
  readonly trimsRight: boolean;
  readonly end: number;
}

function readAction(source: string, from: number, line: number): Action {
  const comment = /^\s*\/\*[\s\S]*?\*\/(\s+-)?\s*\}\}/.exec(source.slice(from));
  if (comment !== null) {
    return { tokens: [], trimsRight: comment[1] !== undefined, end: from + comment[0].length };
  }
  const tokens: Token[] = [];
  let position = from;
  for (;;) {
    const blank = /^\s*/.exec(source.slice(position))?.[0] ?? '';
    const rest = source.slice(position + blank.length);
    const close = /^(-)?\}\}/.exec(rest);
    if (close !== null && (close[1] === undefined || blank !== '')) {
      const end = position + blank.length + close[0].length;
      if (tokens.length === 0) fail(line, 'missing value for command');
      return { tokens, trimsRight: close[1] !== undefined, end };
    }
    if (rest === '') fail(line, 'unclosed action');
    const token = readToken(rest, blank !== '' || tokens.length === 0, line);
    tokens.push(token);
    position += blank.length + token.text.length;
  }
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['string', /^"(?:[^"\\\n]|\\.)*"/],
  ['string', /^`[^`]*`/],
  ['number', /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/],
  ['variable', /^\$\w*/],
  ['field', /^\.\w+/],
  ['word', /^[A-Za-z_]\w*/],
  ['punctuation', /^(?::=|=|\||\(|\)|,|\.)/],
];

function readToken(rest: string, spaced: boolean, line: number): Token {
  for (const [kind, pattern] of patterns) {
    const text = pattern.exec(rest)?.[0];
    if (text === undefined) continue;
    const token = { kind, text, spaced, line };
    if (kind === 'number') return { ...token, value: Number(text) };
    if (kind === 'string') return { ...token, value: unquote(text, line) };
    return token;
  }
  const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  const code = (rest.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return fail(line, `bad character U+${code} '${character}'`);
}

function unquote(text: string, line: number): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return fail(line, `malformed string constant ${text}`);
  }
}

interface PieceReader {
  readonly pieces: readonly Piece[];
  position: number;
  readonly functions: ReadonlySet<string>;
}

interface Ended {
  readonly word: 'end' | 'else';
  readonly tokens: readonly Token[];
  readonly line: number;
}

/** Nodes up to the end of the text, or to an `end` or `else` that belongs to the caller. */
function parseNodes(reader: PieceReader, depth: number): { nodes: Node[]; ended?: Ended } {
  const nodes: Node[] = [];
  while (reader.position < reader.pieces.length) {
    const piece = reader.pieces[reader.position];
    reader.position += 1;
    if (piece === undefined) break;
    if ('text' in piece) {
      nodes.push({ kind: 'Text', text: piece.text });
      continue;
    }
    const { tokens, line } = piece;
    const word = tokens[0]?.kind === 'word' ? tokens[0].text : '';
    if (word === 'end' || word === 'else') {
      return { nodes, ended: { word, tokens: tokens.slice(1), line } };
    }
    const block = blockKinds[word];
    if (block === undefined) nodes.push({ kind: 'Print', pipe: parsePipe(tokens, reader, depth) });
    else nodes.push(parseBlock(block, tokens.slice(1), line, reader, depth + 1));
  }
  return { nodes };
}

const blockKinds: Readonly<Record<string, 'If' | 'With' | 'Range'>> = {
  if: 'If',
  with: 'With',
  range: 'Range',
};

function parseBlock(
  kind: 'If' | 'With' | 'Range',
  tokens: readonly Token[],
  line: number,
  reader: PieceReader,
  depth: number,
): Node {
  if (depth > depthMax) fail(line, 'blocks are nested too deep');
  const pipe = parsePipe(tokens, reader, depth);
  const { nodes: body, ended } = parseNodes(reader, depth);
  if (ended === undefined) return fail(line, 'unexpected EOF');
  if (ended.word === 'end') return { kind, pipe, body, other: [] };
  const [first, ...rest] = ended.tokens;
  const chained = first === undefined ? undefined : blockKinds[first.text];
  if (chained !== undefined) {
    return { kind, pipe, body, other: [parseBlock(chained, rest, ended.line, reader, depth + 1)] };
  }
  const { nodes: other, ended: last } = parseNodes(reader, depth);
  if (last?.word !== 'end') return fail(line, 'unexpected EOF');
  return { kind, pipe, body, other };
}

interface TokenReader {
  readonly tokens: readonly Token[];
  position: number;
  readonly functions: ReadonlySet<string>;
  depth: number;
}

function parsePipe(tokens: readonly Token[], { functions }: PieceReader, depth: number): Pipe {
  const reader: TokenReader = { tokens, position: 0, functions, depth };
  const pipe = readPipe(reader);
  const left = tokens[reader.position];
  if (left !== undefined) fail(left.line, `unexpected "${left.text}" in operand`);
  return pipe;
}

function readPipe(reader: TokenReader): Pipe {
  const { tokens } = reader;
  const line = tokens[0]?.line ?? 1;
  const declares: string[] = [];
  let assigns: string | undefined;
  const [first, second, third, fourth] = tokens.slice(reader.position);
  if (first?.kind === 'variable' && second?.text === ':=') {
    declares.push(first.text);
    reader.position += 2;
  } else if (first?.kind === 'variable' && second?.text === '=') {
    assigns = first.text;
    reader.position += 2;
  } else if (first?.kind === 'variable' && second?.text === ',' && fourth?.text === ':=') {
    declares.push(first.text, third?.text ?? '');
    reader.position += 4;
  }
  const commands: Command[] = [];
  do {
    const command = readCommand(reader);
    if (command.length === 0) fail(line, 'missing value for command');
    commands.push(command);
  } while (take(reader, '|'));
  return { declares, ...(assigns === undefined ? {} : { assigns }), commands };
}

function take(reader: TokenReader, text: string): boolean {
  const token = reader.tokens[reader.position];
  if (token?.kind !== 'punctuation' || token.text !== text) return false;
  reader.position += 1;
  return true;
}

function readCommand(reader: TokenReader): Command {
  const operands: Operand[] = [];
  for (;;) {
    const operand = readOperand(reader);
    if (operand === undefined) return operands;
    operands.push(operand);
  }
}

const constants: ReadonlyMap<string, boolean | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['nil', undefined],
]);

function readOperand(reader: TokenReader): Operand | undefined {
  const token = reader.tokens[reader.position];
  if (token === undefined || token.text === '|' || token.text === ')') return undefined;
  reader.position += 1;
  if (token.text === '(') {
    reader.depth += 1;
    if (reader.depth > depthMax) fail(token.line, 'parentheses are nested too deep');
    const pipe = readPipe(reader);
    if (!take(reader, ')')) fail(token.line, 'unclosed left paren');
    return { kind: 'Pipe', pipe, path: readPath(reader) };
  }
  if (token.kind === 'number' || token.kind === 'string') {
    return { kind: 'Literal', value: token.value, path: [] };
  }
  if (token.kind === 'variable')
    return { kind: 'Variable', name: token.text, path: readPath(reader) };
  if (token.kind === 'field') {
    return { kind: 'Dot', path: [token.text.slice(1), ...readPath(reader)] };
  }
  if (token.text === '.') return { kind: 'Dot', path: [] };
  if (token.kind !== 'word') return fail(token.line, `unexpected "${token.text}" in operand`);
  if (constants.has(token.text)) {
    return { kind: 'Literal', value: constants.get(token.text), path: [] };
  }
  if (!reader.functions.has(token.text)) {
    return fail(token.line, `function "${token.text}" not defined`);
  }
  return { kind: 'Function', name: token.text, path: readPath(reader) };
}

/** Fields that follow without a space. */
function readPath(reader: TokenReader): readonly string[] {
  const path: string[] = [];
  for (;;) {
    const token = reader.tokens[reader.position];
    if (token?.kind !== 'field' || token.spaced) return path;
    reader.position += 1;
    path.push(token.text.slice(1));
  }
}
