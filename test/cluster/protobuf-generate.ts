/**
 * `make protobuf`: writes the wire format of the built-in kinds into `src/cluster/builtin/`, from the
 * `.proto` files of the Go modules that the real API server is built from.
 *
 * A row is `[field number, JSON name, type]`. The name is empty where Go inlines the message. The type
 * is a scalar's, or `#message`; `*` before it is a list, `%` a map from strings.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import openapi from '../../src/cluster/builtin/openapi.json' with { type: 'json' };

type Row = readonly [number, string, string];

const version = 'v0.36.3';
const modules = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
const apiGroups = [
  'core/v1',
  'apps/v1',
  'batch/v1',
  'autoscaling/v1',
  'autoscaling/v2',
  'policy/v1',
  'networking/v1',
  'discovery/v1',
  'coordination/v1',
  'rbac/v1',
  'authentication/v1',
  'authorization/v1',
  'admissionregistration/v1',
];
const machinery = ['pkg/apis/meta/v1', 'pkg/runtime', 'pkg/util/intstr', 'pkg/api/resource'];

const files = [
  ...apiGroups.map((it) => join(modules, `k8s.io/api@${version}`, it, 'generated.proto')),
  ...machinery.map((it) => join(modules, `k8s.io/apimachinery@${version}`, it, 'generated.proto')),
];
const root = new protobuf.Root();
for (const file of files) protobuf.parse(readFileSync(file, 'utf8'), root, { keepCase: true });

const definitions: Readonly<Record<string, { readonly properties?: object }>> = openapi as never;
const messages: Record<string, readonly Row[]> = {};

/** `k8s.io.api.apps.v1.Deployment`. */
const pathOf = (type: protobuf.Type): string => type.fullName.slice(1);

function jsonName(type: protobuf.Type, field: protobuf.Field): string {
  const definition = definitions[pathOf(type).replace(/^k8s\.io\./, 'io.k8s.')];
  if (definition?.properties === undefined) return field.name;
  const names = Object.keys(definition.properties);
  // Protocol buffers know of `aPIGroup` and `Webhooks`.
  return names.find((it) => it.toLowerCase() === field.name.toLowerCase()) ?? '';
}

function typeOf(type: protobuf.Type, field: protobuf.Field): string {
  const found = type.lookup(field.type);
  if (!(found instanceof protobuf.Type)) return field.type;
  add(found);
  return `#${pathOf(found)}`;
}

function add(type: protobuf.Type): void {
  const path = pathOf(type);
  if (path in messages) return;
  messages[path] = [];
  messages[path] = type.fieldsArray.map((field): Row => {
    const prefix = field instanceof protobuf.MapField ? '%' : field.repeated ? '*' : '';
    return [field.id, jsonName(type, field), `${prefix}${typeOf(type, field)}`];
  });
}

for (const [name, definition] of Object.entries(definitions)) {
  const kinds = (definition as { readonly 'x-kubernetes-group-version-kind'?: unknown })[
    'x-kubernetes-group-version-kind'
  ];
  const found = root.lookup(name.replace(/^io\.k8s\./, 'k8s.io.'));
  if (kinds !== undefined && found instanceof protobuf.Type) add(found);
}

const target = join(import.meta.dirname, '../../src/cluster/builtin/protobuf.json');
writeFileSync(target, `${JSON.stringify(messages)}\n`);
