/**
 * What is sent to an API server to learn how it patches, and who owns what after it. Each case is a
 * story about one object of its own; `record.ts` writes down the answers, and the tests replay them.
 */

export interface Step {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly type?: string;
  readonly subresource?: string;
  readonly manager?: string;
  readonly force?: boolean;
  /** A string is sent as it is. Of a PUT: a merge patch on the answer of the step before. */
  readonly body: unknown;
}

export type KindName =
  'Deployment' | 'Service' | 'ConfigMap' | 'Widget' | 'HorizontalPodAutoscaler';

export interface Case {
  readonly kind: KindName;
  readonly steps: readonly Step[];
}

export interface Kind {
  readonly apiVersion: string;
  readonly plural: string;
}

export const kinds: Readonly<Record<KindName, Kind>> = {
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments' },
  Service: { apiVersion: 'v1', plural: 'services' },
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps' },
  Widget: { apiVersion: 'patch.test/v1', plural: 'widgets' },
  HorizontalPodAutoscaler: { apiVersion: 'autoscaling/v2', plural: 'horizontalpodautoscalers' },
};

const json = 'application/json-patch+json';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const applied = 'application/apply-patch+yaml';

/** A name in a body stands for the name of the object. */
export const nameHere = '$NAME';

const meta = { name: nameHere };

const container = (name: string, more: object = {}): object => ({
  name,
  image: `example.test/${name}:1`,
  imagePullPolicy: 'IfNotPresent',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  ...more,
});

const deployment = (containers: readonly object[], more: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...meta, labels: { app: 'a', tier: 'web' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'a' } },
    template: {
      metadata: { labels: { app: 'a' } },
      spec: { containers, volumes: [{ name: 'v', emptyDir: {} }] },
    },
    ...more,
  },
});

const env = [
  { name: 'A', value: '1' },
  { name: 'B', value: '2' },
  { name: 'C', value: '3' },
];

const create = (body: unknown, manager = 'creator'): Step => ({ method: 'POST', manager, body });
const patch =
  (type: string) =>
  (body: unknown, more: Partial<Step> = {}): Step => ({
    method: 'PATCH',
    type,
    manager: 'patcher',
    body,
    ...more,
  });
const jsonPatch = patch(json);
const mergePatch = patch(merge);
const strategicPatch = patch(strategic);
const apply = (body: unknown, manager: string, more: Partial<Step> = {}): Step => ({
  method: 'PATCH',
  type: applied,
  manager,
  body,
  ...more,
});

const base = create(
  deployment([container('app', { env, ports: [{ containerPort: 80, protocol: 'TCP' }] })]),
);
const two = create(deployment([container('app', { env }), container('side')]));
const template = (spec: object): object => ({ spec: { template: { spec } } });

const applyDeployment = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...meta, ...metadata },
  spec,
});

const minimal = {
  selector: { matchLabels: { app: 'a' } },
  template: {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'app', image: 'example.test/app:1' }] },
  },
};

const limited = (cpu: string): object => ({
  ...minimal,
  template: {
    metadata: { labels: { app: 'a' } },
    spec: {
      containers: [{ name: 'app', image: 'example.test/app:1', resources: { limits: { cpu } } }],
    },
  },
});

const widget = (spec: object, more: object = {}): object => ({
  apiVersion: 'patch.test/v1',
  kind: 'Widget',
  metadata: { ...meta },
  spec,
  ...more,
});

const service = (ports: readonly object[], more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...meta },
  spec: { selector: { app: 'a' }, ports, ...more },
});

const configMap = (data: object, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...meta, ...more },
  data,
});

const deploymentOf = (...steps: readonly Step[]): Case => ({ kind: 'Deployment', steps });
const widgetOf = (...steps: readonly Step[]): Case => ({ kind: 'Widget', steps });
const serviceOf = (...steps: readonly Step[]): Case => ({ kind: 'Service', steps });
const configMapOf = (...steps: readonly Step[]): Case => ({ kind: 'ConfigMap', steps });

