/**
 * Query templates: Go's text/template as `spec/03`, 2.2 uses it, with the canary's names as
 * functions and no data of its own. A tree is walked; nothing is evaluated as code. Bounded in
 * source, steps and output, so that no template can hold a rollout.
 */
import type { StringMap } from '../api/kubernetes.ts';
import { templateFunctions } from './template-functions.ts';
import type { TemplateFunction } from './template-functions.ts';
import { quote } from './template-printf.ts';
import { parseTemplate, TemplateSyntaxError } from './template-syntax.ts';
import type { Command, Node, Nodes, Operand, Pipe } from './template-syntax.ts';
import {
  append,
  entriesOf,
  isTrue,
  refuse,
  show,
  TemplateExecutionError,
  typeOf,
} from './template-values.ts';
import type { Value } from './template-values.ts';

/** What a query may ask for: `{{ name }}`, `{{ variables.key }}`. */
export interface TemplateModel {
  readonly name: string;
  readonly namespace: string;
  readonly target: string;
  readonly service: string;
  readonly ingress: string;
  readonly route: string;
  readonly interval: string;
  readonly variables: StringMap;
}

export type RenderedQuery =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string };

/** Longest query that is read: none is a tenth of it. */
const sourceCharactersMax = 65_536;
/** Visits of nodes and calls: a template that needs more is a loop by mistake. */
const stepsMax = 10_000;

/** Renders a query. Never throws: what is wrong with the template is the error. */
export function renderQuery(source: string, model: TemplateModel): RenderedQuery {
  if (source.length > sourceCharactersMax) {
    return { ok: false, error: `the query is longer than ${sourceCharactersMax} characters` };
  }
  const functions = new Map([...templateFunctions, ...Object.entries(model).map(constant)]);
  let nodes: Nodes;
  try {
    nodes = parseTemplate(source, new Set([...functions.keys(), 'and', 'or']));
  } catch (error) {
    if (!(error instanceof TemplateSyntaxError)) throw error;
    return { ok: false, error: `template parsing failed: ${error.message}` };
  }
  const state: State = {
    functions,
    output: '',
    steps: 0,
    dot: undefined,
    variables: [{ name: '$', value: undefined }],
    at: { at: 0, text: '' },
  };
  try {
    execute(nodes, state);
    return { ok: true, text: state.output };
  } catch (error) {
    if (!(error instanceof TemplateExecutionError)) throw error;
    // The misspelling is the reference's, and people search for it.
    return { ok: false, error: `template excution failed: ${locate(source, state, error)}` };
  }
}

const constant = ([name, value]: [string, string | StringMap]): [string, TemplateFunction] => [
  name,
  { argumentsMin: 0, argumentsMax: 0, call: () => value },
];

/** The error with its place, as Go tells it. */
function locate(source: string, { at: { at, text } }: State, { message }: Error): string {
  const before = source.slice(0, at);
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
  const place = `tmpl:${before.split('\n').length}:${column}`;
  return `template: ${place}: executing "tmpl" at <${text}>: ${message}`;
}

interface State {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  output: string;
  steps: number;
  dot: Value;
  /** Inner ones last. */
  variables: { readonly name: string; value: Value }[];
  /** What is being evaluated: where an error is. */
  at: Pick<Operand, 'at' | 'text'>;
}

/** How a list of nodes ended: at its end, or by leaving the range around it. */
type Ended = 'Through' | 'Break' | 'Continue';

function step(state: State): void {
  state.steps += 1;
  if (state.steps > stepsMax) refuse(`more than ${stepsMax} steps`);
}

function execute(nodes: Nodes, state: State): Ended {
  for (const node of nodes) {
    step(state);
    const ended = executeOne(node, state);
    if (ended !== 'Through') return ended;
  }
  return 'Through';
}

