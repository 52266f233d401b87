/** The suite that every cluster passes, the real one first: what it does is what is expected. */
import { after, before, suite, test } from 'node:test';
import { findBinaries } from '../binaries.ts';
import { controlPlaneOrSkip } from '../require.ts';
import { apply } from './apply.ts';
import { clientNode } from './client-node.ts';
import { customResources } from './custom-resources.ts';
import { customVersions } from './custom-versions.ts';
import { deletion } from './deletion.ts';
import { discovery } from './discovery.ts';
import { history } from './history.ts';
import { kubectlDescribe } from './kubectl-describe.ts';
import { kubectlGet } from './kubectl-get.ts';
import { kubectlRollout } from './kubectl-rollout.ts';
import { kubectlWrite } from './kubectl-write.ts';
import { lists } from './lists.ts';
import { namespaceRules } from './namespaces.ts';
import { objects } from './objects.ts';
import { patches } from './patches.ts';
import { refusals } from './refusals.ts';
import { rollouts } from './rollouts.ts';
import { services } from './services.ts';
import { shapes } from './shapes.ts';
import { subresources } from './subresources.ts';
import { trials } from './trials.ts';
import { webhookLimits } from './webhook-limits.ts';
import { webhooks } from './webhooks.ts';
import { watches } from './watches.ts';
import { workloads } from './workloads.ts';
import { groundOn } from './ground.ts';
import type { OpenGround } from './ground.ts';
import type { Chapter, Site } from './site.ts';

const chapters: readonly Chapter[] = [
  discovery,
  objects,
  refusals,
  patches,
  apply,
  trials,
  lists,
  watches,
  history,
  shapes,
  subresources,
  namespaceRules,
  deletion,
  customResources,
  customVersions,
  webhooks,
  webhookLimits,
  workloads,
  rollouts,
  services,
  clientNode,
  kubectlGet,
  kubectlDescribe,
  kubectlWrite,
  kubectlRollout,
];

/** Most of the time of a test goes by in the server or in kubectl. */
const atOnce = 4;
const timeoutMs = 300_000;

/** Tests that start kubectl are skipped, saying so, where it is missing; but not under `CI=true`. */
export async function conform(
  title: string,
  options: { readonly open: () => Promise<Site>; readonly skip: string | false },
): Promise<void> {
  const search = await findBinaries();
  const noKubectl = await controlPlaneOrSkip();
  suite(`${title} keeps the promises of the Kubernetes API`, { skip: options.skip }, () => {
    let ground: OpenGround;
    before(async () => {
      const kubectlPath = search.found ? search.binaries.kubectl : '';
      ground = await groundOn(await options.open(), kubectlPath);
    });
    after(() => ground?.close());
    for (const { title, needsKubectl, tests } of chapters) {
      const skip = needsKubectl ? noKubectl : false;
      suite(title, { skip, concurrency: atOnce, timeout: timeoutMs }, () => {
        for (const [sentence, run] of Object.entries(tests)) test(sentence, () => run(ground));
      });
    }
  });
}