const strategicCases: Readonly<Record<string, Case>> = {
  'strategic: sets an image by the name of the container': deploymentOf(
    two,
    strategicPatch(template({ containers: [{ name: 'side', image: 'example.test/side:2' }] })),
  ),
  'strategic: adds a container before those that are there': deploymentOf(
    base,
    strategicPatch(template({ containers: [container('new')] })),
  ),
  'strategic: deletes a container': deploymentOf(
    two,
    strategicPatch(template({ containers: [{ name: 'side', $patch: 'delete' }] })),
  ),
  'strategic: deletes a container that is not there': deploymentOf(
    two,
    strategicPatch(template({ containers: [{ name: 'ghost', $patch: 'delete' }] })),
  ),
  'strategic: replaces the list of containers': deploymentOf(
    two,
    strategicPatch(template({ containers: [container('only'), { $patch: 'replace' }] })),
  ),
  'strategic: sets the order of the elements': deploymentOf(
    base,
    strategicPatch(
      template({
        containers: [
          {
            name: 'app',
            '$setElementOrder/env': [{ name: 'C' }, { name: 'A' }, { name: 'D' }],
            env: [{ name: 'D', value: '4' }],
          },
        ],
        '$setElementOrder/containers': [{ name: 'app' }],
      }),
    ),
  ),
  'strategic: an order alone moves elements': deploymentOf(
    base,
    strategicPatch(
      template({
        containers: [
          { name: 'app', '$setElementOrder/env': [{ name: 'C' }, { name: 'B' }, { name: 'A' }] },
        ],
      }),
    ),
  ),
  'strategic: an order that the patch does not keep is refused': deploymentOf(
    base,
    strategicPatch(
      template({
        containers: [
          {
            name: 'app',
            '$setElementOrder/env': [{ name: 'B' }, { name: 'A' }],
            env: [
              { name: 'A', value: 'x' },
              { name: 'B', value: 'y' },
            ],
          },
        ],
      }),
    ),
  ),
  'strategic: null deletes a field': deploymentOf(
    base,
    strategicPatch({ metadata: { labels: { tier: null } } }),
  ),
  'strategic: null for a field that is not there is nothing': deploymentOf(
    base,
    strategicPatch({ metadata: { labels: { ghost: null } } }),
  ),
  'strategic: nulls within new objects are left out': deploymentOf(
    base,
    strategicPatch({ metadata: { annotations: { a: 'b', c: null } } }),
  ),
  'strategic: env by name': deploymentOf(
    base,
    strategicPatch(
      template({
        containers: [
          {
            name: 'app',
            env: [
              { name: 'B', $patch: 'delete' },
              { name: 'A', value: '9' },
              { name: 'Z', value: '0' },
            ],
          },
        ],
      }),
    ),
  ),
  'strategic: ports by number, whatever the protocol': deploymentOf(
    base,
    strategicPatch(
      template({ containers: [{ name: 'app', ports: [{ containerPort: 80, name: 'http' }] }] }),
    ),
  ),
  'strategic: $patch replace of a map': deploymentOf(
    base,
    strategicPatch({ metadata: { labels: { $patch: 'replace', only: 'this' } } }),
  ),
  'strategic: $patch delete of a map': deploymentOf(
    base,
    strategicPatch({ metadata: { labels: { $patch: 'delete' } } }),
  ),
  'strategic: $patch merge is refused': deploymentOf(
    base,
    strategicPatch({ metadata: { labels: { $patch: 'merge', a: 'b' } } }),
  ),
  'strategic: $retainKeys with a change of the strategy': deploymentOf(
    base,
    strategicPatch({ spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
  ),
  'strategic: $retainKeys without a key of the patch is refused': deploymentOf(
    base,
    strategicPatch({
      spec: { strategy: { $retainKeys: ['type'], type: 'Recreate', rollingUpdate: {} } },
    }),
  ),
  'strategic: $retainKeys on a volume': deploymentOf(
    base,
    strategicPatch(
      template({
        volumes: [
          {
            name: 'v',
            $retainKeys: ['name', 'configMap'],
            configMap: { name: 'c', defaultMode: 420 },
          },
        ],
      }),
    ),
  ),
  'strategic: an item without its merge key is refused': deploymentOf(
    base,
    strategicPatch(template({ containers: [{ image: 'x' }] })),
  ),
  'strategic: finalizers are merged and made unique': configMapOf(
    create(configMap({ a: '1' }, { finalizers: ['x.test/a', 'x.test/b'] })),
    strategicPatch({ metadata: { finalizers: ['x.test/c', 'x.test/a'] } }),
    strategicPatch({ metadata: { '$deleteFromPrimitiveList/finalizers': ['x.test/b'] } }),
    strategicPatch({
      metadata: {
        '$setElementOrder/finalizers': ['x.test/c', 'x.test/a', 'x.test/d'],
        finalizers: ['x.test/d'],
      },
    }),
  ),
  'strategic: a list of primitives that is atomic is replaced': deploymentOf(
    base,
    strategicPatch(template({ containers: [{ name: 'app', args: ['a', 'b'] }] })),
    strategicPatch(template({ containers: [{ name: 'app', args: ['c'] }] })),
  ),
  'strategic: a body that is no JSON is refused': deploymentOf(base, strategicPatch('{"a"')),
  'strategic: a body that is a list is refused': deploymentOf(base, strategicPatch('[]')),
  'strategic: a map where a list is': deploymentOf(
    base,
    strategicPatch(template({ containers: {} })),
  ),
  'strategic: is not for custom resources': widgetOf(
    create(widget({ size: 1 })),
    strategicPatch({ spec: { size: 2 } }),
  ),
  'strategic: data of a ConfigMap': configMapOf(
    create(configMap({ a: '1', b: '2' })),
    strategicPatch({ data: { b: null, c: '3' } }),
  ),
  'strategic: ports of a Service': serviceOf(
    create(service([{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }])),
    strategicPatch({
      spec: {
        ports: [
          { port: 80, targetPort: 8080 },
          { name: 'other', port: 81, protocol: 'TCP', targetPort: 81 },
        ],
      },
    }),
    strategicPatch({ spec: { selector: { b: 'c' } } }),
  ),
  'strategic: an unknown field is not merged': deploymentOf(
    base,
    strategicPatch({ spec: { ghost: { a: 1 } } }),
  ),
};

const jsonCases: Readonly<Record<string, Case>> = {
  'json: adds, replaces, removes': deploymentOf(
    base,
    jsonPatch([
      { op: 'test', path: '/spec/replicas', value: 2 },
      { op: 'replace', path: '/spec/replicas', value: 3 },
      { op: 'add', path: '/metadata/labels/new', value: 'x' },
      { op: 'remove', path: '/metadata/labels/tier' },
      {
        op: 'add',
        path: '/spec/template/spec/containers/0/env/1',
        value: { name: 'N', value: 'n' },
      },
      {
        op: 'add',
        path: '/spec/template/spec/containers/0/env/-',
        value: { name: 'Z', value: 'z' },
      },
      { op: 'copy', from: '/metadata/labels/app', path: '/metadata/labels/copied' },
      { op: 'move', from: '/metadata/labels/copied', path: '/metadata/labels/moved' },
    ]),
  ),
  'json: a failed test': deploymentOf(
    base,
    jsonPatch([{ op: 'test', path: '/spec/replicas', value: 9 }]),
  ),
  'json: a test of a field that is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'test', path: '/metadata/labels/ghost', value: 'x' }]),
  ),
  'json: a test that a field is not there': deploymentOf(
    base,
    jsonPatch([
      { op: 'test', path: '/metadata/labels/ghost', value: null },
      { op: 'add', path: '/metadata/labels/ghost', value: 'x' },
    ]),
  ),
  'json: a test under a path that is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'test', path: '/spec/ghost/a', value: 1 }]),
  ),
  'json: a test beyond a list': deploymentOf(
    base,
    jsonPatch([{ op: 'test', path: '/spec/template/spec/containers/7', value: 1 }]),
  ),
  'json: removes what is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'remove', path: '/metadata/labels/ghost' }]),
  ),
  'json: removes under a path that is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'remove', path: '/metadata/annotations/ghost' }]),
  ),
  'json: removes beyond a list': deploymentOf(
    base,
    jsonPatch([{ op: 'remove', path: '/spec/template/spec/containers/7' }]),
  ),
  'json: replaces what is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'replace', path: '/metadata/labels/ghost', value: 'x' }]),
  ),
  'json: replaces under a path that is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'replace', path: '/metadata/annotations/ghost', value: 'x' }]),
  ),
  'json: replaces beyond a list': deploymentOf(
    base,
    jsonPatch([{ op: 'replace', path: '/spec/template/spec/containers/7', value: {} }]),
  ),
  'json: adds under a path that is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'add', path: '/metadata/annotations/ghost', value: 'x' }]),
  ),
  'json: adds beyond a list': deploymentOf(
    base,
    jsonPatch([{ op: 'add', path: '/spec/template/spec/containers/7', value: {} }]),
  ),
  'json: adds at no index': deploymentOf(
    base,
    jsonPatch([{ op: 'add', path: '/spec/template/spec/containers/x', value: {} }]),
  ),
  'json: counts from the end': deploymentOf(
    base,
    jsonPatch([
      { op: 'replace', path: '/spec/template/spec/containers/0/env/-1/value', value: 'l' },
    ]),
  ),
  'json: moves from where nothing is': deploymentOf(
    base,
    jsonPatch([{ op: 'move', from: '/metadata/labels/ghost', path: '/metadata/labels/x' }]),
  ),
  'json: copies from under a path that is not there': deploymentOf(
    base,
    jsonPatch([{ op: 'copy', from: '/metadata/annotations/ghost', path: '/metadata/labels/x' }]),
  ),
  'json: an unknown operation': deploymentOf(
    base,
    jsonPatch([{ op: 'destroy', path: '/metadata/labels' }]),
  ),
  'json: an operation without a path': deploymentOf(base, jsonPatch([{ op: 'remove' }])),
  'json: an object in place of the operations': deploymentOf(base, jsonPatch({ a: 1 })),
  'json: a body that is no JSON': deploymentOf(base, jsonPatch('[{')),
  'json: escapes in paths': configMapOf(
    create(configMap({ a: '1' }, { annotations: { 'x.test/a': '1' } })),
    jsonPatch([
      { op: 'replace', path: '/metadata/annotations/x.test~1a', value: '2' },
      { op: 'add', path: '/metadata/annotations/x.test~1b', value: '3' },
    ]),
  ),
  'json: no operations': configMapOf(create(configMap({ a: '1' })), jsonPatch([])),
};

