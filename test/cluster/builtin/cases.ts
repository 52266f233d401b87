/**
 * Objects of every built-in kind: the smallest, odd ones, and wrong ones. What a real API server
 * makes of them is in `test/golden/cluster/builtin.json` (`make record-builtin` writes it anew).
 */
import type { Json } from '../../../src/api/kubernetes.ts';

export type JsonObject = { readonly [key: string]: Json };

export interface Case {
  readonly create: JsonObject;
  /** A merge patch of what was stored, which is then replaced. */
  readonly update?: JsonObject;
  /** Written to the status, for what tables show. */
  readonly status?: JsonObject;
}

const labels = { app: 'a' };
const container = { name: 'c', image: 'podinfo:6.0' };
const template = { metadata: { labels }, spec: { containers: [container] } };
const selector = { matchLabels: labels };

const of =
  (apiVersion: string, kind: string) =>
  (fields: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
    apiVersion,
    kind,
    metadata,
    ...fields,
  });

const deployment = of('apps/v1', 'Deployment');
const replicaSet = of('apps/v1', 'ReplicaSet');
const daemonSet = of('apps/v1', 'DaemonSet');
const statefulSet = of('apps/v1', 'StatefulSet');
const revision = of('apps/v1', 'ControllerRevision');
const pod = of('v1', 'Pod');
const service = of('v1', 'Service');
const namespace = of('v1', 'Namespace');
const configMap = of('v1', 'ConfigMap');
const secret = of('v1', 'Secret');
const event = of('v1', 'Event');
const node = of('v1', 'Node');
const claim = of('v1', 'PersistentVolumeClaim');
const controller = of('v1', 'ReplicationController');
const endpoints = of('v1', 'Endpoints');
const account = of('v1', 'ServiceAccount');
const job = of('batch/v1', 'Job');
const cronJob = of('batch/v1', 'CronJob');
const autoscaler = of('autoscaling/v2', 'HorizontalPodAutoscaler');
const autoscalerV1 = of('autoscaling/v1', 'HorizontalPodAutoscaler');
const budget = of('policy/v1', 'PodDisruptionBudget');
const ingress = of('networking.k8s.io/v1', 'Ingress');
const ingressClass = of('networking.k8s.io/v1', 'IngressClass');
const networkPolicy = of('networking.k8s.io/v1', 'NetworkPolicy');
const slice = of('discovery.k8s.io/v1', 'EndpointSlice');
const lease = of('coordination.k8s.io/v1', 'Lease');
const rbac = 'rbac.authorization.k8s.io/v1';
const admission = 'admissionregistration.k8s.io/v1';
const definition = of('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

const hook = (name: string, rules: Json = []): JsonObject => ({
  name,
  rules,
  clientConfig: { url: 'https://localhost:8443/x' },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
});

const target = { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' };

const rich: JsonObject = {
  metadata: { labels, creationTimestamp: null, annotations: {} },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'registry:5000/shop/app',
        imagePullPolicy: '',
        command: [],
        ports: [
          { containerPort: 80, name: 'http' },
          { containerPort: 53, protocol: 'UDP' },
        ],
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } },
        ],
        resources: { limits: { cpu: 1, memory: '1024Mi' }, requests: { cpu: '0.5' } },
        livenessProbe: { httpGet: { port: 'http' } },
        readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 3, initialDelaySeconds: 0 },
        startupProbe: { grpc: { port: 80 } },
        lifecycle: { preStop: { httpGet: { port: 80, path: '/bye' } } },
        securityContext: { runAsNonRoot: true, runAsUser: 0 },
        volumeMounts: [{ name: 'config', mountPath: '/c', readOnly: false }],
        stdin: false,
      },
      {
        name: 'side',
        image: 'side@sha256:0000000000000000000000000000000000000000000000000000000000000000',
      },
    ],
    initContainers: [{ name: 'init', image: 'busybox:latest' }],
    volumes: [
      { name: 'config', configMap: { name: 'cm' } },
      { name: 'secret', secret: { secretName: 's', defaultMode: 256 } },
      { name: 'empty' },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '0.5Gi' } },
      { name: 'host', hostPath: { path: '/var' } },
      {
        name: 'all',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { configMap: { name: 'cm', items: [{ key: 'k', path: 'k' }] } },
            { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          ],
        },
      },
    ],
    serviceAccountName: 'shop',
    hostNetwork: false,
    nodeSelector: {},
    tolerations: [{ key: 'k', operator: 'Exists' }],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: selector },
          },
        ],
      },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ],
  },
};

const inTemplate = (fields: JsonObject): JsonObject => ({
  selector,
  template: { metadata: { labels }, spec: { containers: [container], ...fields } },
});

const withContainer = (fields: JsonObject): JsonObject =>
  inTemplate({ containers: [{ ...container, ...fields }] });