function executeOne(node: Node, state: State): Ended {
  switch (node.kind) {
    case 'Text':
      state.output = append(state.output, node.text);
      return 'Through';
    case 'Print': {
      const value = evaluatePipe(node.pipe, state);
      if (node.pipe.variables.length > 0) return 'Through';
      state.output = append(state.output, value === undefined ? '<no value>' : show(value));
      return 'Through';
    }
    case 'Range':
      return scoped(state, () => executeRange(node.pipe, node.body, node.other, state));
    case 'If':
    case 'With':
      return scoped(state, () => {
        const value = evaluatePipe(node.pipe, state);
        if (!isTrue(value)) return execute(node.other, state);
        return executeWith(node.kind === 'With' ? value : state.dot, node.body, state);
      });
    case 'Break':
    case 'Continue':
      return node.kind;
  }
}

/** Variables that are declared inside end here. */
function scoped(state: State, run: () => Ended): Ended {
  const known = state.variables.length;
  const ended = run();
  state.variables.length = known;
  return ended;
}

function executeWith(dot: Value, nodes: Nodes, state: State): Ended {
  const outer = state.dot;
  state.dot = dot;
  const ended = execute(nodes, state);
  state.dot = outer;
  return ended;
}

function executeRange(pipe: Pipe, body: Nodes, other: Nodes, state: State): Ended {
  const items = itemsOf(evaluatePipe(pipe, state), pipe, state);
  const [first, second] = pipe.variables;
  let isEmpty = true;
  for (const [key, item] of items) {
    isEmpty = false;
    step(state);
    if (first !== undefined) assign(state, first, second === undefined ? item : key);
    if (second !== undefined) assign(state, second, item);
    const ended = scoped(state, () => executeWith(item, body, state));
    if (ended === 'Break') break;
  }
  return isEmpty ? execute(other, state) : 'Through';
}

/** Keys and items. Of an integer, the numbers below it: as many as anybody waits for. */
function* itemsOf(value: Value, pipe: Pipe, state: State): Iterable<readonly [Value, Value]> {
  if (typeof value === 'bigint') {
    if (pipe.variables.length > 1) {
      refuse(`can't use ${value} to iterate over more than one variable`);
    }
    for (let item = 0n; item < value; item += 1n) yield [item, item];
  } else if (typeof value === 'object') {
    yield* entriesOf(value);
  } else if (value !== undefined) {
    refuseAt(state, pipe, `range can't iterate over ${show(value)}`);
  }
}

function refuseAt(state: State, { commands }: Pipe, text: string): never {
  state.at = commands[0]?.[0] ?? state.at;
  return refuse(text);
}

function evaluatePipe(pipe: Pipe, state: State): Value {
  let piped: readonly Value[] = [];
  for (const command of pipe.commands) piped = [evaluateCommand(command, piped, state)];
  const [value] = piped;
  for (const name of pipe.variables) {
    if (pipe.assigns) assign(state, name, value);
    else state.variables.push({ name, value });
  }
  return value;
}

function assign({ variables }: State, name: string, value: Value): void {
  const variable = variables.findLast((known) => known.name === name);
  if (variable === undefined) refuse(`undefined variable: ${name}`);
  else variable.value = value;
}

function evaluateCommand(command: Command, piped: readonly Value[], state: State): Value {
  const [first, ...rest] = command;
  if (first === undefined) return undefined;
  state.at = first;
  if (first.kind === 'Function' && first.path.length === 0) {
    return call({ name: first.name, at: first.at, operands: rest }, piped, state);
  }
  if (first.kind === 'Nil') refuse('nil is not a command');
  if (rest.length === 0 && piped.length === 0) return evaluate(first, state);
  const key = first.path.at(-1);
  if (key === undefined) refuse(`can't give argument to non-function ${textOf(first)}`);
  const value = evaluate({ ...first, path: first.path.slice(0, -1) }, state);
  if (typeof value === 'object') refuse(`${key} is not a method but has arguments`);
  return lookUp(value, [key ?? '']);
}

