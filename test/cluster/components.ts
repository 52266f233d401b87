/**
 * The command line of each component. Everything listens on loopback only, nothing elects a leader,
 * and rate limits are far above what tests ask for, so that the API server is the only bound.
 */

/** Where the files and ports of one control plane are; paths are absolute. */
export interface Layout {
  readonly directory: string;
  readonly etcdPort: number;
  readonly apiServerPort: number;
  readonly caFile: string;
  readonly servingCertificateFile: string;
  readonly servingKeyFile: string;
  readonly serviceAccountKeyFile: string;
  readonly serviceAccountPublicKeyFile: string;
  /** Both are undefined if requests are not to be audited. */
  readonly auditPolicyFile: string | undefined;
  readonly auditLogFile: string | undefined;
}

/** Of the tokens that the API server issues. */
const issuer = 'https://kubernetes.default.svc';

/** Room for the three Services of 5,000 canaries. */
const serviceRange = '10.0.0.0/16';

export function etcdArguments({ directory, etcdPort }: Layout): readonly string[] {
  return [
    `--data-dir=${directory}/etcd`,
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    // The only member has nobody to talk to; any port will do.
    '--listen-peer-urls=http://127.0.0.1:0',
    // Nothing has to survive a crash of the machine.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export function apiServerArguments(layout: Layout): readonly string[] {
  const { auditLogFile, auditPolicyFile } = layout;
  return [
    '--bind-address=127.0.0.1',
    `--secure-port=${layout.apiServerPort}`,
    `--etcd-servers=http://127.0.0.1:${layout.etcdPort}`,
    `--client-ca-file=${layout.caFile}`,
    `--tls-cert-file=${layout.servingCertificateFile}`,
    `--tls-private-key-file=${layout.servingKeyFile}`,
    `--service-account-issuer=${issuer}`,
    `--service-account-key-file=${layout.serviceAccountPublicKeyFile}`,
    `--service-account-signing-key-file=${layout.serviceAccountKeyFile}`,
    `--service-cluster-ip-range=${serviceRange}`,
    '--authorization-mode=RBAC',
    '--allow-privileged',
    // Endpoints may not be on loopback, and nothing reaches the API server through its Service.
    '--endpoint-reconciler-type=none',
    // It would taint the fake nodes, which have no node controller to take the taint off again.
    '--disable-admission-plugins=TaintNodesByCondition',
    ...(auditLogFile === undefined || auditPolicyFile === undefined
      ? []
      : [`--audit-policy-file=${auditPolicyFile}`, `--audit-log-path=${auditLogFile}`]),
  ];
}

export function controllerManagerArguments(layout: Layout, kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    // Fake nodes send no heartbeat: left alone, they stay as ready as they were created.
    '--controllers=*,-node-lifecycle-controller',
    // One user per controller, as in a real cluster: it is seen by admission and in the audit log.
    '--use-service-account-credentials',
    `--service-account-private-key-file=${layout.serviceAccountKeyFile}`,
    `--root-ca-file=${layout.caFile}`,
    '--concurrent-deployment-syncs=20',
    '--concurrent-replicaset-syncs=20',
    '--concurrent-service-endpoint-syncs=20',
    '--concurrent-gc-syncs=5',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
  ];
}

export function schedulerArguments(kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
  ];
}

export function kwokArguments(kubeconfig: string, stagesFile: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${stagesFile}`,
    '--manage-all-nodes',
    '--node-lease-duration-seconds=0',
    // The port of a kubelet, which it would open on every address.
    '--node-port=0',
  ];
}
