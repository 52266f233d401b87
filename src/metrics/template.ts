/**
 * Query templates: rendering the part of Go's text/template that `spec/03`, 2.2 names, with the
 * canary's names as functions. Bounded in steps and output, so that no template can hold a rollout.
 */
import type { StringMap } from '../api/kubernetes.ts';
import type { Command, Nodes, Operand, Pipe } from './template-syntax.ts';
import { parseTemplate, TemplateSyntaxError } from './template-syntax.ts';

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

type Value = string | number | boolean | undefined | StringMap;
type Builtin = (args: readonly Value[]) => Value;

/** Node visits: a template that needs more is a loop by mistake. */
const stepsMax = 10_000;
const outputCharactersMax = 100_000;

class TemplateExecutionError extends Error {}

const refuse = (text: string): never => {
  throw new TemplateExecutionError(text);
};

export function renderQuery(source: string, model: TemplateModel): RenderedQuery {
  const functions = functionsOf(model);
  let nodes: Nodes;
  try {
    nodes = parseTemplate(source, new Set(functions.keys()));
  } catch (error) {
    if (!(error instanceof TemplateSyntaxError)) throw error;
    return { ok: false, error: `template parsing failed: ${error.message}` };
  }
  const state: State = { functions, output: '', steps: 0, dot: undefined, variables: new Map() };
  try {
    execute(nodes, state);
    return { ok: true, text: state.output };
  } catch (error) {
    if (!(error instanceof TemplateExecutionError)) throw error;
    // The misspelling is the reference's, and people search for it.
    return { ok: false, error: `template excution failed: template: tmpl: ${error.message}` };
  }
}

interface State {
  readonly functions: ReadonlyMap<string, Builtin>;
  output: string;
  steps: number;
  dot: Value;
  variables: Map<string, Value>;
}

function execute(nodes: Nodes, state: State): void {
  for (const node of nodes) {
    state.steps += 1;
    if (state.steps > stepsMax) refuse('too many steps');
    if (node.kind === 'Text') emit(state, node.text);
    else if (node.kind === 'Range') repeat(node.body, node.other, node.pipe, state);
    else {
      const value = evaluatePipe(node.pipe, state);
      const silent = node.pipe.declares.length > 0 || node.pipe.assigns !== undefined;
      if (node.kind === 'Print') emit(state, silent ? '' : print(value));
      else if (!isTrue(value)) scoped(state, state.dot, () => execute(node.other, state));
      else {
        const dot = node.kind === 'With' ? value : state.dot;
        scoped(state, dot, () => execute(node.body, state));
      }
    }
  }
}

/** Variables that a block declares end with it. */
function scoped(state: State, dot: Value, run: () => void): void {
  const { dot: outerDot, variables: outer } = state;
  state.dot = dot;
  state.variables = new Map(outer);
  run();
  for (const name of outer.keys()) outer.set(name, state.variables.get(name));
  state.dot = outerDot;
  state.variables = outer;
}

function repeat(body: Nodes, other: Nodes, pipe: Pipe, state: State): void {
  const value = evaluatePipe({ ...pipe, declares: [] }, state);
  const entries = entriesOf(value);
  if (entries.length === 0) scoped(state, state.dot, () => execute(other, state));
  for (const [key, item] of entries) {
    scoped(state, item, () => {
      const [first, second] = pipe.declares;
      if (first !== undefined) state.variables.set(first, second === undefined ? item : key);
      if (second !== undefined) state.variables.set(second, item);
      execute(body, state);
    });
  }
}

function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (typeof value === 'object') return Object.entries(value).toSorted(byKey);
  if (typeof value === 'number') {
    return Array.from({ length: Math.min(value, stepsMax) }, (_, index) => [index, index]);
  }
  return value === undefined ? [] : refuse(`range can't iterate over ${print(value)}`);
}

const byKey = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1;

function emit(state: State, text: string): void {
  state.output += text;
  if (state.output.length > outputCharactersMax) refuse('the output is too long');
}

function evaluatePipe(pipe: Pipe, state: State): Value {
  let value: Value;
  for (const [index, command] of pipe.commands.entries()) {
    value = evaluate(command, state, index === 0 ? [] : [value]);
  }
  for (const name of pipe.declares) state.variables.set(name, value);
  if (pipe.assigns !== undefined) {
    if (!state.variables.has(pipe.assigns)) refuse(`undefined variable "${pipe.assigns}"`);
    state.variables.set(pipe.assigns, value);
  }
  return value;
}