const mergeCases: Readonly<Record<string, Case>> = {
  'merge: a list is replaced as a whole': deploymentOf(
    two,
    mergePatch(template({ containers: [container('app', { image: 'example.test/app:2' })] })),
  ),
  'merge: null deletes, nested objects merge': widgetOf(
    create(widget({ size: 1, labels: { a: '1', b: '2' }, free: { x: { y: 1 } } })),
    mergePatch({ spec: { labels: { a: null, c: '3' }, free: { x: { z: 2 } } } }),
  ),
  'merge: of nothing': configMapOf(create(configMap({ a: '1' })), mergePatch({})),
  'merge: a body that is no JSON': configMapOf(create(configMap({ a: '1' })), mergePatch('{"a"')),
  'merge: a list': configMapOf(create(configMap({ a: '1' })), mergePatch('[]')),
  'merge: a string': configMapOf(create(configMap({ a: '1' })), mergePatch('"a"')),
};

const ownerCases: Readonly<Record<string, Case>> = {
  'owners: a created Deployment': deploymentOf(base),
  'owners: a created Service': serviceOf(
    create(
      service([
        { name: 'a', port: 80 },
        { name: 'b', port: 80, protocol: 'UDP' },
      ]),
    ),
  ),
  'owners: a created Widget': widgetOf(
    create(
      widget({
        size: 1,
        labels: { a: '1' },
        atomicMap: { a: '1' },
        tags: ['x', 'y'],
        plain: ['x'],
        parts: [{ name: 'p', count: 1 }],
        ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }],
        free: { a: { b: [1] }, e: {} },
        either: 5,
      }),
    ),
  ),
  'owners: an update that takes a field, and one that removes it': deploymentOf(
    base,
    mergePatch({ spec: { replicas: 5 } }, { manager: 'scaler' }),
    mergePatch({ metadata: { labels: { tier: null } } }, { manager: 'remover' }),
    mergePatch({ metadata: { labels: { tier: 'again' } } }, { manager: 'adder' }),
  ),
  'owners: a write that changes nothing': deploymentOf(
    base,
    mergePatch({ spec: { replicas: 2 } }, { manager: 'idle' }),
    { method: 'PUT', manager: 'idle', body: {} },
  ),
  'owners: one who removes a field of its own': deploymentOf(
    base,
    mergePatch({ metadata: { labels: { tier: null } } }, { manager: 'creator' }),
  ),
  'owners: the same manager again': deploymentOf(
    base,
    mergePatch({ spec: { replicas: 5 } }, { manager: 'creator' }),
  ),
  'owners: a replaced object': deploymentOf(base, {
    method: 'PUT',
    manager: 'replacer',
    body: { metadata: { labels: { app: 'b', tier: null } }, spec: { replicas: 1 } },
  }),
  'owners: a container that comes and goes': deploymentOf(
    base,
    strategicPatch(template({ containers: [container('new')] }), { manager: 'adder' }),
    strategicPatch(template({ containers: [{ name: 'new', $patch: 'delete' }] }), {
      manager: 'remover',
    }),
  ),
  'owners: the status': deploymentOf(
    base,
    mergePatch(
      {
        status: {
          replicas: 1,
          conditions: [
            { type: 'Available', status: 'True', reason: 'R', message: 'm' },
            { type: 'Progressing', status: 'True', reason: 'R', message: 'm' },
          ],
        },
        spec: { replicas: 9 },
        metadata: { labels: { x: 'y' }, annotations: { a: 'b' } },
      },
      { subresource: 'status', manager: 'controller' },
    ),
    mergePatch(
      {
        status: {
          conditions: [
            {
              type: 'Available',
              status: 'False',
              reason: 'R',
              message: 'm',
              lastTransitionTime: null,
              lastUpdateTime: null,
            },
          ],
        },
      },
      { subresource: 'status', manager: 'controller' },
    ),
  ),
  'owners: a status that is sent with the object': deploymentOf(
    base,
    mergePatch({ status: { replicas: 7 }, spec: { replicas: 3 } }),
  ),
  'owners: the status of a Widget': widgetOf(
    create(widget({ size: 1 }, { status: { phase: 'Ignored' } })),
    mergePatch(
      { status: { phase: 'Ready' }, spec: { size: 9 }, metadata: { labels: { x: 'y' } } },
      { subresource: 'status', manager: 'controller' },
    ),
  ),
  'owners: the scale': deploymentOf(
    base,
    mergePatch({ spec: { replicas: 7 } }, { subresource: 'scale', manager: 'scaler' }),
    mergePatch({ spec: { replicas: 8 } }, { subresource: 'scale', manager: 'scaler' }),
    mergePatch({ spec: { replicas: 4 } }, { manager: 'other' }),
  ),
  'owners: users may send them': configMapOf(
    create(configMap({ a: '1' })),
    mergePatch(
      {
        metadata: {
          managedFields: [
            {
              manager: 'made-up',
              operation: 'Update',
              apiVersion: 'v1',
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:data': { 'f:a': {} } },
            },
          ],
        },
      },
      { manager: 'editor' },
    ),
  ),
  'owners: users may take them all away': configMapOf(
    create(configMap({ a: '1' })),
    mergePatch({ metadata: { managedFields: [{}] } }, { manager: 'editor' }),
    mergePatch({ data: { a: '2' } }, { manager: 'later' }),
    apply(configMap({ b: '3' }), 'applier'),
  ),
  'owners: what is no set of owners is left aside': configMapOf(
    create(configMap({ a: '1' })),
    mergePatch(
      { metadata: { managedFields: [{ manager: 'x', operation: 'Guess', apiVersion: 'v1' }] } },
      { manager: 'editor' },
    ),
  ),
  'owners: many updaters become ancient': configMapOf(
    create(configMap({ a: '0' })),
    ...Array.from({ length: 11 }, (_, at) =>
      mergePatch({ data: { [`k${at}`]: 'x' } }, { manager: `m${String(at).padStart(2, '0')}` }),
    ),
  ),
  'owners: duplicates in a list': deploymentOf(
    base,
    jsonPatch([
      {
        op: 'add',
        path: '/spec/template/spec/containers/0/env/-',
        value: { name: 'A', value: '9' },
      },
    ]),
    jsonPatch([{ op: 'remove', path: '/spec/template/spec/containers/0/env/3' }], {
      manager: 'cleaner',
    }),
  ),
  'owners: the default manager': configMapOf(create(configMap({ a: '1' })), {
    method: 'PATCH',
    type: merge,
    body: { data: { a: '2' } },
  }),
  'owners: metrics of an autoscaler': {
    kind: 'HorizontalPodAutoscaler',
    steps: [
      create({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: meta,
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
          minReplicas: 1,
          maxReplicas: 3,
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
            },
          ],
        },
      }),
      mergePatch({ spec: { maxReplicas: 4 } }),
    ],
  },
};

