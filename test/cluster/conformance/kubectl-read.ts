/** What people see: kubectl's tables and descriptions, the same on every cluster. */
import assert from 'node:assert/strict';
import { table } from './kubectl.ts';
import { configMap, deployment, service } from './paths.ts';
import type { Chapter, Ground } from './site.ts';
import { defineWidgets } from './widgets.ts';

const age = /^(\d+[smhd])+$/;

/** A Deployment in `default` that is available. Answers its name. */
async function available({ kubectl, name }: Ground, replicas = 2): Promise<string> {
  const app = name('web');
  await kubectl.run('', ['apply', '-f', '-'], JSON.stringify(deployment(app, { replicas })));
  const progressed = 'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}';
  await kubectl.run('', [
    'wait',
    `--for=${progressed}=NewReplicaSetAvailable`,
    `deployment/${app}`,
    '--timeout=20s',
  ]);
  return app;
}

/** What differs from run to run is replaced by what it is. */
const normal = (text: string, app: string): string =>
  text
    .replaceAll(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME')
    .replaceAll(new RegExp(`${app}-[a-z0-9]{5,10}`, 'g'), 'SET')
    .replaceAll(app, 'APP')
    .replaceAll(/\b\d+\.\d+\.\d+\.\d+\b/g, 'IP')
    .replaceAll(/ {2,}/g, '  ')
    .replaceAll(/[ \t]+$/gm, '');

const describedDeployment = `Name:  APP
Namespace:  default
CreationTimestamp:  TIME
Labels:  <none>
Annotations:  deployment.kubernetes.io/revision: 1
Selector:  app=APP
Replicas:  2 desired | 2 updated | 2 total | 2 available | 0 unavailable
StrategyType:  RollingUpdate
MinReadySeconds:  0
RollingUpdateStrategy:  25% max unavailable, 25% max surge
Pod Template:
  Labels:  app=APP
  Containers:
  main:
  Image:  podinfo:6.0.0
  Port:  9898/TCP
  Host Port:  0/TCP
  Environment:  <none>
  Mounts:  <none>
  Volumes:  <none>
  Node-Selectors:  <none>
  Tolerations:  <none>
Conditions:
  Type  Status  Reason
  ----  ------  ------
  Available  True  MinimumReplicasAvailable
  Progressing  True  NewReplicaSetAvailable
OldReplicaSets:  <none>
NewReplicaSet:  SET (2/2 replicas created)
`;

export const kubectlRead: Chapter = {
  title: 'kubectl shows',
  needsKubectl: true,
  tests: {
    'get deployments, plain and wide': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground);
      const plain = table(await kubectl.run('', ['get', 'deployment', app]));
      assert.deepEqual(plain[0], ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE']);
      assert.deepEqual(plain[1]?.slice(0, 4), [app, '2/2', '2', '2']);
      assert.match(plain[1]?.[4] ?? '', age);
      const wide = table(await kubectl.run('', ['get', 'deploy', app, '-o', 'wide']));
      assert.deepEqual(wide[0]?.slice(5), ['CONTAINERS', 'IMAGES', 'SELECTOR']);
      assert.deepEqual(wide[1]?.slice(5), ['main', 'podinfo:6.0.0', `app=${app}`]);
    },
    'get replicasets and pods': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground);
      const sets = table(await kubectl.run('', ['get', 'rs', '-l', `app=${app}`]));
      assert.deepEqual(sets[0], ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE']);
      assert.deepEqual(sets[1]?.slice(1, 4), ['2', '2', '2']);
      const pods = table(await kubectl.run('', ['get', 'pods', '-l', `app=${app}`, '-o', 'wide']));
      assert.deepEqual(pods[0], [
        'NAME',
        'READY',
        'STATUS',
        'RESTARTS',
        'AGE',
        'IP',
        'NODE',
        'NOMINATED NODE',
        'READINESS GATES',
      ]);
      assert.equal(pods.length, 3);
      assert.deepEqual(pods[1]?.slice(1, 4), ['1/1', 'Running', '0']);
      const labelled = await kubectl.run('', [
        'get',
        'pods',
        '-l',
        `app=${app}`,
        '--show-labels',
        '--no-headers',
      ]);
      assert.match(labelled, new RegExp(`app=${app},pod-template-hash=[a-z0-9]+\\n`));
    },
    'get services, ConfigMaps, Secrets, namespaces and nodes': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const run = (...args: readonly string[]) => kubectl.run(namespace, args);
      await kubectl.run(namespace, ['create', '-f', '-'], JSON.stringify(service('a')));
      await run('create', 'configmap', 'a', '--from-literal=x=1', '--from-literal=y=2');
      await run('create', 'secret', 'generic', 'a', '--from-literal=x=1');
      const rows = async (...args: readonly string[]) =>
        table(await run('get', ...args)).map((row) => row.slice(0, -1));
      const [head, row] = await rows('service', 'a', '-o', 'wide');
      assert.deepEqual(head, ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE']);
      assert.deepEqual([row?.[1], row?.[3], row?.[4]], ['ClusterIP', '<none>', '80/TCP']);
      assert.deepEqual(await rows('configmap', 'a'), [
        ['NAME', 'DATA'],
        ['a', '2'],
      ]);
      assert.deepEqual(await rows('secret', 'a'), [
        ['NAME', 'TYPE', 'DATA'],
        ['a', 'Opaque', '1'],
      ]);
      assert.deepEqual(await rows('ns', namespace), [
        ['NAME', 'STATUS'],
        [namespace, 'Active'],
      ]);
      assert.deepEqual((await rows('nodes'))[0]?.slice(0, 3), ['NAME', 'STATUS', 'ROLES']);
    },
    "get as YAML, by path, in columns of one's own, and of all namespaces": async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const object = configMap('a', { x: '1' }, { labels: { run: namespace } });
      await kubectl.run(namespace, ['create', '-f', '-'], JSON.stringify(object));
      const get = (...args: readonly string[]) => kubectl.run(namespace, ['get', 'cm', ...args]);
      assert.match(
        await get('a', '-o', 'yaml'),
        /^apiVersion: v1\ndata:\n {2}x: "1"\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "[^"]+"\n {2}labels:\n/,
      );
      assert.equal(await get('a', '-o', 'jsonpath={.data.x}'), '1');
      assert.equal(await get('a', '-o', 'name'), 'configmap/a\n');
      const columns = 'custom-columns=N:.metadata.name,X:.data.x';
      assert.deepEqual(table(await get('a', '-o', columns)), [
        ['N', 'X'],
        ['a', '1'],
      ]);
      const all = await kubectl.run('', ['get', 'cm', '-A', '-l', `run=${namespace}`]);
      assert.deepEqual(table(all)[1]?.slice(0, 3), [namespace, 'a', '1']);
    },
    'get -w: each change is a line': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const literals = ['create', 'configmap', 'a', '--from-literal=x=1'];
      await kubectl.run(namespace, literals);
      const all = kubectl.follow(namespace, [
        'get',
        'cm',
        '-w',
        '--field-selector',
        'metadata.name=a',
      ]);
      const only = kubectl.follow(namespace, ['get', 'cm', 'a', '--watch-only', '--no-headers']);
      try {
        await all.printed(/NAME +DATA +AGE\na +1 +\d+s\n/);
        // The second has begun when it shows a change; which one does not matter.
        let count = 0;
        await ground.until('both have seen a change', async () => {
          count += 1;
          const patch = JSON.stringify({ data: { [`y${count}`]: '2' } });
          await kubectl.run(namespace, ['patch', 'cm', 'a', '-p', patch]);
          const seen = [all, only].map((it) => /^a +[2-9]/m.test(it.text()));
          return seen.every(Boolean);
        });
        assert.doesNotMatch(only.text(), /^a +1 /m);
      } finally {
        all.stop();
        only.stop();
      }
    },
    'describe deployment': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground);
      const text = await kubectl.run('', ['describe', 'deployment', app]);
      const annotations = /^(Annotations:.*)\n +kubectl\.kubernetes\.io.*\n(?: {20,}.*\n)*/m;
      const described = normal(text.replace(annotations, '$1\n'), app);
      const [objects = '', events = ''] = described.split(/^Events:\n/m);
      assert.equal(objects.replaceAll(/^ +/gm, '  '), describedDeployment);
      assert.match(
        events,
        /Normal {2}ScalingReplicaSet {2}\w+ {2}deployment-controller {2}Scaled up replica set SET from 0 to 2\n/,
      );
    },
    'describe pod': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground, 1);
      const described = normal(await kubectl.run('', ['describe', 'pod', '-l', `app=${app}`]), app);
      for (const line of [
        'Namespace:  default',
        'Status:  Running',
        'IP:  IP',
        'Controlled By:  ReplicaSet/SET',
        '  Image:  podinfo:6.0.0',
        '  Port:  9898/TCP',
        '  State:  Running',
        '  Ready:  True',
        '  Restart Count:  0',
        '  Ready  True',
        '  ContainersReady  True',
        '  PodScheduled  True',
        'QoS Class:  BestEffort',
      ]) {
        assert.ok(described.split('\n').includes(line), `${line}\nis not in\n${described}`);
      }
    },
    'describe service': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground);
      await kubectl.run('', ['create', '-f', '-'], JSON.stringify(service(app)));
      const lines = await ground.until('it has endpoints', async () => {
        const text = normal(await kubectl.run('', ['describe', 'service', app]), app);
        return text.includes('Endpoints:  IP:9898,IP:9898') && text.split('\n');
      });
      for (const line of [
        'Selector:  app=APP',
        'Type:  ClusterIP',
        'IP Family Policy:  SingleStack',
        'IP Families:  IPv4',
        'IP:  IP',
        'Port:  <unset> 80/TCP',
        'TargetPort:  9898/TCP',
        'Session Affinity:  None',
        'Internal Traffic Policy:  Cluster',
        'Events:  <none>',
      ]) {
        const squeezed = lines.map((it) => it.replace('<unset>  ', '<unset> '));
        assert.ok(squeezed.includes(line), `${line}\nis not in\n${lines.join('\n')}`);
      }
    },
    'custom objects: columns, description, explanation, short names': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const version = {
        additionalPrinterColumns: [
          { name: 'Status', type: 'string', jsonPath: '.status.phase' },
          { name: 'Weight', type: 'string', jsonPath: '.status.weight', priority: 1 },
        ],
      };
      const schema = {
        type: 'object',
        description: 'A thing.',
        properties: {
          spec: {
            type: 'object',
            description: 'What is wanted.',
            properties: { size: { type: 'integer', description: 'How big.' } },
          },
          status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      };
      const widgets = await defineWidgets(ground, namespace, { version, schema });
      const object = widgets.widget('a', {
        spec: { size: 3 },
        status: { phase: 'Progressing', weight: '10' },
      });
      await kubectl.run(namespace, ['apply', '-f', '-'], JSON.stringify(object));
      const get = (...args: readonly string[]) =>
        kubectl.run(namespace, ['get', widgets.resource, ...args]);
      assert.deepEqual(table(await get()), [
        ['NAME', 'STATUS'],
        ['a', 'Progressing'],
      ]);
      assert.deepEqual(table(await get('-o', 'wide'))[1], ['a', 'Progressing', '10']);
      const described = await kubectl.run(namespace, ['describe', widgets.resource, 'a']);
      assert.match(described, /^Kind: {9}Widget\n/m);
      assert.match(described, /^Spec:\n {2}Size: {2}3\nStatus:\n/m);
      assert.match(described, /^Events: +<none>\n/m);
      const explained = await ground.until('it is explained', async () => {
        const args = ['explain', 'widgets.spec', `--api-version=${widgets.apiVersion}`];
        const { code, stdout } = await kubectl.try('', args);
        return code === 0 && stdout;
      });
      assert.match(
        explained,
        /FIELD: spec <Object>\n[^]*What is wanted\.[^]*size\t<integer>\n +How big\./,
      );
    },
    'explain and api-resources': async ({ kubectl }) => {
      const explained = await kubectl.run('', ['explain', 'deployment.spec.replicas']);
      assert.match(
        explained,
        /^GROUP: {6}apps\nKIND: {7}Deployment\nVERSION: {4}v1\n\nFIELD: replicas <integer>\n/,
      );
      const resources = table(await kubectl.run('', ['api-resources', '--api-group=apps']));
      assert.deepEqual(resources[0], ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND']);
      const deployments = resources.find(([name]) => name === 'deployments');
      assert.deepEqual(deployments, ['deployments', 'deploy', 'apps/v1', 'true', 'Deployment']);
    },
    'events, and get events in order': async (ground) => {
      const { kubectl } = ground;
      const app = await available(ground, 1);
      const told = await kubectl.run('', ['events', '--for', `deployment/${app}`]);
      assert.match(
        told,
        new RegExp(`Normal +ScalingReplicaSet +Deployment/${app} +Scaled up replica set ${app}-`),
      );
      const selector = `involvedObject.name=${app}`;
      const args = ['--sort-by=.metadata.creationTimestamp', '--field-selector', selector];
      const listed = table(await kubectl.run('', ['get', 'events', ...args]));
      assert.deepEqual(listed[0], ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']);
      assert.deepEqual(listed[1]?.slice(1, 4), [
        'Normal',
        'ScalingReplicaSet',
        `deployment/${app}`,
      ]);
    },
    'what is not there': async (ground) => {
      const { kubectl } = ground;
      const namespace = await ground.namespace();
      const none = await kubectl.try(namespace, ['get', 'cm', 'none']);
      assert.deepEqual(none, {
        code: 1,
        stdout: '',
        stderr: 'Error from server (NotFound): configmaps "none" not found\n',
      });
      const empty = await kubectl.try(namespace, ['get', 'secrets']);
      assert.equal(empty.stderr, `No resources found in ${namespace} namespace.\n`);
      const unknown = await kubectl.try(namespace, ['get', 'frobs']);
      assert.equal(unknown.stderr, 'error: the server doesn\'t have a resource type "frobs"\n');
    },
    'auth can-i, auth whoami and version': async ({ kubectl }) => {
      assert.equal(await kubectl.run('', ['auth', 'can-i', 'create', 'deployments']), 'yes\n');
      assert.match(await kubectl.run('', ['auth', 'whoami']), /system:masters/);
      assert.match(await kubectl.run('', ['version']), /Server Version: v1\.\d+\.\d+/);
    },
  },
};
