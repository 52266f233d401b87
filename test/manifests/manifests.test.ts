import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { generatedManifests } from '../../manifests/render.ts';
import { canaryAnnotation } from '../../src/api/annotations.ts';
import { parseFlags } from '../../src/cli/flags.ts';

type Fields = Readonly<Record<string, unknown>>;

const repository = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const read = (path: string): string => readFileSync(repository(path), 'utf8');

const files = readdirSync(repository('manifests'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.yaml'))
  .toSorted();

function documents(file: string): readonly Fields[] {
  return parseAllDocuments(read(`manifests/${file}`)).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS() as Fields;
  });
}

const objects = files.filter((file) => file !== 'kustomization.yaml').flatMap(documents);

/** A field by its path, whatever is in between. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Fields | undefined)?.[key], value);
}

function find(kind: string, name = 'aviary'): Fields {
  const found = objects.filter((it) => it['kind'] === kind && at(it, 'metadata', 'name') === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0] ?? {};
}

test('the files that are generated are up to date: if not, run `make manifests`', () => {
  for (const [path, text] of generatedManifests()) assert.equal(read(`manifests/${path}`), text);
});

test('kustomize takes every file', () => {
  const [kustomization] = documents('kustomization.yaml');
  const others = files.filter((file) => file !== 'kustomization.yaml');
  const resources = (kustomization ?? {})['resources'] as string[];
  assert.deepEqual(resources.toSorted(), others);
});

test('no object is there twice, and those of a namespace are in our own', () => {
  const clusterScoped =
    /^(Namespace|CustomResourceDefinition|ClusterRole|ClusterRoleBinding|\w+WebhookConfiguration)$/;
  const names = objects.map((object) => {
    const kind = String(object['kind']);
    const expected = clusterScoped.test(kind) ? undefined : 'aviary-system';
    assert.equal(at(object, 'metadata', 'namespace'), expected, kind);
    return `${kind}/${String(at(object, 'metadata', 'name'))}`;
  });
  assert.equal(new Set(names).size, names.length);
});

suite('rights', () => {
  interface Rule {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }

  /** One line per resource, as docs/security.md has them. */
  function lines(scope: string, role: Fields): readonly string[] {
    return (role['rules'] as Rule[]).flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.map((resource) => {
          const names = resourceNames === undefined ? '' : ` (${resourceNames.join(' ')})`;
          return `${scope} | ${group || 'core'} | ${resource}${names} | ${verbs.join(' ')}`;
        }),
      ),
    );
  }

  const granted = [...lines('cluster', find('ClusterRole')), ...lines('own', find('Role'))];

  test('are those that docs/security.md gives a reason for, and no others', () => {
    const rows = read('docs/security.md')
      .split('\n')
      .filter((line) => /^\| (cluster|own) /.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    for (const cells of rows) assert.ok((cells[5] ?? '').length > 5, cells.join('|'));
    const documented = rows.map((cells) => cells.slice(1, 5).join(' | '));
    assert.deepEqual(documented.toSorted(), granted.toSorted());
  });

  test('have no wildcard, delete nothing and grant nothing', () => {
    for (const line of granted) {
      assert.doesNotMatch(line, /\*|delete|escalate|bind|impersonate|\| rbac/, line);
    }
  });

  test('are bound to the one ServiceAccount', () => {
    const account = { kind: 'ServiceAccount', name: 'aviary', namespace: 'aviary-system' };
    for (const [binding, role] of [
      ['ClusterRoleBinding', 'ClusterRole'],
      ['RoleBinding', 'Role'],
    ] as const) {
      assert.deepEqual(find(binding)['subjects'], [account]);
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: role, name: 'aviary' };
      assert.deepEqual(find(binding)['roleRef'], roleRef);
    }
  });
});

