/**
 * Bodies in protocol buffers, as kubectl sends them for what it makes itself (`kubectl create`):
 * read, and never written, for everybody who sends them takes JSON, too.
 * Format: Kubernetes docs, "Alternate representations of resources"; `runtime.Unknown`.
 */
import protobuf from 'protobufjs/minimal.js';
import type { Reader } from 'protobufjs/minimal.js';
import type { Json } from '../api/kubernetes.ts';
import rows from './builtin/protobuf.json' with { type: 'json' };
import { badRequest } from './status-error.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

/** Field number, JSON name (empty: inlined), type: `string`, `#message`, `*` a list, `%` a map. */
type Row = readonly [number, string, string];

const messages = rows as unknown as Readonly<Record<string, readonly Row[]>>;

const magic = Buffer.from('k8s\0', 'latin1');

/** Fields of `runtime.Unknown` and of its `TypeMeta`. */
const envelope = { typeMeta: 1, raw: 2 } as const;
const typeMeta = { apiVersion: 1, kind: 2 } as const;

type Fields = Record<string, Json>;

/** Throws a `StatusError` (400) where it is not that, or of a kind that only JSON is read of. */
export function parseProtobuf(body: Buffer): Fields {
  if (!body.subarray(0, magic.length).equals(magic)) {
    throw badRequest('the body is not in Kubernetes protocol buffers');
  }
  try {
    return read(body.subarray(magic.length));
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('the body ends inside a field');
    throw error;
  }
}

function read(body: Buffer): Fields {
  const reader = protobuf.Reader.create(body);
  let meta = { apiVersion: '', kind: '' };
  let raw: Uint8Array = Buffer.alloc(0);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === envelope.typeMeta) meta = readTypeMeta(reader.bytes());
    else if (tag >>> 3 === envelope.raw) raw = reader.bytes();
    else reader.skipType(tag & 7);
  }
  const { apiVersion, kind } = meta;
  const message = messageOf(apiVersion, kind);
  if (messages[message] === undefined) {
    throw badRequest(`${kind} of ${apiVersion} is read as JSON only`);
  }
  return { apiVersion, kind, ...readMessage(message, raw) };
}

/** `apps/v1` of the project's own groups is `k8s.io.api.apps.v1`. */
function messageOf(apiVersion: string, kind: string): string {
  const [group = '', version] = apiVersion.includes('/')
    ? apiVersion.split('/')
    : ['core', apiVersion];
  return `k8s.io.api.${group.split('.')[0]}.${version}.${kind}`;
}

function readTypeMeta(bytes: Uint8Array): { apiVersion: string; kind: string } {
  const reader = protobuf.Reader.create(bytes);
  const meta = { apiVersion: '', kind: '' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === typeMeta.apiVersion) meta.apiVersion = reader.string();
    else if (tag >>> 3 === typeMeta.kind) meta.kind = reader.string();
    else reader.skipType(tag & 7);
  }
  return meta;
}

function readMessage(message: string, bytes: Uint8Array): Fields {
  const reader = protobuf.Reader.create(bytes);
  const fields: Fields = {};
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const row = messages[message]?.find(([id]) => id === tag >>> 3);
    if (row === undefined) reader.skipType(tag & 7);
    else readField(reader, row, fields);
  }
  return fields;
}

function readField(reader: Reader, [, name, type]: Row, fields: Fields): void {
  const found = fields[name];
  if (type.startsWith('*')) {
    const list = Array.isArray(found) ? (found as readonly Json[]) : [];
    fields[name] = [...list, readValue(reader, type.slice(1))];
  } else if (type.startsWith('%')) {
    const [key, value] = readEntry(reader.bytes(), type.slice(1));
    fields[name] = { ...(found as Fields | undefined), [key]: value };
  } else if (name === '') {
    Object.assign(fields, readMessage(type.slice(1), reader.bytes()));
  } else {
    fields[name] = readValue(reader, type);
  }
}

function readEntry(bytes: Uint8Array, type: string): readonly [string, Json] {
  const reader = protobuf.Reader.create(bytes);
  let key = '';
  let value: Json = type === 'string' ? '' : null;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = reader.string();
    else value = readValue(reader, type);
  }
  return [key, value];
}

function readValue(reader: Reader, type: string): Json {
  switch (type) {
    case 'string':
      return reader.string();
    case 'bool':
      return reader.bool();
    case 'int32':
      return reader.int32();
    case 'int64':
      return Number(reader.int64());
    case 'double':
      return reader.double();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    default:
      return shown(type.slice(1), reader.bytes());
  }
}

const nanosOfMicrosecond = 1_000;

/** Messages that JSON writes as something else than an object. */
function shown(message: string, bytes: Uint8Array): Json {
  switch (message.replace('k8s.io.apimachinery.pkg.', '')) {
    case 'api.resource.Quantity':
      return readMessage(message, bytes)['string'] ?? '0';
    case 'util.intstr.IntOrString': {
      const { type = 0, intVal = 0, strVal = '' } = readMessage(message, bytes);
      return type === 0 ? intVal : strVal;
    }
    case 'apis.meta.v1.Time': {
      const { seconds } = readMessage(message, bytes);
      return seconds === undefined ? null : timeOf(Number(seconds)).replace('.000', '');
    }
    case 'apis.meta.v1.MicroTime': {
      const { seconds, nanos = 0 } = readMessage(message, bytes);
      const micros = String(Math.floor(Number(nanos) / nanosOfMicrosecond)).padStart(6, '0');
      return seconds === undefined ? null : timeOf(Number(seconds)).replace('.000', `.${micros}`);
    }
    case 'runtime.RawExtension':
    case 'apis.meta.v1.FieldsV1':
      return embedded(readMessage(message, bytes));
    case 'apis.meta.v1.ObjectMeta':
      return withoutEmpty(readMessage(message, bytes));
    default:
      return readMessage(message, bytes);
  }
}

/** Protocol buffers say of every text that it is empty; JSON does not say it. */
const withoutEmpty = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== 0));

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** JSON inside of a message. */
function embedded({ raw, Raw = raw }: Fields): Json {
  if (typeof Raw !== 'string' || Raw === '') return null;
  return JSON.parse(Buffer.from(Raw, 'base64').toString('utf8')) as Json;
}
