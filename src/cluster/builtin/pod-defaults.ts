/**
 * Defaults of pods and pod templates.
 * Rules: Kubernetes, `pkg/apis/core/v1/defaults.go` and `zz_generated.defaults.go`.
 */
import type { Json } from '../../api/kubernetes.ts';
import type { Rule } from './defaulting.ts';
import { chain, each, fill, inside, isJsonObject, remembered, when } from './defaulting.ts';

const imageReference =
  /^(?:[\w.-]+(?::\d+)?\/)?[a-z0-9._/-]+(?::(?<tag>\w[\w.-]*))?(?<digest>@[\w+.-]+:[0-9a-fA-F]{32,})?$/;

/** An image with neither tag nor digest is the latest. One that cannot be is left to nodes. */
function isLatest(image: string): boolean {
  const groups = imageReference.exec(image)?.groups;
  if (groups === undefined) return false;
  const { tag, digest } = groups;
  return tag === 'latest' || (tag === undefined && digest === undefined);
}

const imagePullPolicy =
  (imageField: string): Rule =>
  (value, parent) => {
    if (value !== undefined) return value;
    const image = parent[imageField];
    return typeof image === 'string' && isLatest(image) ? 'Always' : 'IfNotPresent';
  };

const httpGet = inside({ path: fill('/'), scheme: fill('HTTP') });

const probe = inside({
  httpGet,
  grpc: inside({ service: fill('') }),
  timeoutSeconds: fill(1),
  periodSeconds: fill(10),
  successThreshold: fill(1),
  failureThreshold: fill(3),
});

const lifecycleHandler = inside({ httpGet });

const fieldRef = inside({ apiVersion: fill('v1') });

const container = inside({
  ports: each(inside({ protocol: fill('TCP') })),
  env: each(
    inside({ valueFrom: inside({ fieldRef, fileKeyRef: inside({ optional: fill(false) }) }) }),
  ),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: inside({ postStart: lifecycleHandler, preStop: lifecycleHandler }),
  imagePullPolicy: imagePullPolicy('image'),
  terminationMessagePath: fill('/dev/termination-log'),
  terminationMessagePolicy: fill('File'),
});

const modeDefault = 0o644;
const defaultMode = fill(modeDefault);
const downwardItems = each(inside({ fieldRef }));

const claimSpec = inside({ volumeMode: fill('Filesystem') });

const volume: Rule = chain(
  (value) => {
    if (!isJsonObject(value)) return value;
    const sources = Object.keys(value).filter((it) => it !== 'name');
    return sources.length === 0 ? { ...value, emptyDir: {} } : value;
  },
  inside({
    secret: inside({ defaultMode }),
    configMap: inside({ defaultMode }),
    downwardAPI: inside({ items: downwardItems, defaultMode }),
    projected: inside({
      sources: each(
        inside({
          downwardAPI: inside({ items: downwardItems }),
          serviceAccountToken: inside({ expirationSeconds: fill(3600) }),
        }),
      ),
      defaultMode,
    }),
    hostPath: inside({ type: fill('') }),
    image: inside({ pullPolicy: imagePullPolicy('reference') }),
    ephemeral: inside({ volumeClaimTemplate: inside({ spec: claimSpec }) }),
    iscsi: inside({ iscsiInterface: fill('default') }),
    rbd: inside({ pool: fill('rbd'), user: fill('admin'), keyring: fill('/etc/ceph/keyring') }),
    azureDisk: inside({
      cachingMode: fill('ReadWrite'),
      fsType: fill('ext4'),
      readOnly: fill(false),
      kind: fill('Shared'),
    }),
    scaleIO: inside({ storageMode: fill('ThinProvisioned'), fsType: fill('xfs') }),
  }),
);

const podSpec = inside({
  volumes: each(volume),
  initContainers: each(container),
  containers: each(container),
  ephemeralContainers: each(container),
  dnsPolicy: fill('ClusterFirst'),
  restartPolicy: fill('Always'),
  securityContext: fill({}),
  terminationGracePeriodSeconds: fill(30),
  schedulerName: fill('default-scheduler'),
  // The old name of the same field; the new one wins.
  serviceAccountName: (value, spec) => value ?? spec['serviceAccount'],
  serviceAccount: (_, spec) => spec['serviceAccountName'],
});

/** Of a `PodTemplateSpec`: the same template is not looked at twice. */
export const podTemplate = (): Rule => remembered(inside({ spec: podSpec }));

const requestsLikeLimits: Rule = (value) => {
  if (!isJsonObject(value) || !isJsonObject(value['limits'])) return value;
  const { limits, requests } = value;
  const asked: Readonly<Record<string, Json>> = isJsonObject(requests) ? requests : {};
  const missing = Object.keys(limits as object).filter((it) => asked[it] === undefined);
  if (missing.length === 0) return value;
  return { ...value, requests: { ...(limits as object), ...asked } };
};

const hostPorts = each(
  inside({
    ports: each(inside({ hostPort: (value, port) => value ?? port['containerPort'] })),
  }),
);

const isOnHost = (spec: Readonly<Record<string, Json>>): boolean => spec['hostNetwork'] === true;

/** What templates do not get, but the pods that are made of them. */
const containerOfPod = each(inside({ resources: requestsLikeLimits }));

export const podSpecOfPod: Rule = chain(
  podSpec,
  inside({
    containers: containerOfPod,
    initContainers: containerOfPod,
    enableServiceLinks: fill(true),
  }),
  inside({
    containers: when(isOnHost, hostPorts),
    initContainers: when(isOnHost, hostPorts),
  }),
);

export const persistentVolumeClaimSpec = claimSpec;