suite('the Deployment', () => {
  const deployment = find('Deployment');
  const pod = at(deployment, 'spec', 'template', 'spec') as Fields;
  const container = at(pod, 'containers', 0) as Fields;

  test('meets the restricted pod security standard that its namespace enforces', () => {
    const label = 'pod-security.kubernetes.io/enforce';
    const namespace = find('Namespace', 'aviary-system');
    assert.equal(at(namespace, 'metadata', 'labels', label), 'restricted');
    assert.equal(at(pod, 'securityContext', 'runAsNonRoot'), true);
    assert.equal(at(pod, 'securityContext', 'seccompProfile', 'type'), 'RuntimeDefault');
    assert.deepEqual(container['securityContext'], {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('runs twice, survives a drain and is asked for its health', () => {
    assert.equal(at(deployment, 'spec', 'replicas'), 2);
    assert.equal(at(find('PodDisruptionBudget'), 'spec', 'minAvailable'), 1);
    assert.equal(at(container, 'readinessProbe', 'httpGet', 'path'), '/readyz');
    assert.equal(at(container, 'livenessProbe', 'httpGet', 'path'), '/healthz');
    assert.ok(at(container, 'resources', 'requests', 'memory'));
    assert.ok(at(container, 'resources', 'limits', 'memory'));
  });

  test('has arguments that the parser takes, and elects a leader in its own namespace', () => {
    const [command, ...args] = container['args'] as string[];
    assert.equal(command, 'controller');
    const expanded = args.map((arg) => arg.replace('$(POD_NAMESPACE)', 'aviary-system'));
    const parsed = parseFlags(expanded, {});
    assert.ok(parsed.kind === 'Flags', JSON.stringify(parsed));
    assert.deepEqual(parsed.warnings, []);
    assert.equal(parsed.flags.enableLeaderElection, true);
    assert.equal(parsed.flags.leaderElectionNamespace, 'aviary-system');
    const service = { kind: 'Service', namespace: 'aviary-system', name: 'aviary' };
    assert.deepEqual(parsed.flags.webhook, service);
    const ports = (container['ports'] as Fields[]).map((port) => port['containerPort']);
    assert.deepEqual(ports, [parsed.flags.port, parsed.flags.webhookPort]);
  });

  test('is what the Service selects, by the names of its ports', () => {
    const labels = at(deployment, 'spec', 'template', 'metadata', 'labels');
    assert.deepEqual(at(find('Service'), 'spec', 'selector'), labels);
    assert.deepEqual(at(find('PodDisruptionBudget'), 'spec', 'selector', 'matchLabels'), labels);
    const names = new Set((container['ports'] as Fields[]).map((port) => port['name']));
    for (const port of at(find('Service'), 'spec', 'ports') as Fields[]) {
      assert.ok(names.has(port['targetPort']), JSON.stringify(port));
    }
    const webhook = (at(find('Service'), 'spec', 'ports') as Fields[])[0];
    assert.equal(webhook?.['port'], 443);
  });
});

suite('the webhook configurations', () => {
  const configurations = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
  const webhooks = configurations.flatMap((kind) => find(kind)['webhooks'] as Fields[]);

  test('fail open, soon, and have no effect on a dry run', () => {
    assert.ok(webhooks.length >= 2);
    for (const webhook of webhooks) {
      assert.equal(webhook['failurePolicy'], 'Ignore');
      assert.ok(Number(webhook['timeoutSeconds']) <= 3);
      assert.ok(['None', 'NoneOnDryRun'].includes(String(webhook['sideEffects'])));
    }
  });

  test('call our Service, and bring no CA: the controller puts it in', () => {
    for (const webhook of webhooks) {
      const { path, ...service } = at(webhook, 'clientConfig', 'service') as Fields;
      assert.deepEqual(service, { namespace: 'aviary-system', name: 'aviary', port: 443 });
      assert.match(String(path), /^\/(mutate|validate)$/);
      assert.equal(at(webhook, 'clientConfig', 'caBundle'), undefined);
    }
  });

  test('send Deployments only where a Canary took them over', () => {
    for (const webhook of webhooks) {
      const rules = webhook['rules'] as Fields[];
      if (!rules.some((rule) => (rule['resources'] as string[]).includes('deployments'))) continue;
      const conditions = webhook['matchConditions'] as { name: string; expression: string }[];
      assert.ok(
        conditions.some(({ expression }) => expression.includes(`'${canaryAnnotation}' in`)),
      );
    }
  });

  test('may be patched under the rights of the controller', () => {
    const patched = (find('ClusterRole')['rules'] as Fields[]).filter((rule) =>
      (rule['resources'] as string[]).includes('mutatingwebhookconfigurations'),
    );
    assert.ok(patched.some((rule) => at(rule, 'resourceNames', 0) === 'aviary'));
  });
});
