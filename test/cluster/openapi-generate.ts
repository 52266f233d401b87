/**
 * `make openapi`: writes what the built-in kinds look like into `src/cluster/builtin/`.
 *
 * - `openapi.json`: the definitions of a real API server's /openapi/v2 that the kinds we serve
 *   reach, without their descriptions.
 * - `zero-values.json`: what the API server does with fields that hold nothing. OpenAPI does not
 *   say it; the Go types do, by pointers and `omitempty`.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startControlPlane } from './control-plane.ts';

type Definition = Readonly<Record<string, unknown>> & {
  readonly properties?: Readonly<Record<string, Definition>>;
};
type Definitions = Readonly<Record<string, Definition>>;

const served = [
  ...[
    'core.v1: Namespace Pod Service Endpoints ConfigMap Secret ServiceAccount Event Node',
    'core.v1: PersistentVolumeClaim ReplicationController',
    'apps.v1: Deployment ReplicaSet DaemonSet StatefulSet ControllerRevision',
    'batch.v1: Job CronJob',
    'autoscaling.v1: HorizontalPodAutoscaler',
    'autoscaling.v2: HorizontalPodAutoscaler',
    'policy.v1: PodDisruptionBudget',
    'networking.v1: Ingress IngressClass NetworkPolicy',
    'discovery.v1: EndpointSlice',
    'coordination.v1: Lease',
    'events.v1: Event',
    'rbac.v1: Role RoleBinding ClusterRole ClusterRoleBinding',
    'admissionregistration.v1: MutatingWebhookConfiguration ValidatingWebhookConfiguration',
    'authentication.v1: SelfSubjectReview',
    'authorization.v1: SelfSubjectAccessReview',
  ].flatMap((line) => {
    const [group = '', kinds = ''] = line.split(': ');
    return kinds
      .split(' ')
      .flatMap((kind) => [`io.k8s.api.${group}.${kind}`, `io.k8s.api.${group}.${kind}List`])
      .filter((name) => !/^io\.k8s\.api\.auth.*List$/.test(name));
  }),
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionList',
  'io.k8s.api.autoscaling.v1.Scale',
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
];

/** `\tReplicas *int32 `json:"replicas,omitempty" protobuf:"…"``, or an embedded struct. */
const goField = /^\t(?:(?<name>\w+)\s+)?(?<type>[^\s`]+)\s+`(?:[^`]*\s)?json:"(?<tag>[^"]*)"/;

const typesFolders: readonly (readonly [RegExp, string])[] = [
  [/^io\.k8s\.api\.(\w+)\.(\w+)\./, 'k8s.io/api/$1/$2'],
  [
    /^io\.k8s\.apiextensions-apiserver\.pkg\.apis\.apiextensions\.v1\./,
    'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1',
  ],
  [/^io\.k8s\.apimachinery\.pkg\.apis\.meta\.v1\./, 'k8s.io/apimachinery/pkg/apis/meta/v1'],
];

const output = join(import.meta.dirname, '../../src/cluster/builtin');
const plane = await startControlPlane({ controllers: false, nodes: 0 });
try {
  const { stdout } = await plane.kubectl(['get', '--raw', '/openapi/v2']);
  const { definitions } = JSON.parse(stdout) as { readonly definitions: Definitions };
  const reached = reachable(definitions, served);
  const zeroValues = zeroValuesOf(reached);
  writeFileSync(join(output, 'openapi.json'), oneLineEach(stripped(reached)));
  writeFileSync(join(output, 'zero-values.json'), oneLineEach(zeroValues));
} finally {
  await plane.stop();
}

function reachable(all: Definitions, names: readonly string[]): Definitions {
  const found = new Map<string, Definition>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const definition = all[name];
    if (definition === undefined) throw new Error(`no definition ${name}`);
    found.set(name, definition);
    for (const [, target = ''] of JSON.stringify(definition).matchAll(
      /"\$ref":"#\/definitions\/([^"]+)"/g,
    ))
      visit(target);
  };
  names.forEach(visit);
  return Object.fromEntries([...found].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Without descriptions; of the groups in which everything is known, only those that we serve. */
function stripped(definitions: Definitions): Definitions {
  const strip = (value: unknown, isSchema: boolean): unknown => {
    if (Array.isArray(value)) return value.map((it) => strip(it, isSchema));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(
      ([key, it]) => !(isSchema && key === 'description' && typeof it === 'string'),
    );
    return Object.fromEntries(
      entries.map(([key, it]) => [key, strip(it, !(isSchema && key === 'properties'))]),
    );
  };
  const options = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
  const { 'x-kubernetes-group-version-kind': _, ...others } = definitions[options] ?? {};
  return strip({ ...definitions, [options]: others }, true) as Definitions;
}

/**
 * By definition and field, where it is not to be kept as it is when given and absent when not:
 * `drop` where nothing is as good as absent, `keep` where absent is written as an empty value,
 * `null` where it is written as that.
 */
function zeroValuesOf(definitions: Definitions): Readonly<Record<string, object>> {
  const found: [string, object][] = [];
  for (const [name, { properties = {} }] of Object.entries(definitions)) {
    const rule = typesFolders.find(([pattern]) => pattern.test(name));
    if (rule === undefined || Object.keys(properties).length === 0) continue;
    const [pattern, folder] = rule;
    const path = (pattern.exec(name)?.[0] ?? '').replace(pattern, folder);
    const fields = goFields(path, name.split('.').at(-1) ?? '');
    const rules = Object.entries(properties).flatMap(([field, schema]) => {
      const tags = fields.get(field);
      if (tags === undefined) throw new Error(`${path}: no field ${field} in ${name}`);
      const rule = zeroRule(tags, schema);
      return rule === undefined ? [] : [[field, rule] as const];
    });
    if (rules.length > 0) found.push([name, Object.fromEntries(rules)]);
  }
  return Object.fromEntries(found);
}

interface GoField {
  readonly type: string;
  readonly tags: readonly string[];
}

type ZeroRule = 'drop' | 'keep' | 'null';

function zeroRule({ type, tags }: GoField, schema: Definition): ZeroRule | undefined {
  const omits = tags.includes('omitempty') || tags.includes('omitzero');
  if (type.startsWith('*')) return omits ? undefined : 'null';
  if (type === 'runtime.RawExtension') return undefined;
  // Go leaves no struct out for being empty.
  if (/^(metav1\.)?(Micro)?Time$/.test(type)) return tags.includes('omitzero') ? 'drop' : 'null';
  if ('$ref' in schema) return tags.includes('omitzero') ? 'drop' : 'keep';
  if (omits) return 'drop';
  return schema['type'] === 'array' || schema['type'] === 'object' ? 'null' : 'keep';
}

function goFields(path: string, type: string): ReadonlyMap<string, GoField> {
  const lines = goStruct(path, type);
  const fields = new Map<string, GoField>();
  for (const line of lines) {
    const groups = goField.exec(line)?.groups;
    if (groups === undefined) continue;
    const { type: fieldType = '', tag = '' } = groups;
    const [name = '', ...tags] = tag.split(',');
    if (name !== '') fields.set(name, { type: fieldType, tags });
    else if (tags.includes('inline')) {
      const [inlined = '', other] = fieldType.split('.').toReversed();
      const home = other === 'metav1' ? 'k8s.io/apimachinery/pkg/apis/meta/v1' : path;
      for (const [key, value] of goFields(home, inlined)) fields.set(key, value);
    }
  }
  return fields;
}

function goStruct(path: string, type: string): readonly string[] {
  const folder = directoryOf(path);
  for (const file of readdirSync(folder)) {
    if (!/^types.*\.go$/.test(file)) continue;
    const lines = readFileSync(join(folder, file), 'utf8').split('\n');
    const start = lines.indexOf(`type ${type} struct {`);
    if (start !== -1) return lines.slice(start + 1, lines.indexOf('}', start));
  }
  throw new Error(`no struct ${type} in ${folder}`);
}

function directoryOf(path: string): string {
  const [host, module, ...rest] = path.split('/');
  const cwd = join(import.meta.dirname, 'build/kubernetes');
  const args = ['list', '-m', '-f', '{{.Dir}}', `${host}/${module}`];
  return join(execFileSync('go', args, { cwd, encoding: 'utf8' }).trim(), ...rest);
}

/** JSON whose differences a person can review. */
function oneLineEach(values: Readonly<Record<string, object>>): string {
  const lines = Object.entries(values).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}