/** As Go writes an operand when it quotes one. */
function textOf({ kind, text }: Operand): string {
  return kind === 'Literal' && text.startsWith('`') ? quote(text.slice(1, -1)) : text;
}

/** A function with the arguments that are written behind it. */
interface Called {
  readonly name: string;
  readonly at: number;
  readonly operands: readonly Operand[];
}

function call(called: Called, piped: readonly Value[], state: State): Value {
  step(state);
  const { name, at, operands } = called;
  state.at = { at, text: name };
  if (name === 'and' || name === 'or') return decide(called, piped, state);
  const definition = state.functions.get(name);
  if (definition === undefined) return refuse(`"${name}" is not a defined function`);
  checkCount(name, definition, operands.length + piped.length);
  const takesFormat = definition.takesFormat === true;
  const args = operands.map((operand, position) => {
    const value = evaluateArgument(operand, state);
    if (takesFormat && position === 0) checkFormat(operand, value);
    return value;
  });
  if (takesFormat && operands.length === 0) checkFormat(undefined, piped[0]);
  try {
    return definition.call([...args, ...piped]);
  } catch (error) {
    if (!(error instanceof TemplateExecutionError)) throw error;
    state.at = { at, text: [name, ...operands.map(textOf)].join(' ') };
    return refuse(`error calling ${name}: ${error.message}`);
  }
}

function checkCount(
  name: string,
  { argumentsMin, argumentsMax }: Pick<TemplateFunction, 'argumentsMin' | 'argumentsMax'>,
  count: number,
): void {
  if (count >= argumentsMin && count <= (argumentsMax ?? count)) return;
  const wanted = argumentsMax === undefined ? `at least ${argumentsMin}` : String(argumentsMin);
  refuse(`wrong number of args for ${name}: want ${wanted} got ${count}`);
}

function checkFormat(operand: Operand | undefined, value: Value): void {
  if (typeof value === 'string') return;
  if (operand?.kind === 'Literal') refuse(`expected string; found ${operand.text}`);
  if (value === undefined) refuse('invalid value; expected string');
  refuse(`wrong type for value; expected string; got ${typeOf(value)}`);
}

/** `and` stops at the first false argument, `or` at the first true one; what follows is not run. */
function decide({ name, operands }: Called, piped: readonly Value[], state: State): Value {
  checkCount(name, { argumentsMin: 1 }, operands.length + piped.length);
  const wanted = name === 'or';
  let value: Value;
  for (const each of operands) {
    value = evaluateArgument(each, state);
    if (isTrue(value) === wanted) return value;
  }
  return piped.length > 0 ? piped[0] : value;
}

function evaluateArgument(operand: Operand, state: State): Value {
  state.at = operand;
  return evaluate(operand, state);
}

function evaluate(operand: Operand, state: State): Value {
  switch (operand.kind) {
    case 'Literal':
      return operand.value;
    case 'Nil':
      return lookUp(undefined, operand.path);
    case 'Dot':
      return lookUp(state.dot, operand.path);
    case 'Variable': {
      const found = state.variables.findLast(({ name }) => name === operand.name);
      return lookUp(found?.value, operand.path);
    }
    // An error in the path is told at what was evaluated before it.
    case 'Function':
      return lookUp(call({ ...operand, operands: [] }, [], state), operand.path);
    case 'Pipe':
      return lookUp(evaluatePipe(operand.pipe, state), operand.path);
  }
}

function lookUp(value: Value, path: readonly string[]): Value {
  return path.reduce<Value>((found, key) => {
    if (found === undefined) return refuse(`nil data; no entry for key "${key}"`);
    if (typeof found !== 'object') {
      return refuse(`can't evaluate field ${key} in type ${typeOf(found)}`);
    }
    if (!Object.hasOwn(found, key)) return refuse(`map has no entry for key "${key}"`);
    return found[key];
  }, value);
}
