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

export interface KnativeOptions {
  /** Asked of each template's text; all get ready where absent. */
  readonly isReady?: (template: string) => boolean;
  /** Waits until its pods serve; not at all where absent. */
  readonly starts?: () => Promise<void>;
}

export function playKnative(api: ControllerApi, options: KnativeOptions = {}): void {
  const { isReady = () => true, starts = async () => undefined } = options;
  const templates: string[] = [];
  api.onChange(({ after }) => {
    if (after === undefined || !isKnativeService(after)) return;
    const { namespace = '', name, generation = 0 } = after.metadata;
    const template = canonicalJson(after.spec.template);
    if (templates.at(-1) !== template) {
      templates.push(template);
      const metadata = { namespace, name: nameOf(name, templates.length) };
      void make(metadata, after.spec.template, isReady(template));
    }
    if (after.status?.observedGeneration === generation) return;
    const latest = nameOf(name, templates.length);
    void api.update(knativeServices, withStatus(after, latest), 'status').catch(isRaced);
  });

  async function make(key: NamespacedName, template: unknown, ready: boolean): Promise<void> {
    const { spec } = (template ?? {}) as { readonly spec?: unknown };
    const revision = { apiVersion: knativeApiVersion, kind: 'Revision', metadata: key, spec };
    const made = await api.create(knativeRevisions, revision);
    await starts();
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }];
    await api.update(knativeRevisions, { ...made, status: { conditions } }, 'status');
  }
}

/** Somebody wrote in between: the change that this was is seen, too. */
const isRaced = (): void => undefined;

const nameOf = (service: string, serial: number): string =>
  `${service}-${String(serial).padStart(5, '0')}`;

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
