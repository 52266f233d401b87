/** What `kubectl` prints when a Deployment is changed: admission's warnings, asked for as a dry run. */
import type { Answerer } from '../admission/server.ts';
import type { Deployment } from '../api/kubernetes.ts';

export function warningsOf(
  review: Answerer,
  oldObject: Deployment,
  object: Deployment,
): readonly string[] {
  const { name, namespace } = object.metadata;
  const { body } = review('mutate', {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'rehearsal',
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      operation: 'UPDATE',
      namespace,
      name,
      userInfo: { username: 'rehearsal' },
      dryRun: true,
      object,
      oldObject,
    },
  });
  const { response } = body as { readonly response?: { readonly warnings?: readonly string[] } };
  return response?.warnings ?? [];
}