const applyCases: Readonly<Record<string, Case>> = {
  'apply: creates a Deployment': deploymentOf(
    apply(applyDeployment({ ...minimal, replicas: 2 }), 'one'),
  ),
  'apply: twice is once': deploymentOf(
    apply(applyDeployment(minimal), 'one'),
    apply(applyDeployment(minimal), 'one'),
  ),
  'apply: a second owner of the same value': deploymentOf(
    apply(applyDeployment({ ...minimal, replicas: 2 }), 'one'),
    apply(applyDeployment({ ...minimal, replicas: 2 }), 'two'),
    apply(applyDeployment({ ...minimal, replicas: 2, paused: true }), 'two'),
    apply(applyDeployment(minimal), 'one'),
    apply(applyDeployment(minimal), 'two'),
  ),
  'apply: a conflict with one who applied': deploymentOf(
    apply(applyDeployment({ ...minimal, replicas: 2 }), 'one'),
    apply(applyDeployment({ replicas: 3 }), 'two'),
    apply(applyDeployment({ replicas: 3 }), 'two', { force: true }),
    apply(applyDeployment(minimal), 'one'),
  ),
  'apply: a conflict with one who updated': deploymentOf(
    base,
    apply(applyDeployment({ replicas: 3 }), 'one'),
    apply(applyDeployment({ replicas: 3 }), 'one', { force: true }),
  ),
  'apply: conflicts with several, over several fields': deploymentOf(
    base,
    mergePatch({ metadata: { labels: { tier: 'db' } } }, { manager: 'labeller' }),
    mergePatch({ status: { replicas: 1 } }, { manager: 'controller', subresource: 'status' }),
    apply(
      applyDeployment(
        {
          replicas: 3,
          ...template({
            containers: [
              {
                name: 'app',
                image: 'example.test/app:3',
                env: [{ name: 'A', value: '9' }],
                ports: [{ containerPort: 80, name: 'x' }],
              },
            ],
          }),
          template: {
            spec: { containers: [{ name: 'app', image: 'example.test/app:3' }] },
          },
        },
        { labels: { tier: 'x', app: 'z' } },
      ),
      'one',
    ),
  ),
  'apply: a conflict with a subresource': deploymentOf(
    base,
    mergePatch({ spec: { replicas: 7 } }, { subresource: 'scale', manager: 'scaler' }),
    apply(applyDeployment({ replicas: 3 }), 'one'),
  ),
  'apply: the same value as an updater makes two owners': deploymentOf(
    base,
    apply(applyDeployment({ replicas: 2 }), 'one'),
    apply(applyDeployment({ replicas: 2, minReadySeconds: 5 }), 'one'),
  ),
  'apply: fields that are no longer applied go': deploymentOf(
    apply(
      applyDeployment(
        {
          ...minimal,
          replicas: 4,
          template: {
            metadata: { labels: { app: 'a', extra: 'x' }, annotations: { only: 'this' } },
            spec: {
              containers: [
                {
                  name: 'app',
                  image: 'example.test/app:1',
                  args: ['a'],
                  env: [
                    { name: 'A', value: '1' },
                    { name: 'B', value: '2' },
                  ],
                  ports: [{ containerPort: 80 }, { containerPort: 81, protocol: 'UDP' }],
                },
                { name: 'side', image: 'example.test/side:1' },
              ],
              nodeSelector: { a: 'b' },
            },
          },
        },
        { labels: { a: 'b' }, annotations: { c: 'd' } },
      ),
      'one',
    ),
    apply(
      applyDeployment({
        ...minimal,
        template: {
          metadata: { labels: { app: 'a' } },
          spec: {
            containers: [
              {
                name: 'app',
                image: 'example.test/app:1',
                env: [{ name: 'B', value: '2' }],
                ports: [{ containerPort: 81, protocol: 'UDP' }],
              },
            ],
          },
        },
      }),
      'one',
    ),
  ),
  'apply: fields that somebody else owns stay': deploymentOf(
    apply(applyDeployment({ ...minimal, replicas: 4, paused: true }), 'one'),
    mergePatch({ spec: { replicas: 5 } }, { manager: 'scaler' }),
    strategicPatch(template({ containers: [{ name: 'app', env: [{ name: 'X', value: 'y' }] }] }), {
      manager: 'injector',
    }),
    apply(applyDeployment(minimal), 'one'),
  ),
  'apply: an item of which somebody else owns a part stays': deploymentOf(
    apply(
      applyDeployment({
        ...minimal,
        template: {
          metadata: { labels: { app: 'a' } },
          spec: {
            containers: [
              { name: 'app', image: 'example.test/app:1' },
              { name: 'side', image: 'example.test/side:1', args: ['x'] },
            ],
          },
        },
      }),
      'one',
    ),
    strategicPatch(template({ containers: [{ name: 'side', image: 'example.test/side:2' }] }), {
      manager: 'updater',
    }),
    apply(applyDeployment(minimal), 'one'),
  ),
  'apply: order of a list with new items': deploymentOf(
    two,
    apply(
      applyDeployment({
        template: {
          spec: {
            containers: [
              { name: 'first', image: 'example.test/first:1' },
              { name: 'side' },
              { name: 'last', image: 'example.test/last:1' },
            ],
          },
        },
      }),
      'one',
    ),
    apply(
      applyDeployment({
        template: {
          spec: {
            containers: [
              { name: 'last', image: 'example.test/last:1' },
              { name: 'first', image: 'example.test/first:1' },
              { name: 'side' },
            ],
          },
        },
      }),
      'one',
    ),
  ),
  'apply: order of a set': widgetOf(
    create(widget({ tags: ['a', 'b', 'c', 'd', 'e'] })),
    apply(widget({ tags: ['e', 'x', 'b', 'y', 'a'] }), 'one'),
    apply(widget({ tags: ['d', 'c', 'z', 'b'] }), 'two'),
    apply(widget({ tags: ['a', 'n', 'e'] }), 'one'),
  ),
  'apply: order of items that have parts': widgetOf(
    create(widget({ parts: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }] })),
    apply(
      widget({ parts: [{ name: 'c', count: 1 }, { name: 'a', count: 2 }, { name: 'x' }] }),
      'one',
    ),
    apply(widget({ parts: [{ name: 'y' }, { name: 'd' }, { name: 'a' }, { name: 'b' }] }), 'two'),
  ),
  'apply: the same in other words': deploymentOf(
    apply(applyDeployment(limited('500m')), 'one'),
    apply(applyDeployment(limited('0.5')), 'one'),
    apply(applyDeployment(limited('1')), 'one'),
  ),
  'apply: an atomic map is owned as a whole': serviceOf(
    create(service([{ name: 'http', port: 80 }])),
    apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta,
        spec: { selector: { app: 'a', more: 'x' } },
      },
      'one',
    ),
    apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta,
        spec: { selector: { app: 'a', more: 'x' } },
      },
      'one',
      { force: true },
    ),
  ),
  'apply: ports with the default protocol': serviceOf(
    apply(service([{ name: 'http', port: 80 }]), 'one'),
    apply(service([{ name: 'http', port: 80, protocol: 'TCP' }]), 'one'),
    apply(
      service([
        { name: 'http', port: 80 },
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53 },
      ]),
      'one',
    ),
    apply(service([{ name: 'dns', port: 53, protocol: 'UDP' }]), 'one'),
  ),
  'apply: a Widget': widgetOf(
    apply(
      widget({
        size: 1,
        labels: { a: '1' },
        atomicMap: { a: '1' },
        tags: ['x', 'y'],
        plain: ['x'],
        parts: [{ name: 'p', count: 1 }],
        ports: [{ port: 80 }],
        free: { a: { b: [1] }, e: {} },
        either: 5,
      }),
      'one',
    ),
    apply(widget({ tags: ['z', 'y'], parts: [{ name: 'q' }], labels: { b: '2' } }), 'two'),
    apply(widget({ tags: ['x'], parts: [], free: { a: {} } }), 'one'),
    apply(widget({ size: 2 }), 'one'),
  ),
  'apply: conflicts in a Widget': widgetOf(
    create(
      widget({
        size: 1,
        labels: { a: '1' },
        atomicMap: { a: '1' },
        plain: ['x'],
        parts: [{ name: 'p', count: 1 }],
        ports: [{ port: 80, weight: 1 }],
        either: 5,
      }),
    ),
    apply(
      widget({
        size: 2,
        labels: { a: '2' },
        atomicMap: { a: '2' },
        plain: ['y'],
        parts: [{ name: 'p', count: 2 }],
        ports: [{ port: 80, weight: 2 }],
        either: 'x',
      }),
      'one',
    ),
  ),
  'apply: the status of a Widget': widgetOf(
    create(widget({ size: 1 })),
    apply(widget({ size: 5 }, { status: { phase: 'A' } }), 'one', { subresource: 'status' }),
    apply(widget({ size: 1 }, { status: { phase: 'B' } }), 'one'),
  ),
  'apply: to what an updater made': configMapOf(
    create(configMap({ a: '1', b: '2' })),
    apply(configMap({ a: '1', c: '3' }), 'one'),
    apply(configMap({ c: '3' }), 'one'),
    apply(configMap({}), 'one'),
  ),
  'apply: nothing any more': configMapOf(
    apply(configMap({ a: '1' }, { labels: { x: 'y' } }), 'one'),
    apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: meta }, 'one'),
  ),
  'apply: finalizers are a set': configMapOf(
    apply(configMap({ a: '1' }, { finalizers: ['x.test/a', 'x.test/b'] }), 'one'),
    apply(configMap({ a: '1' }, { finalizers: ['x.test/c', 'x.test/a'] }), 'two'),
    apply(configMap({ a: '1' }, { finalizers: ['x.test/b'] }), 'one'),
  ),
  'apply: YAML': configMapOf(
    apply(
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${nameHere}\ndata:\n  a: "1"\n  b: |\n    two\n`,
      'one',
    ),
  ),
  'apply: YAML that is none': configMapOf(create(configMap({ a: '1' })), apply('a: b: c', 'one')),
  'apply: an empty body': configMapOf(create(configMap({ a: '1' })), apply('', 'one')),
  'apply: of another kind': configMapOf(
    create(configMap({ a: '1' })),
    apply({ apiVersion: 'v1', kind: 'Secret', metadata: meta }, 'one'),
  ),
  'apply: of another version': configMapOf(
    create(configMap({ a: '1' })),
    apply({ apiVersion: 'v2', kind: 'ConfigMap', metadata: meta }, 'one'),
  ),
  'apply: owners in the configuration': configMapOf(
    create(configMap({ a: '1' })),
    apply(configMap({ a: '1' }, { managedFields: [] }), 'one'),
  ),
  'apply: an unknown field': deploymentOf(
    base,
    apply(applyDeployment({ ghost: 1, replicas: 2 }), 'one'),
  ),
  'apply: values of wrong types': deploymentOf(
    base,
    apply(applyDeployment({ replicas: 'two' }), 'one'),
    apply(applyDeployment({ paused: 'yes' }), 'one'),
    apply(applyDeployment({ template: { spec: { nodeName: 5 } } }), 'one'),
    apply(applyDeployment({ template: { spec: { containers: {} } } }), 'one'),
    apply(applyDeployment({ template: { spec: [] } }), 'one'),
    apply(applyDeployment({ template: { spec: 'x' } }), 'one'),
    apply(applyDeployment({ template: { spec: { containers: 'x' } } }), 'one'),
  ),
  'apply: items that cannot be told apart': deploymentOf(
    base,
    apply(applyDeployment({ template: { spec: { containers: [{ image: 'x' }] } } }), 'one'),
    apply(
      applyDeployment({
        template: {
          spec: {
            containers: [
              { name: 'a', image: 'x' },
              { name: 'a', image: 'y' },
            ],
          },
        },
      }),
      'one',
    ),
  ),
  'apply: null takes no part': configMapOf(
    create(configMap({ a: '1' })),
    apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: null }, 'one'),
    apply(configMap({ a: null }), 'two', { force: true }),
  ),
  'apply: kubectl moves on from client-side apply': configMapOf(
    create(
      configMap(
        { a: '1', b: '2' },
        {
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration':
              '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"$NAME","namespace":"default"},"data":{"a":"1","b":"2"}}\n',
          },
        },
      ),
      'kubectl-client-side-apply',
    ),
    apply(configMap({ a: '5', b: '2' }), 'someone'),
    apply(configMap({ a: '5', b: '2' }), 'kubectl'),
    mergePatch({ data: { a: '6' } }, { manager: 'editor' }),
    apply(configMap({ a: '7', b: '3' }), 'kubectl'),
  ),
  'apply: an update by one who applied': configMapOf(
    apply(configMap({ a: '1' }), 'one'),
    mergePatch({ data: { a: '2', b: '3' } }, { manager: 'one' }),
    apply(configMap({ a: '1' }), 'one'),
    apply(configMap({ a: '1' }), 'one', { force: true }),
  ),
  'apply: without a manager': configMapOf(create(configMap({ a: '1' })), {
    method: 'PATCH',
    type: applied,
    body: configMap({ a: '1' }),
  }),
};

const otherCases: Readonly<Record<string, Case>> = {
  'a patch in a form that is not known': configMapOf(
    create(configMap({ a: '1' })),
    patch('application/json')({ data: { a: '2' } }),
    patch('text/plain')('x'),
  ),
};

export const cases: Readonly<Record<string, Case>> = {
  ...strategicCases,
  ...jsonCases,
  ...mergeCases,
  ...ownerCases,
  ...applyCases,
  ...otherCases,
};

/** A kind whose schema has every sort of list and map. */
export const widgetDefinition: object = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.patch.test' },
  spec: {
    group: 'patch.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer' },
                  labels: { type: 'object', additionalProperties: { type: 'string' } },
                  atomicMap: {
                    type: 'object',
                    'x-kubernetes-map-type': 'atomic',
                    additionalProperties: { type: 'string' },
                  },
                  tags: {
                    type: 'array',
                    'x-kubernetes-list-type': 'set',
                    items: { type: 'string' },
                  },
                  plain: { type: 'array', items: { type: 'string' } },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, count: { type: 'integer' } },
                    },
                  },
                  ports: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['port', 'protocol'],
                    items: {
                      type: 'object',
                      required: ['port'],
                      properties: {
                        port: { type: 'integer' },
                        protocol: { type: 'string', default: 'SCTP' },
                        weight: { type: 'integer' },
                      },
                    },
                  },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  either: { 'x-kubernetes-int-or-string': true },
                },
              },
              status: {
                type: 'object',
                properties: { phase: { type: 'string' }, size: { type: 'integer' } },
              },
            },
          },
        },
      },
    ],
  },
};
