/**
 * A stand-in for Knative's controller: each template of a Knative Service becomes a Revision, and the
 * status says which is the newest and where traffic goes.
 */
import type { KnativeService } from '../../src/api/knative.ts';
import { isKnativeService, knativeApiVersion } from '../../src/api/knative.ts';
import type { NamespacedName } from '../../src/api/kubernetes.ts';
import type { ControllerApi } from '../../src/cluster/controller-api.ts';
import { knativeRevisions, knativeServices } from '../../src/kube/resources.ts';
import { canonicalJson } from '../../src/revision/canonical-json.ts';

/** `isReady` is asked of each template's text. */
export function playKnative(
  api: ControllerApi,
  isReady: (template: string) => boolean = () => true,
): void {
  const templates: string[] = [];
  api.onChange(({ after }) => {
    if (after === undefined || !isKnativeService(after)) return;
    const { namespace = '', name, generation = 0 } = after.metadata;
    const template = canonicalJson(after.spec.template);
    if (templates.at(-1) !== template) {
      templates.push(template);
      const revision = nameOf(name, templates.length);
      void make(api, { namespace, name: revision }, isReady(template));
    }
    if (after.status?.observedGeneration === generation) return;
    const latest = nameOf(name, templates.length);
    void api.update(knativeServices, withStatus(after, latest), 'status').catch(isRaced);
  });
}

/** Somebody wrote in between: the change that this was is seen, too. */
const isRaced = (): void => undefined;

const nameOf = (service: string, serial: number): string =>
  `${service}-${String(serial).padStart(5, '0')}`;

async function make(api: ControllerApi, metadata: NamespacedName, ready: boolean): Promise<void> {
  const revision = { apiVersion: knativeApiVersion, kind: 'Revision', metadata };
  const made = await api.create(knativeRevisions, revision);
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }];
  await api.update(knativeRevisions, { ...made, status: { conditions } }, 'status');
}

function withStatus(service: KnativeService, latest: string): KnativeService {
  const { metadata, spec } = service;
  return {
    ...service,
    status: {
      observedGeneration: metadata.generation ?? 0,
      latestCreatedRevisionName: latest,
      traffic: spec.traffic ?? [{ latestRevision: true, percent: 100 }],
      conditions: ['Ready', 'RoutesReady'].map((type) => ({ type, status: 'True' })),
    },
  };
}