const workloads: Record<string, Case> = {
  'Deployment: the smallest': {
    create: deployment({ spec: { selector, template } }),
    status: {
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 2,
      readyReplicas: 1,
      availableReplicas: 0,
    },
  },
  'Deployment: a rich template': {
    create: deployment({ spec: { replicas: 0, selector, template: rich, paused: false } }),
    update: { spec: { replicas: 3, template: { metadata: { annotations: { a: 'b' } } } } },
  },
  'Deployment: recreates': {
    create: deployment({ spec: { selector, template, strategy: { type: 'Recreate' } } }),
    update: { metadata: { labels: { team: 'x' } } },
  },
  'Deployment: half a strategy': {
    create: deployment({
      spec: {
        selector,
        template,
        strategy: { rollingUpdate: { maxSurge: 1 } },
        minReadySeconds: 0,
      },
    }),
  },
  'Deployment: no spec': { create: deployment() },
  'Deployment: no selector': { create: deployment({ spec: { template } }) },
  'Deployment: an empty selector': { create: deployment({ spec: { template, selector: {} } }) },
  'Deployment: no containers': {
    create: deployment({ spec: { selector, template: { metadata: { labels }, spec: {} } } }),
  },
  'Deployment: labels that do not match': {
    create: deployment({ spec: { selector: { matchLabels: { app: 'b' } }, template } }),
  },
  'Deployment: negative replicas': {
    create: deployment({ spec: { selector, template, replicas: -1 } }),
  },
  'Deployment: negative everything': {
    create: deployment({
      spec: {
        selector,
        template,
        minReadySeconds: -1,
        revisionHistoryLimit: -2,
        progressDeadlineSeconds: -3,
      },
    }),
  },
  'Deployment: a deadline before readiness': {
    create: deployment({
      spec: { selector, template, minReadySeconds: 700, progressDeadlineSeconds: 600 },
    }),
  },
  'Deployment: a strategy that moves nothing': {
    create: deployment({
      spec: {
        selector,
        template,
        strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
      },
    }),
  },
  'Deployment: percent above all': {
    create: deployment({
      spec: { selector, template, strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
    }),
  },
  'Deployment: percent that is none': {
    create: deployment({
      spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 'some' } } },
    }),
  },
  'Deployment: recreates with a rolling update': {
    create: deployment({
      spec: {
        selector,
        template,
        strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } },
      },
    }),
  },
  'Deployment: an unknown strategy': {
    create: deployment({ spec: { selector, template, strategy: { type: 'Blue' } } }),
  },
  'Deployment: another selector': {
    create: deployment({ spec: { selector, template } }),
    update: {
      spec: {
        selector: { matchLabels: { app: 'b' } },
        template: { metadata: { labels: { app: 'b' } } },
      },
    },
  },
  'Deployment: labels taken from the template': {
    create: deployment({ spec: { selector, template } }),
    update: { spec: { template: { metadata: { labels: { app: 'b' } } } } },
  },
  'Deployment: replicas that are text': {
    create: deployment({ spec: { selector, template, replicas: 'two' } }),
  },
  'Deployment: replicas that are half': {
    create: deployment({ spec: { selector, template, replicas: 1.5 } }),
  },
  'Deployment: containers that are none': {
    create: deployment({ spec: inTemplate({ containers: { name: 'c' } }) }),
  },
  'Deployment: a label that is a number': {
    create: deployment({ spec: { selector, template } }, { labels: { a: 1 } }),
  },
  'Deployment: pods that end': {
    create: deployment({ spec: inTemplate({ restartPolicy: 'Never' }) }),
  },
  'Deployment: an unknown restart policy': {
    create: deployment({ spec: inTemplate({ restartPolicy: 'Sometimes' }) }),
  },
  'Deployment: two containers of one name': {
    create: deployment({ spec: inTemplate({ containers: [container, container] }) }),
  },
  'Deployment: a container without a name': {
    create: deployment({ spec: inTemplate({ containers: [{ image: 'a' }] }) }),
  },
  'Deployment: a container without an image': {
    create: deployment({ spec: inTemplate({ containers: [{ name: 'c' }] }) }),
  },
  'Deployment: a container name in capitals': {
    create: deployment({ spec: withContainer({ name: 'Main' }) }),
  },
  'Deployment: image with space': {
    create: deployment({ spec: withContainer({ image: ' a' }) }),
  },
  'Deployment: ports out of range': {
    create: deployment({
      spec: withContainer({ ports: [{ containerPort: 0 }, { containerPort: 70000 }, {}] }),
    }),
  },
  'Deployment: port names': {
    create: deployment({
      spec: withContainer({
        ports: [
          { containerPort: 1, name: 'http' },
          { containerPort: 2, name: 'http' },
          { containerPort: 3, name: 'this-is-a-long-name' },
          { containerPort: 4, protocol: 'HTTP' },
        ],
      }),
    }),
  },
  'Deployment: wrong environment': {
    create: deployment({
      spec: withContainer({
        env: [
          { value: 'a' },
          { name: 'a=b' },
          { name: 'a', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'b', valueFrom: {} },
        ],
        envFrom: [{}],
      }),
    }),
  },
  'Deployment: requests above limits': {
    create: deployment({
      spec: withContainer({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
    }),
  },
  'Deployment: a quantity that is none': {
    create: deployment({ spec: withContainer({ resources: { limits: { cpu: 'one' } } }) }),
  },
  'Deployment: a quantity below zero': {
    create: deployment({ spec: withContainer({ resources: { limits: { cpu: '-1' } } }) }),
  },
  'Deployment: wrong probes': {
    create: deployment({
      spec: withContainer({
        livenessProbe: { periodSeconds: -1, httpGet: { port: 0 } },
        readinessProbe: {},
        startupProbe: { exec: { command: [] }, successThreshold: 2 },
      }),
    }),
  },
  'Deployment: an unknown pull policy': {
    create: deployment({ spec: withContainer({ imagePullPolicy: 'Often' }) }),
  },
  'Deployment: wrong volumes': {
    create: deployment({
      spec: inTemplate({
        volumes: [
          { name: 'a' },
          { name: 'a' },
          { emptyDir: {} },
          { name: 'B', configMap: {} },
          { name: 's', secret: {} },
          { name: 'two', emptyDir: {}, secret: { secretName: 's' } },
        ],
        containers: [
          {
            ...container,
            volumeMounts: [
              { name: 'missing', mountPath: '/a' },
              { name: 'a' },
              { name: 'a', mountPath: '/a' },
              { name: 'a', mountPath: '/a' },
            ],
          },
        ],
      }),
    }),
  },
  'Deployment: a negative grace period': {
    create: deployment({ spec: inTemplate({ terminationGracePeriodSeconds: -1 }) }),
  },
  'Deployment: an unknown DNS policy': {
    create: deployment({ spec: inTemplate({ dnsPolicy: 'Mine' }) }),
  },
  'Deployment: wrong labels': {
    create: deployment({ spec: { selector, template } }, { labels: { 'a b': 'c', d: 'e f' } }),
  },
  'Deployment: wrong labels of the template': {
    create: deployment({
      spec: {
        selector,
        template: { metadata: { labels: { ...labels, x: 'y z' } }, spec: template.spec },
      },
    }),
  },
  'Deployment: wrong expressions': {
    create: deployment({
      spec: {
        selector: {
          matchExpressions: [
            { key: 'app', operator: 'In' },
            { key: 'app', operator: 'Exists', values: ['a'] },
            { key: 'app', operator: 'Is' },
          ],
        },
        template,
      },
    }),
  },
  'ReplicaSet: the smallest': {
    create: replicaSet({ spec: { selector, template } }),
    status: { replicas: 2, readyReplicas: 1 },
  },
  'ReplicaSet: no template': { create: replicaSet({ spec: { selector } }) },
  'ReplicaSet: negative': { create: replicaSet({ spec: { selector, template, replicas: -1 } }) },
  'ReplicaSet: another selector': {
    create: replicaSet({ spec: { selector, template } }),
    update: { spec: { selector: { matchLabels: { app: 'b' } } } },
  },
  'DaemonSet: the smallest': {
    create: daemonSet({ spec: { selector, template } }),
    status: {
      currentNumberScheduled: 1,
      numberMisscheduled: 0,
      desiredNumberScheduled: 2,
      numberReady: 1,
      updatedNumberScheduled: 1,
      numberAvailable: 1,
    },
  },
  'DaemonSet: on deletion': {
    create: daemonSet({ spec: { selector, template, updateStrategy: { type: 'OnDelete' } } }),
  },
  'DaemonSet: on some nodes': {
    create: daemonSet({ spec: inTemplate({ nodeSelector: { a: 'b' } }) }),
  },
  'DaemonSet: moves nothing': {
    create: daemonSet({
      spec: { selector, template, updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
    }),
  },
  'DaemonSet: labels that do not match': {
    create: daemonSet({ spec: { selector: { matchLabels: { app: 'b' } }, template } }),
  },
  'DaemonSet: another selector': {
    create: daemonSet({ spec: { selector, template } }),
    update: {
      spec: {
        selector: { matchLabels: { app: 'b' } },
        template: { metadata: { labels: { app: 'b' } } },
      },
    },
  },
  'StatefulSet: the smallest': {
    create: statefulSet({ spec: { selector, template, serviceName: 's' } }),
    status: { replicas: 1, readyReplicas: 1 },
  },
  'StatefulSet: with claims': {
    create: statefulSet({
      spec: {
        selector,
        template,
        serviceName: 's',
        podManagementPolicy: 'Parallel',
        volumeClaimTemplates: [
          {
            metadata: { name: 'd' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
        updateStrategy: { type: 'OnDelete' },
      },
    }),
  },
  'StatefulSet: labels that do not match': {
    create: statefulSet({ spec: { selector: { matchLabels: { app: 'b' } }, template } }),
  },
  'StatefulSet: what may not change': {
    create: statefulSet({ spec: { selector, template, serviceName: 's' } }),
    update: { spec: { serviceName: 't' } },
  },
  'ControllerRevision: the smallest': { create: revision({ revision: 1, data: { a: 1 } }) },
  'ControllerRevision: no revision': { create: revision({ data: {} }) },
  'ControllerRevision: a negative revision': { create: revision({ revision: -1, data: {} }) },
  'ReplicationController: the smallest': { create: controller({ spec: { template } }) },
  'ReplicationController: no template': { create: controller({ spec: { selector: labels } }) },
};

const core: Record<string, Case> = {
  'Namespace: the smallest': { create: namespace() },
  'Namespace: a name with a dot': { create: namespace({}, { name: 'a.b' }) },
  'Pod: the smallest': {
    create: pod({ spec: { containers: [container] } }),
    update: { spec: { containers: [{ name: 'c', image: 'podinfo:6.1' }] } },
    status: {
      phase: 'Running',
      podIP: '10.1.2.3',
      podIPs: [{ ip: '10.1.2.3' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        {
          name: 'c',
          ready: true,
          restartCount: 2,
          image: 'podinfo:6.0',
          imageID: '',
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    },
  },
  'Pod: rich': { create: pod({ spec: rich['spec'] ?? {} }, { labels }) },
  'Pod: limits alone': {
    create: pod({
      spec: { containers: [{ ...container, resources: { limits: { cpu: '1', memory: '1Gi' } } }] },
    }),
  },
  'Pod: on the host': {
    create: pod({
      spec: { hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80 }] }] },
    }),
  },
  'Pod: crashes': {
    create: pod({ spec: { containers: [container, { ...container, name: 'd' }] } }),
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'c',
          ready: false,
          restartCount: 3,
          image: '',
          imageID: '',
          state: { waiting: { reason: 'CrashLoopBackOff' } },
        },
        {
          name: 'd',
          ready: true,
          restartCount: 0,
          image: '',
          imageID: '',
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    },
  },
  'Pod: failed': {
    create: pod({ spec: { containers: [container], restartPolicy: 'Never' } }),
    status: {
      phase: 'Failed',
      containerStatuses: [
        {
          name: 'c',
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          state: { terminated: { exitCode: 3, reason: 'Error' } },
        },
      ],
    },
  },
  'Pod: begins': {
    create: pod({
      spec: { containers: [container], initContainers: [{ name: 'i', image: 'a' }] },
    }),
    status: {
      phase: 'Pending',
      initContainerStatuses: [
        {
          name: 'i',
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    },
  },
  'Pod: evicted': {
    create: pod({ spec: { containers: [container] } }),
    status: { phase: 'Failed', reason: 'Evicted' },
  },
  'Pod: no containers': { create: pod({ spec: {} }) },
  'Pod: fields that may not change': {
    create: pod({ spec: { containers: [container] } }),
    update: { spec: { containers: [{ ...container, command: ['x'] }] } },
  },
  'ConfigMap: the smallest': { create: configMap() },
  'ConfigMap: with data': {
    create: configMap({ data: { a: '1', b: '' }, binaryData: { c: 'AAE=' } }),
  },
  'ConfigMap: empty data': { create: configMap({ data: {} }) },
  'ConfigMap: a wrong key': { create: configMap({ data: { 'a b': '1' } }) },
  'ConfigMap: a key twice': { create: configMap({ data: { a: '1' }, binaryData: { a: 'AAE=' } }) },
  'ConfigMap: a number': { create: configMap({ data: { a: 1 } }) },
  'ConfigMap: not base64': { create: configMap({ binaryData: { a: '???' } }) },
  'ConfigMap: immutable': {
    create: configMap({ data: { a: '1' }, immutable: true }),
    update: { data: { a: '2' } },
  },
  'ConfigMap: no longer immutable': {
    create: configMap({ data: { a: '1' }, immutable: true }),
    update: { immutable: false },
  },
  'Secret: the smallest': { create: secret() },
  'Secret: with text': {
    create: secret({ data: { a: 'MQ==' }, stringData: { b: 'two', a: 'one' } }),
  },
  'Secret: TLS without keys': { create: secret({ type: 'kubernetes.io/tls' }) },
  'Secret: TLS': {
    create: secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': 'MQ==', 'tls.key': '' } }),
  },
  'Secret: another type': { create: secret(), update: { type: 'other' } },
  'Secret: immutable': {
    create: secret({ data: { a: 'MQ==' }, immutable: true }),
    update: { data: { a: 'Mg==' } },
  },
  'Secret: not base64': { create: secret({ data: { a: 'a' } }) },
  'Secret: a wrong key': { create: secret({ data: { 'a/b': 'MQ==' } }) },
  'ServiceAccount: the smallest': { create: account() },
  'Service: the smallest': { create: service({ spec: { ports: [{ port: 80 }] } }) },
  'Service: two ports': {
    create: service({
      spec: {
        selector: labels,
        ports: [
          { port: 80, name: 'http', targetPort: 'web' },
          { port: 53, name: 'dns', protocol: 'UDP', targetPort: 5353 },
        ],
        sessionAffinity: 'ClientIP',
      },
    }),
    update: { spec: { selector: { app: 'b' } } },
  },
  'Service: headless': { create: service({ spec: { clusterIP: 'None', selector: labels } }) },
  'Service: with an address': {
    create: service({ spec: { clusterIP: '10.96.7.7', ports: [{ port: 1 }] } }),
  },
  'Service: elsewhere': {
    create: service({ spec: { type: 'ExternalName', externalName: 'example.com' } }),
  },
  'Service: on nodes': {
    create: service({ spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] } }),
  },
  'Service: balanced': {
    create: service({ spec: { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30081 }] } }),
    status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
  },
  'Service: no longer on nodes': {
    create: service({ spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30082 }] } }),
    update: { spec: { type: 'ClusterIP' } },
  },
  'Service: no ports': { create: service({ spec: {} }) },
  'Service: a name with a dot': {
    create: service({ spec: { ports: [{ port: 1 }] } }, { name: 'a.b' }),
  },
  'Service: ports out of range': { create: service({ spec: { ports: [{ port: 0 }] } }) },
  'Service: two ports without names': {
    create: service({ spec: { ports: [{ port: 1 }, { port: 2 }] } }),
  },
  'Service: two ports of one name': {
    create: service({
      spec: {
        ports: [
          { port: 1, name: 'a' },
          { port: 2, name: 'a' },
        ],
      },
    }),
  },
  'Service: one port twice': {
    create: service({
      spec: {
        ports: [
          { port: 1, name: 'a' },
          { port: 1, name: 'b' },
        ],
      },
    }),
  },
  'Service: an unknown type': { create: service({ spec: { type: 'Mesh', ports: [{ port: 1 }] } }) },
  'Service: an unknown affinity': {
    create: service({ spec: { sessionAffinity: 'Cookie', ports: [{ port: 1 }] } }),
  },
  'Service: an unknown protocol': {
    create: service({ spec: { ports: [{ port: 1, protocol: 'X' }] } }),
  },
  'Service: a wrong selector': {
    create: service({ spec: { selector: { 'a b': 'c' }, ports: [{ port: 1 }] } }),
  },
  'Service: another address': {
    create: service({ spec: { clusterIP: '10.96.7.8', ports: [{ port: 1 }] } }),
    update: { spec: { clusterIP: '10.96.7.9', clusterIPs: ['10.96.7.9'] } },
  },
  'Service: a wrong address': {
    create: service({ spec: { clusterIP: 'x', ports: [{ port: 1 }] } }),
  },
  'Endpoints: the smallest': { create: endpoints() },
  'Endpoints: with addresses': {
    create: endpoints({
      subsets: [
        {
          addresses: [{ ip: '10.1.1.1' }, { ip: '10.1.1.2' }],
          ports: [
            { port: 80, name: 'a' },
            { port: 81, name: 'b' },
          ],
        },
      ],
    }),
  },
  'Event: the smallest': { create: event({ involvedObject: { namespace: 'golden' } }) },
  'Event: of a pod': {
    create: event({
      involvedObject: { kind: 'Pod', namespace: 'golden', name: 'a', apiVersion: 'v1' },
      reason: 'Started',
      message: ' started ',
      type: 'Normal',
      source: { component: 'kubelet', host: 'node-1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    }),
  },
  'Event: in another namespace': {
    create: event({ involvedObject: { kind: 'Pod', namespace: 'elsewhere', name: 'a' } }),
  },
  'events.k8s.io Event: the smallest': {
    create: of(
      'events.k8s.io/v1',
      'Event',
    )({
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'c',
      reportingInstance: 'c-1',
      action: 'Scaling',
      reason: 'Scaled',
      type: 'Normal',
      note: 'Scaled up',
      regarding: { kind: 'Pod', name: 'a', namespace: 'golden' },
    }),
  },
  'Event: new, and silent': {
    create: event({
      eventTime: '2026-01-01T00:00:00.000000Z',
      involvedObject: { namespace: 'golden' },
      reportingComponent: 'c',
    }),
  },
  'Node: the smallest': {
    create: node(),
    status: {
      capacity: { cpu: '4' },
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    },
  },
  'Node: with roles': {
    create: node(
      { spec: { unschedulable: true } },
      { labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'x' } },
    ),
  },
  'PersistentVolumeClaim: the smallest': {
    create: claim({
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }),
  },
  'PersistentVolumeClaim: empty': { create: claim({ spec: {} }) },
};

const others: Record<string, Case> = {
  'Job: the smallest': {
    create: job({
      spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } },
    }),
    status: { succeeded: 1, startTime: '2026-01-01T00:00:00Z' },
  },
  'Job: pods that go on for ever': { create: job({ spec: { template } }) },
  'CronJob: the smallest': {
    create: cronJob({
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: {
          spec: { template: { spec: { containers: [container], restartPolicy: 'OnFailure' } } },
        },
      },
    }),
  },
  'CronJob: no schedule': {
    create: cronJob({
      spec: {
        jobTemplate: {
          spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } },
        },
      },
    }),
  },
  'HorizontalPodAutoscaler: the smallest': {
    create: autoscaler({
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' },
      },
    }),
    status: {
      desiredReplicas: 2,
      currentReplicas: 2,
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 50, averageValue: '100m' } },
        },
      ],
    },
  },
  'HorizontalPodAutoscaler: with behaviour': {
    create: autoscaler({
      spec: {
        minReplicas: 2,
        maxReplicas: 3,
        scaleTargetRef: target,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1024Mi' } },
          },
          {
            type: 'Pods',
            pods: {
              metric: { name: 'rps' },
              target: { type: 'AverageValue', averageValue: '1000' },
            },
          },
          {
            type: 'External',
            external: { metric: { name: 'queue' }, target: { type: 'Value', value: '30' } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      },
    }),
  },
  'HorizontalPodAutoscaler: less than its least': {
    create: autoscaler({
      spec: { minReplicas: 4, maxReplicas: 3, scaleTargetRef: target },
    }),
  },
  'HorizontalPodAutoscaler: of an unknown group': {
    create: autoscaler({
      spec: { maxReplicas: 1, scaleTargetRef: { kind: 'Deployment', name: 'a' } },
    }),
  },
  'HorizontalPodAutoscaler: nothing': { create: autoscaler({ spec: {} }) },
  'HorizontalPodAutoscaler: none at all': {
    create: autoscaler({
      spec: { minReplicas: 0, maxReplicas: 3, scaleTargetRef: target },
    }),
  },
  'HorizontalPodAutoscaler: v1': {
    create: autoscalerV1({
      spec: { maxReplicas: 3, scaleTargetRef: target },
    }),
  },
  'PodDisruptionBudget: the smallest': { create: budget({ spec: { minAvailable: 1, selector } }) },
  'PodDisruptionBudget: percent': { create: budget({ spec: { maxUnavailable: '50%' } }) },
  'PodDisruptionBudget: both': { create: budget({ spec: { maxUnavailable: 1, minAvailable: 1 } }) },
  'PodDisruptionBudget: negative': { create: budget({ spec: { maxUnavailable: -1 } }) },
  'PodDisruptionBudget: not percent': { create: budget({ spec: { minAvailable: 'half' } }) },
  'Ingress: the smallest': {
    create: ingress({
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
    }),
  },
  'Ingress: hosts': {
    create: ingress({
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['a.example'], secretName: 's' }],
        rules: ['a', 'b', 'c', 'd'].map((it) => ({
          host: `${it}.example`,
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 's', port: { name: 'http' } } },
              },
            ],
          },
        })),
      },
    }),
  },
  'Ingress: nothing': { create: ingress({ spec: {} }) },
  'Ingress: no path type': {
    create: ingress({
      spec: {
        rules: [
          { http: { paths: [{ path: 'a', backend: { service: { name: 's', port: {} } } }] } },
        ],
      },
    }),
  },
  'IngressClass: the smallest': {
    create: ingressClass(
      { spec: { controller: 'example.com/ingress', parameters: { kind: 'P', name: 'p' } } },
      { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    ),
  },
  'NetworkPolicy: the smallest': { create: networkPolicy({ spec: { podSelector: {} } }) },
  'NetworkPolicy: both ways': {
    create: networkPolicy({
      spec: {
        podSelector: selector,
        ingress: [{ from: [{ podSelector: selector }], ports: [{ port: 80 }] }],
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
      },
    }),
  },
  'EndpointSlice: the smallest': { create: slice({ addressType: 'IPv4', endpoints: [] }) },
  'EndpointSlice: with endpoints': {
    create: slice({
      addressType: 'IPv4',
      ports: [{ port: 80, name: 'http' }, { port: 81 }],
      endpoints: ['10.1.1.1', '10.1.1.2', '10.1.1.3', '10.1.1.4'].map((it) => ({
        addresses: [it],
        conditions: { ready: true },
      })),
    }),
  },
  'EndpointSlice: another type': {
    create: slice({ addressType: 'IPv4', endpoints: [] }),
    update: { addressType: 'IPv6' },
  },
  'EndpointSlice: no type': { create: slice({ endpoints: [] }) },
  'Lease: the smallest': { create: lease() },
  'Lease: held': {
    create: lease({
      spec: {
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        acquireTime: '2026-01-01T00:00:00.123456Z',
        renewTime: '2026-01-01T00:00:01.000000Z',
      },
    }),
    update: { spec: { holderIdentity: 'you' } },
  },
  'Lease: a time without a fraction': {
    create: lease({ spec: { renewTime: '2026-01-01T00:00:00Z' } }),
  },
  'Lease: negative': {
    create: lease({ spec: { leaseDurationSeconds: -1, leaseTransitions: -1 } }),
  },
  'Role: the smallest': { create: of(rbac, 'Role')() },
  'Role: with rules': {
    create: of(
      rbac,
      'Role',
    )({
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    }),
  },
  'Role: no verbs': { create: of(rbac, 'Role')({ rules: [{ resources: ['pods'] }] }) },
  'ClusterRole: the smallest': { create: of(rbac, 'ClusterRole')({ rules: [] }) },
  'RoleBinding: the smallest': {
    create: of(
      rbac,
      'RoleBinding',
    )({
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'ServiceAccount', name: 'a', namespace: 'golden' },
        { kind: 'User', name: 'u' },
        { kind: 'Group', name: 'g' },
      ],
    }),
    update: { roleRef: { name: 'other' } },
  },
  'ClusterRoleBinding: the smallest': {
    create: of(rbac, 'ClusterRoleBinding')({ roleRef: { kind: 'ClusterRole', name: 'r' } }),
  },
  'MutatingWebhookConfiguration: the smallest': {
    create: of(admission, 'MutatingWebhookConfiguration')(),
  },
  'MutatingWebhookConfiguration: one webhook': {
    create: of(
      admission,
      'MutatingWebhookConfiguration',
    )({
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { service: { namespace: 'n', name: 's', path: '/x' }, caBundle: '' },
          rules: [
            {
              apiGroups: ['apps'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['deployments'],
            },
          ],
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          matchConditions: [{ name: 'c', expression: 'true' }],
        },
      ],
    }),
  },
  'MutatingWebhookConfiguration: wrong': {
    create: of(
      admission,
      'MutatingWebhookConfiguration',
    )({
      webhooks: [
        { name: 'a', clientConfig: {}, sideEffects: 'Some', admissionReviewVersions: [] },
        {
          name: 'b.example.com',
          clientConfig: { url: 'http://x' },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          timeoutSeconds: 31,
          failurePolicy: 'Maybe',
        },
      ],
    }),
  },
  'MutatingWebhookConfiguration: wrong rules': {
    create: of(
      admission,
      'MutatingWebhookConfiguration',
    )({
      webhooks: [
        hook('a.example.com', [{}]),
        hook('b.example.com', [
          {
            apiGroups: ['*', 'apps'],
            apiVersions: ['', 'v1', '*'],
            operations: ['*', 'READ'],
            resources: ['', 'pods/*', 'pods/log', '*/scale', 'deployments/scale', '*/*', '*', 'x'],
            scope: 'Some',
          },
        ]),
      ],
    }),
  },
  'MutatingWebhookConfiguration: wrong clients': {
    create: of(
      admission,
      'MutatingWebhookConfiguration',
    )({
      webhooks: [
        { ...hook('a.example.com'), clientConfig: { service: { name: 's', namespace: '' } } },
        {
          ...hook('b.example.com'),
          clientConfig: { service: { name: '', namespace: 'n', port: 70000, path: 'x' } },
        },
        { ...hook('c.example.com'), clientConfig: { url: 'https://u@h/p?q#f' } },
        { ...hook('c.example.com'), clientConfig: { url: 'https://h', service: {} } },
      ],
    }),
  },
  'MutatingWebhookConfiguration: wrong conditions': {
    create: of(
      admission,
      'MutatingWebhookConfiguration',
    )({
      webhooks: [
        {
          ...hook('a.example.com'),
          matchConditions: [
            { name: 'a', expression: 'true' },
            { name: 'a', expression: 'true' },
            { name: 'a b', expression: ' ' },
            { name: '', expression: 'true' },
          ],
          namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] },
          reinvocationPolicy: 'Often',
          matchPolicy: 'Some',
        },
      ],
    }),
  },
  'ValidatingWebhookConfiguration: one webhook': {
    create: of(
      admission,
      'ValidatingWebhookConfiguration',
    )({
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { url: 'https://localhost:8443/x' },
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
        },
      ],
    }),
  },
  'CustomResourceDefinition: the smallest': {
    create: definition(
      {
        spec: {
          group: 'golden.example.com',
          scope: 'Namespaced',
          names: { kind: 'Thing', plural: 'things' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object' } },
            },
          ],
        },
      },
      { name: 'things.golden.example.com' },
    ),
  },
};

