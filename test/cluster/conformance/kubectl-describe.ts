/** What people look into: kubectl's descriptions, explanations and events. */
import assert from 'node:assert/strict';
import { available, table } from './kubectl.ts';
import { service } from './paths.ts';
import type { Chapter } from './site.ts';
import { defineWidgets } from './widgets.ts';

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

export const kubectlDescribe: Chapter = {
  title: 'kubectl describes',
  needsKubectl: true,
  tests: {
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
  },
};
