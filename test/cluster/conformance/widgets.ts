/** A kind of our own, defined for one test only: each has a group of its own. */
import assert from 'node:assert/strict';
import { at } from './match.ts';
import { definitions } from './paths.ts';
import type { Ground } from './site.ts';

export interface Widgets {
  readonly group: string;
  readonly apiVersion: string;
  /** Of the CustomResourceDefinition. */
  readonly definition: string;
  /** The collection, in the namespace. */
  readonly path: string;
  /** As kubectl names it, unlike those of other tests: `widgets.<group>`. */
  readonly resource: string;
  readonly widget: (name: string, fields?: object) => object;
}

export interface WidgetChoice {
  readonly scope?: 'Namespaced' | 'Cluster';
  /** Of the whole object; anything where absent. */
  readonly schema?: object;
  readonly subresources?: object;
  /** Beside the schema: columns, selectable fields. */
  readonly version?: object;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export function definitionOf(group: string, choice: WidgetChoice = {}): object {
  const { scope = 'Namespaced', schema = anything, subresources, version, ...names } = choice;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope,
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget', ...names },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          ...(subresources && { subresources }),
          ...version,
        },
      ],
    },
  };
}

export async function established(ground: Ground, name: string): Promise<unknown> {
  return ground.until(`${name} is established`, async () => {
    const { body } = await ground.calls.get(`${definitions}/${name}`);
    const conditions = (at(body, 'status.conditions') ?? []) as readonly {
      readonly type: string;
      readonly status: string;
    }[];
    return conditions.some((it) => it.type === 'Established' && it.status === 'True') && body;
  });
}

/** Resolves when widgets can be created. */
export async function defineWidgets(
  ground: Ground,
  namespace: string,
  choice: WidgetChoice = {},
): Promise<Widgets> {
  const group = `${ground.name('g')}.conformance.test`;
  const definition = `widgets.${group}`;
  const { code, body } = await ground.calls.create(definitions, definitionOf(group, choice));
  assert.equal(code, 201, JSON.stringify(body));
  await established(ground, definition);
  const place = choice.scope === 'Cluster' ? '' : `/namespaces/${namespace}`;
  const path = `/apis/${group}/v1${place}/widgets`;
  await ground.until('it is served', async () => (await ground.calls.get(path)).code === 200);
  const apiVersion = `${group}/v1`;
  return {
    group,
    apiVersion,
    definition,
    path,
    resource: definition,
    widget: (name, fields) => ({ apiVersion, kind: 'Widget', metadata: { name }, ...fields }),
  };
}
