/** The resources that a cluster has at the moment. Custom ones come and go. */
import type { ResourceType } from './resource-type.ts';
import { groupResourceOf } from './resource-type.ts';

export interface ResourceRegistry {
  find(group: string, version: string, plural: string): ResourceType | undefined;
  /** In the version that was registered first. */
  of(groupResource: string): ResourceType | undefined;
  hasGroupVersion(group: string, version: string): boolean;
  /** In the order of registration; the same array as long as nothing changes. */
  all(): readonly ResourceType[];
  /** Takes the place of all versions of that resource that there were. */
  register(groupResource: string, types: readonly ResourceType[]): void;
  onChange(listener: () => void): void;
}

export function createResourceRegistry(builtIn: readonly ResourceType[]): ResourceRegistry {
  let types: readonly ResourceType[] = [];
  const listeners: (() => void)[] = [];
  const byPath = new Map<string, ResourceType>();
  const byResource = new Map<string, ResourceType>();
  const pathOf = (group: string, version: string, plural: string): string =>
    `${group}/${version}/${plural}`;

  const use = (all: readonly ResourceType[]): void => {
    types = all;
    byPath.clear();
    byResource.clear();
    for (const type of all) {
      byPath.set(pathOf(type.group, type.version, type.plural), type);
      const groupResource = groupResourceOf(type);
      if (!byResource.has(groupResource)) byResource.set(groupResource, type);
    }
  };
  use(builtIn);

  return {
    find: (group, version, plural) => byPath.get(pathOf(group, version, plural)),
    of: (groupResource) => byResource.get(groupResource),
    hasGroupVersion: (group, version) =>
      types.some((it) => it.group === group && it.version === version),
    all: () => types,
    register: (groupResource, added) => {
      use([...types.filter((it) => groupResourceOf(it) !== groupResource), ...added]);
      for (const listener of listeners) listener();
    },
    onChange: (listener) => void listeners.push(listener),
  };
}
