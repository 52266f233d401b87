/**
 * The syntax of query templates: Go's text/template without templates that call each other. Parsing
 * gives a tree; nothing is ever compiled or evaluated as code. Error texts are Go's.
 */
import { tokenize } from './template-tokens.ts';
import type { Token } from './template-tokens.ts';

export type Node =
  | { readonly kind: 'Text'; readonly text: string }
  | { readonly kind: 'Print'; readonly pipe: Pipe }
  | { readonly kind: BlockKind; readonly pipe: Pipe; readonly body: Nodes; readonly other: Nodes }
  | { readonly kind: 'Break' | 'Continue' };

export type Nodes = readonly Node[];
type BlockKind = 'If' | 'With' | 'Range';

/** Commands, each fed with the result of the one before; the result may be kept in variables. */
export interface Pipe {
  /** Names, with their dollar. A range may have two. */
  readonly variables: readonly string[];
  /** Whether the variables are there already. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A function or value, then arguments. Never empty. */
export type Command = readonly Operand[];

export type Operand = (
  | { readonly kind: 'Literal'; readonly value: string | bigint | number | boolean }
  | { readonly kind: 'Nil' | 'Dot' }
  | { readonly kind: 'Function' | 'Variable'; readonly name: string }
  | { readonly kind: 'Pipe'; readonly pipe: Pipe }
) & {
  /** Keys looked up in the value: `variables.key`. */
  readonly path: readonly string[];
  /** As errors quote it. */
  readonly text: string;
  /** Where errors point to, in UTF-16 units from the beginning of the source. */
  readonly at: number;
};

/** A template that cannot be read. The text is for its author. */
export class TemplateSyntaxError extends Error {}

/** Depth of blocks and parentheses: no query needs more, and recursion stays bounded. */
const depthMax = 100;

interface Parser {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly functions: ReadonlySet<string>;
  position: number;
  depth: number;
  /** Ranges around this place. */
  ranges: number;
  /** Variables that are known here, inner ones last. */
  variables: string[];
}

/** What ends a list of nodes: `{{end}}`, or `{{else` with what follows it. */
type Ending = 'end' | 'else';

/** Throws a `TemplateSyntaxError` where the text is no template. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): Nodes {
  const parser: Parser = {
    source,
    tokens: tokenize(source),
    functions,
    position: 0,
    depth: 0,
    ranges: 0,
    variables: ['$'],
  };
  const { nodes, ending } = parseNodes(parser);
  return ending === undefined ? nodes : fail(parser, `unexpected {{${ending}}}`);
}

function fail({ tokens, position }: Parser, text: string): never {
  const line = tokens[Math.max(0, position - 1)]?.line ?? 1;
  throw new TemplateSyntaxError(`template: tmpl:${line}: ${text}`);
}

const keywords: ReadonlySet<string> = new Set(
  'block break continue define else end if nil range template with'.split(' '),
);

/** Fails at a token that cannot stand where it does. */
function unexpected(parser: Parser, token: Token, context: string): never {
  parser.position = parser.tokens.indexOf(token) + 1;
  if (token.kind === 'unreadable') fail(parser, token.text);
  return fail(parser, `unexpected ${describe(token)} in ${context}`);
}

function describe({ kind, text }: Token): string {
  if (kind === 'end') return 'EOF';
  if (text === '.' || (kind === 'word' && keywords.has(text))) return `<${text}>`;
  return text.length > 10 ? `${JSON.stringify(text.slice(0, 10))}...` : JSON.stringify(text);
}

function peek({ tokens, position }: Parser): Token {
  // The last token is there however often it is asked for.
  return tokens[position] ?? tokens.at(-1) ?? { kind: 'end', text: '', at: 0, line: 1 };
}

function next(parser: Parser): Token {
  const token = peek(parser);
  parser.position += 1;
  return token;
}

function skipSpace(parser: Parser): void {
  while (peek(parser).kind === 'space') parser.position += 1;
}

function nextAfterSpace(parser: Parser): Token {
  skipSpace(parser);
  return next(parser);
}

function peekAfterSpace(parser: Parser): Token {
  skipSpace(parser);
  return peek(parser);
}

/** Nodes up to the end of the source, or to an ending that belongs to the caller. */
function parseNodes(parser: Parser): { readonly nodes: Nodes; readonly ending?: Ending } {
  const nodes: Node[] = [];
  for (;;) {
    const token = next(parser);
    if (token.kind === 'end') return { nodes };
    if (token.kind === 'text') {
      nodes.push({ kind: 'Text', text: String(token.value) });
      continue;
    }
    if (token.kind !== 'left delimiter') return unexpected(parser, token, 'input');
    const found = parseAction(parser);
    if (typeof found === 'string') return { nodes, ending: found };
    nodes.push(found);
  }
}

function parseAction(parser: Parser): Node | Ending {
  const first = peekAfterSpace(parser);
  const word = first.kind === 'word' ? first.text : '';
  const block = blockKinds.get(word);
  if (block !== undefined) {
    next(parser);
    return parseBlock(parser, block, word);
  }
  switch (word) {
    case 'end':
      next(parser);
      closeAction(parser, 'end');
      return 'end';
    case 'else': {
      next(parser);
      const chained = peekAfterSpace(parser);
      // What is chained is read by the block that it continues.
      if (chained.text !== 'if' && chained.text !== 'with') closeAction(parser, 'else');
      return 'else';
    }
    case 'break':
    case 'continue':
      next(parser);
      closeAction(parser, `{{${word}}}`);
      if (parser.ranges === 0) fail(parser, `{{${word}}} outside {{range}}`);
      return { kind: word === 'break' ? 'Break' : 'Continue' };
    case 'define':
    case 'template':
    case 'block':
      next(parser);
      return fail(parser, `{{${word}}} is not supported in a query`);
    default:
      return { kind: 'Print', pipe: parsePipe(parser, 'command', '}}') };
  }
}

const blockKinds: ReadonlyMap<string, BlockKind> = new Map([
  ['if', 'If'],
  ['with', 'With'],
  ['range', 'Range'],
]);

function closeAction(parser: Parser, context: string): void {
  const token = nextAfterSpace(parser);
  if (token.kind !== 'right delimiter') unexpected(parser, token, context);
}

/** A block from its pipe to its `{{end}}`. Variables that it declares end with it. */
function parseBlock(parser: Parser, kind: BlockKind, word: string): Node {
  enter(parser);
  const outer = parser.variables;
  parser.variables = [...outer];
  const pipe = parsePipe(parser, word, '}}');
  parser.ranges += kind === 'Range' ? 1 : 0;
  const { nodes: body, ending } = parseNodes(parser);
  parser.ranges -= kind === 'Range' ? 1 : 0;
  if (ending === undefined) fail(parser, 'unexpected EOF');
  const other = ending === 'else' ? parseOther(parser, kind, word) : [];
  parser.variables = outer;
  parser.depth -= 1;
  return { kind, pipe, body, other };
}

function parseOther(parser: Parser, kind: BlockKind, word: string): Nodes {
  const chained = peekAfterSpace(parser);
  if (chained.kind === 'word' && (chained.text === 'if' || chained.text === 'with')) {
    // `else if` continues an `if`, `else with` a `with`; both share one `{{end}}`.
    if (chained.text !== word) unexpected(parser, chained, 'input');
    next(parser);
    return [parseBlock(parser, kind, word)];
  }
  const { nodes, ending } = parseNodes(parser);
  if (ending === undefined) fail(parser, 'unexpected EOF');
  return ending === 'end' ? nodes : fail(parser, 'expected end; found {{else}}');
}

function enter(parser: Parser): void {
  parser.depth += 1;
  if (parser.depth > depthMax) fail(parser, 'max expression depth exceeded');
}

function parsePipe(parser: Parser, context: string, end: '}}' | ')'): Pipe {
  const { variables, assigns } = parseVariables(parser, context);
  const commands: Command[] = [];
  for (;;) {
    const token = peekAfterSpace(parser);
    const ends = token.text === end && token.kind !== 'string';
    if (ends && token.kind !== 'text') {
      next(parser);
      checkPipe(parser, commands, context);
      return { variables, assigns, commands };
    }
    if (!mayBegin(token)) unexpected(parser, next(parser), context);
    commands.push(parseCommand(parser));
  }
}

/** Whether an operand may begin with this token. */
function mayBegin({ kind, text }: Token): boolean {
  if (kind === 'punctuation') return text === '(' || text === '.';
  if (kind === 'word') return text === 'nil' || !keywords.has(text);
  return kind === 'field' || kind === 'variable' || kind === 'number' || kind === 'string';
}

function checkPipe(parser: Parser, commands: readonly Command[], context: string): void {
  if (commands.length === 0) fail(parser, `missing value for ${context}`);
  for (const [index, [first]] of commands.entries()) {
    const isExecutable =
      first === undefined ||
      first.path.length > 0 ||
      !['Literal', 'Nil', 'Dot'].includes(first.kind);
    if (index > 0 && !isExecutable) {
      fail(parser, `non executable command in pipeline stage ${index + 1}`);
    }
  }
}

/** `$x :=`, `$x =`, and in a range `$key, $value :=`. */
function parseVariables(parser: Parser, context: string): Pick<Pipe, 'variables' | 'assigns'> {
  const variables: string[] = [];
  const start = parser.position;
  skipSpace(parser);
  while (peek(parser).kind === 'variable') {
    const { text } = next(parser);
    const sign = peekAfterSpace(parser);
    if (sign.text === ':=' || sign.text === '=') {
      next(parser);
      variables.push(text);
      parser.variables.push(...variables);
      return { variables, assigns: sign.text === '=' };
    }
    if (sign.text !== ',') break;
    next(parser);
    variables.push(text);
    if (context !== 'range' || variables.length > 1) {
      fail(parser, `too many declarations in ${context}`);
    }
    if (peekAfterSpace(parser).kind !== 'variable') {
      fail(parser, 'range can only initialize variables');
    }
  }
  if (variables.length > 0) fail(parser, 'range can only initialize variables');
  // It was an operand.
  parser.position = start;
  return { variables, assigns: false };
}

/** Operands with space between them, up to a `|` or to what ends the pipe. */
function parseCommand(parser: Parser): Command {
  const operands: Operand[] = [];
  for (;;) {
    skipSpace(parser);
    const operand = parseOperand(parser);
    if (operand !== undefined) operands.push(operand);
    const token = next(parser);
    if (token.kind === 'space') continue;
    if (token.kind === 'right delimiter' || (token.kind === 'punctuation' && token.text === ')')) {
      parser.position -= 1;
    } else if (token.kind !== 'punctuation' || token.text !== '|') {
      return unexpected(parser, token, 'operand');
    }
    return operands.length === 0 ? fail(parser, 'empty command') : operands;
  }
}

/** Without the place in which it stands. */
type Term =
  | { readonly kind: 'Literal'; readonly value: string | bigint | number | boolean }
  | { readonly kind: 'Nil' | 'Dot' }
  | { readonly kind: 'Function' | 'Variable'; readonly name: string }
  | { readonly kind: 'Pipe'; readonly pipe: Pipe };

function parseOperand(parser: Parser): Operand | undefined {
  const first = peek(parser);
  if (first.kind === 'field') return { kind: 'Dot', ...parsePath(parser, first) };
  const term = parseTerm(parser);
  if (term === undefined) return undefined;
  const isPlain = term.kind === 'Literal' || term.kind === 'Nil' || term.kind === 'Dot';
  const { path, text, at } = parsePath(parser, first);
  if (isPlain && path.length > 0) {
    const quoted = JSON.stringify(first.text);
    return fail(parser, `unexpected . after term ${quoted}`);
  }
  return { ...term, path, text, at };
}

/** Fields that follow without a space, and where errors find the operand, as Go has it. */
function parsePath(parser: Parser, first: Token): Pick<Operand, 'path' | 'text' | 'at'> {
  const fields: Token[] = [];
  while (peek(parser).kind === 'field') fields.push(next(parser));
  const path = fields.map(({ text }) => text.slice(1));
  const { at } = first.kind === 'field' ? (fields[1] ?? first) : (fields[0] ?? first);
  const isNamed = first.kind === 'field' || first.kind === 'variable';
  // A chain that begins otherwise is told by its beginning.
  if (!isNamed && path.length > 0) return { path, text: first.text, at: first.at };
  return { path, text: parser.source.slice(first.at, peek(parser).at), at };
}

function parseTerm(parser: Parser): Term | undefined {
  const token = next(parser);
  const { kind, text, value } = token;
  if ((kind === 'number' || kind === 'string') && value !== undefined) {
    return { kind: 'Literal', value };
  }
  if (kind === 'variable') {
    if (!parser.variables.includes(text)) fail(parser, `undefined variable "${text}"`);
    return { kind: 'Variable', name: text };
  }
  if (kind === 'punctuation' && text === '.') return { kind: 'Dot' };
  if (kind === 'punctuation' && text === '(') {
    enter(parser);
    const pipe = parsePipe(parser, 'parenthesized pipeline', ')');
    parser.depth -= 1;
    return { kind: 'Pipe', pipe };
  }
  if (kind === 'word' && text === 'nil') return { kind: 'Nil' };
  if (kind === 'word' && !keywords.has(text)) return parseWord(parser, text);
  parser.position -= 1;
  return undefined;
}

function parseWord(parser: Parser, text: string): Term {
  if (text === 'true' || text === 'false') return { kind: 'Literal', value: text === 'true' };
  if (!parser.functions.has(text)) fail(parser, `function "${text}" not defined`);
  return { kind: 'Function', name: text };
}