/** Found by sending mutated objects to a real API server and to ours. */
const closer: Record<string, Case> = {
  'Deployment: wrong tolerations and spread': {
    create: deployment({
      spec: inTemplate({
        tolerations: [
          { operator: 'Equal' },
          { key: 'a b', operator: 'Is', effect: 'Never' },
          { key: 'a', operator: 'Exists', value: 'x', tolerationSeconds: 1 },
        ],
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Some' },
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' },
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' },
        ],
      }),
    }),
  },
  'Deployment: wrong keys': {
    create: deployment({
      spec: withContainer({
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'a b' } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: '', key: '' } } },
        ],
      }),
    }),
  },
  'Deployment: a container name with a dot': {
    create: deployment({ spec: withContainer({ name: 'a.b' }) }),
  },
  'Deployment: a label of two slashes': {
    create: deployment({ spec: { selector, template } }, { labels: { 'a/b/c': '' } }),
  },
  'Deployment: a label of nobody': {
    create: deployment({ spec: { selector, template } }, { labels: { '/x': '' } }),
  },
  'Deployment: a label without a name': {
    create: deployment({ spec: { selector, template } }, { labels: { 'y/': '' } }),
  },
  'ConfigMap: finalizers': {
    create: configMap({}, { finalizers: ['a b', 'orphan', 'foregroundDeletion'] }),
  },
  'StatefulSet: wrong strategies': {
    create: statefulSet({
      spec: {
        selector,
        template,
        updateStrategy: { type: 'Some' },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Never' },
      },
    }),
  },
  'StatefulSet: a negative partition': {
    create: statefulSet({
      spec: { selector, template, updateStrategy: { rollingUpdate: { partition: -1 } } },
    }),
  },
  'DaemonSet: another selector alone': {
    create: daemonSet({ spec: { selector, template } }),
    update: { spec: { selector: { matchLabels: { app: 'b' } } } },
  },
  'ControllerRevision: no data': { create: revision({ revision: 1 }) },
  'ControllerRevision: other data': {
    create: revision({ revision: 1, data: { a: 1 } }),
    update: { data: { a: 2 } },
  },
  'Service: no longer balanced': {
    create: service({ spec: { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30083 }] } }),
    update: { spec: { type: 'ClusterIP' } },
  },
  'Service: becomes another name': {
    create: service({ spec: { ports: [{ port: 80 }] } }),
    update: { spec: { type: 'ExternalName', externalName: 'x y' } },
  },
  'Service: wrong policies': {
    create: service({
      spec: {
        type: 'NodePort',
        internalTrafficPolicy: 'Some',
        externalTrafficPolicy: 'Any',
        ports: [{ port: 80, nodePort: 30084 }],
      },
    }),
  },
  'Service: wrong families': {
    create: service({
      spec: { ipFamilies: ['IPv5'], ipFamilyPolicy: 'One', ports: [{ port: 1 }] },
    }),
  },
  'Service: a port of nodes without nodes': {
    create: service({ spec: { ports: [{ port: 80, nodePort: 30085 }] } }),
  },
  'Pod: one more toleration': {
    create: pod({ spec: { containers: [container] } }),
    update: { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } },
  },
  'HorizontalPodAutoscaler: wrong metrics': {
    create: autoscaler({
      spec: {
        maxReplicas: 3,
        scaleTargetRef: target,
        metrics: [
          { type: 'Pods' },
          {
            type: 'External',
            external: { metric: { name: '' }, target: { type: 'Some', value: '1' } },
          },
        ],
      },
    }),
  },
  'Endpoints: wrong': {
    create: endpoints({
      subsets: [{ addresses: [{ ip: 'x' }], ports: [{ port: 0, name: 'A', protocol: 'X' }] }],
    }),
  },
  'EndpointSlice: wrong': {
    create: slice({
      addressType: 'IPv4',
      ports: [{ name: 'a' }, { name: 'a', protocol: 'X' }],
      endpoints: [
        { addresses: [] },
        { addresses: ['x', '::1', '0.0.0.0', '127.0.0.1', '169.254.1.1', '224.0.0.1'] },
      ],
    }),
  },
  'Ingress: wrong': {
    create: ingress({
      spec: {
        ingressClassName: 'A',
        tls: [{ hosts: ['A'], secretName: 'B' }],
        rules: [
          { host: '1.2.3.4', http: { paths: [] } },
          {
            host: 'x y',
            http: {
              paths: [
                { path: 'a//b', pathType: 'Exact', backend: { service: { name: '', port: {} } } },
                { path: '/', pathType: 'Some', backend: {} },
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: 's', port: { name: 'a', number: 1 } } },
                },
              ],
            },
          },
        ],
      },
    }),
  },
  'IngressClass: wrong': {
    create: ingressClass({ spec: { parameters: { kind: '', name: '', scope: 'Namespace' } } }),
  },
  'NetworkPolicy: of nobody': {
    create: networkPolicy({ spec: { podSelector: {}, ingress: [{ from: [{}] }] } }),
  },
  'RoleBinding: wrong': {
    create: of(
      rbac,
      'RoleBinding',
    )({
      roleRef: { apiGroup: 'x', kind: 'Some', name: '' },
      subjects: [
        { kind: 'User', name: '' },
        { kind: 'Some', name: 'a' },
      ],
    }),
  },
  'ClusterRoleBinding: wrong': {
    create: of(
      rbac,
      'ClusterRoleBinding',
    )({
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [{ kind: 'ServiceAccount', name: 'A' }],
    }),
  },
  'Role: of paths': {
    create: of(rbac, 'Role')({ rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }),
  },
};

export const cases: Readonly<Record<string, Case>> = {
  ...workloads,
  ...core,
  ...others,
  ...closer,
};

/** What an object of a case is called, where its case does not say. */
export const nameOf = (index: number): string => `case-${index}`;

export const goldenNamespace = 'golden';
