/** On which node a pod runs. Nodes have room for everybody: they take turns. */
import type { ControllerApi } from '../controller-api.ts';
import type { Node, Pod } from './kinds.ts';
import { nodes, selects } from './kinds.ts';

export interface Scheduler {
  /** The name of the node whose turn it is; undefined where no node will have the pod. */
  nodeFor(spec: Pod['spec']): string | undefined;
}

export function createScheduler(api: Pick<ControllerApi, 'list'>): Scheduler {
  let turn = 0;
  return {
    nodeFor: (spec) => {
      const fit = api.list(nodes).filter((node) => isFit(node, spec));
      if (fit.length === 0) return undefined;
      turn += 1;
      return fit[turn % fit.length]?.metadata.name;
    },
  };
}

const isFit = ({ spec, metadata }: Node, { nodeSelector = {} }: Pod['spec']): boolean =>
  spec?.unschedulable !== true && selects({ matchLabels: nodeSelector }, metadata.labels);