function evaluate([first, ...rest]: Command, state: State, piped: readonly Value[]): Value {
  if (first === undefined) return undefined;
  if (first.kind === 'Function') {
    const args = [...rest.map((operand) => valueOf(operand, state)), ...piped];
    return lookUp(call(first.name, args, state), first.path);
  }
  if (rest.length > 0 || piped.length > 0) refuse(`can't give argument to non-function`);
  return valueOf(first, state);
}

function call(name: string, args: readonly Value[], state: State): Value {
  state.steps += 1;
  if (state.steps > stepsMax) refuse('too many steps');
  return state.functions.get(name)?.(args);
}

function valueOf(operand: Operand, state: State): Value {
  switch (operand.kind) {
    case 'Literal':
      return operand.value;
    case 'Function':
      return lookUp(call(operand.name, [], state), operand.path);
    case 'Variable': {
      const { name } = operand;
      if (name !== '$' && !state.variables.has(name)) refuse(`undefined variable "${name}"`);
      return lookUp(state.variables.get(name), operand.path);
    }
    case 'Dot':
      return lookUp(state.dot, operand.path);
    case 'Pipe':
      return lookUp(evaluatePipe(operand.pipe, state), operand.path);
  }
}

function lookUp(value: Value, path: readonly string[]): Value {
  let found = value;
  for (const key of path) {
    if (found === undefined) return refuse(`nil data; no entry for key "${key}"`);
    if (typeof found !== 'object') return refuse(`can't evaluate field ${key} in type string`);
    if (!Object.hasOwn(found, key)) return refuse(`map has no entry for key "${key}"`);
    found = found[key];
  }
  return found;
}

function isTrue(value: Value): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}

function print(value: Value): string {
  if (value === undefined) return '<no value>';
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).toSorted(byKey);
  return `map[${entries.map(([key, item]) => `${key}:${item}`).join(' ')}]`;
}

function functionsOf(model: TemplateModel): ReadonlyMap<string, Builtin> {
  const functions = new Map<string, Builtin>(Object.entries(builtins));
  for (const [name, value] of Object.entries(model)) {
    functions.set(name, (args) =>
      args.length === 0
        ? value
        : refuse(`wrong number of args for ${name}: want 0 got ${args.length}`),
    );
  }
  return functions;
}

const compare = (left: Value, right: Value): number => {
  if (typeof left !== typeof right) return refuse('incompatible types for comparison');
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left !== 'string' || typeof right !== 'string') {
    return refuse('invalid type for comparison');
  }
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
};

const equals = (left: Value, right: Value): boolean => {
  if (typeof left !== typeof right) return refuse('incompatible types for comparison');
  return left === right;
};

const builtins: Readonly<Record<string, Builtin>> = {
  printf: ([format, ...args]) => printf(print(format), args),
  // Like fmt.Sprint: spaces between operands when neither is a string.
  print: (args) =>
    args.reduce<string>((text, value, index) => {
      const spaced = index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string';
      return `${text}${spaced ? ' ' : ''}${print(value)}`;
    }, ''),
  println: (args) => `${args.map(print).join(' ')}\n`,
  index: ([map, ...keys]) =>
    keys.reduce<Value>((value, key) => {
      if (typeof value !== 'object') return refuse("can't index item of this type");
      const name = print(key);
      return Object.hasOwn(value, name) ? value[name] : '';
    }, map),
  len: ([value]) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    return typeof value === 'object'
      ? Object.keys(value).length
      : refuse('len of no list, map or string');
  },
  eq: ([first, ...others]) => others.some((other) => equals(first, other)),
  ne: ([left, right]) => !equals(left, right),
  lt: ([left, right]) => compare(left, right) < 0,
  le: ([left, right]) => compare(left, right) <= 0,
  gt: ([left, right]) => compare(left, right) > 0,
  ge: ([left, right]) => compare(left, right) >= 0,
  and: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([value]) => !isTrue(value),
};

/** The verbs that queries use: %s %d %v %q %f %.2f %%; a wrong one is shown as Go shows it. */
function printf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    /%(\.\d+)?([sdvqf%])/g,
    (_, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next];
      next += 1;
      if (verb === 'q') return JSON.stringify(print(value));
      if (verb !== 'f' && verb !== 'd') return print(value);
      if (typeof value !== 'number') return `%!${verb}(string=${print(value)})`;
      return verb === 'd'
        ? String(Math.trunc(value))
        : value.toFixed(Number(precision?.slice(1) ?? 6));
    },
  );
  return next < args.length ? `${text}%!(EXTRA ${args.slice(next).map(print).join(', ')})` : text;
}
