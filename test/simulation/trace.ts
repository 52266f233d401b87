/** What happened, for people: one line each, and only what bears on the story. */
import type { KubeObject } from '../../src/api/kubernetes.ts';
import type { Canary } from '../../src/api/canary.ts';
import type { Resource } from '../../src/kube/resources.ts';
import type { Change } from '../../src/cluster/controller-api.ts';
import type { Weights } from './scene.ts';
import { simulatedKinds } from './sides.ts';

export interface Trace {
  add(who: string, text: string): void;
  change(change: Change): void;
  /** What routes of a canary say from now on. */
  weights(canary: string, weights: readonly Weights[]): void;
  readonly lines: readonly string[];
}

export function createTrace(nowMs: () => number): Trace {
  const lines: string[] = [];
  const add = (who: string, text: string): void => {
    lines.push(`${(nowMs() / 1000).toFixed(3).padStart(9)}  ${who.padEnd(9)} ${text}`);
  };
  return {
    lines,
    add,
    weights: (canary, weights) => {
      const shown = weights.map((it) => `${it.primary}:${it.canary}`).join(' ');
      add('routes', `${canary} ${shown || 'none'}`);
    },
    change: ({ groupResource, before, after }) => {
      const object = after ?? before;
      if (object === undefined) return;
      const text = after === undefined ? 'deleted' : describe(groupResource, before, after);
      if (text === undefined) return;
      if (groupResource === 'events') add('event', text);
      else add('write', `${groupResource.split('.')[0]}/${object.metadata.name} ${text}`);
    },
  };
}

/** Undefined where nothing of interest differs. */
function describe(
  groupResource: string,
  before: KubeObject | undefined,
  after: KubeObject,
): string | undefined {
  const shown = view(groupResource, after);
  return shown === undefined || (before !== undefined && view(groupResource, before) === shown)
    ? undefined
    : shown;
}

function view(groupResource: string, object: KubeObject): string | undefined {
  switch (groupResource) {
    case 'canaries.flagger.app': {
      const { spec, status } = object as Canary;
      const { phase = '', canaryWeight = 0, failedChecks = 0, iterations = 0 } = status ?? {};
      const flags = [spec.suspend === true && 'suspended', status?.draining === true && 'draining'];
      return [
        phase || 'new',
        `weight ${canaryWeight}`,
        `failed ${failedChecks}`,
        `iterations ${iterations}`,
        ...flags.filter(Boolean),
      ].join(', ');
    }
    case 'configmaps': {
      const { data = {} } = object as { readonly data?: Readonly<Record<string, string>> };
      return JSON.stringify(data);
    }
    case 'events':
      return (object as { readonly message?: string }).message ?? '';
    default:
      return Object.values(simulatedKinds)
        .find(({ resource }) => groupResourceOf(resource) === groupResource)
        ?.show(object);
  }
}

const groupResourceOf = ({ group, plural }: Resource<KubeObject>): string =>
  group === '' ? plural : `${plural}.${group}`;
