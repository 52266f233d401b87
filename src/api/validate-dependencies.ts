/** Whether the canaries that one depends on can ever be done before it. */
import type { Finding, Subject } from './validate-input.ts';
import { fieldsOf, ignored, listOf, refuse, textOf } from './validate-input.ts';

export const dependencyChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  dependencies,
];

function* dependencies({ name, namespace, spec, options }: Subject): Iterable<Finding> {
  const known = new Set<string>();
  for (const [index, value] of listOf(spec['dependsOn']).entries()) {
    const path = `spec.dependsOn[${index}]`;
    const reference = fieldsOf(value);
    const other = textOf(reference['name']);
    const where = textOf(reference['namespace']) || namespace;
    const shown = `canary ${other}.${where}`;
    if (other === '') yield refuse(`${path}.name`, 'is missing');
    else if (other === name && where === namespace) {
      yield refuse(path, `${shown} is this one, which would wait for itself`);
    } else if (where !== namespace && options.noCrossNamespaceRefs) {
      yield refuse(path, `can't access ${shown}, cross-namespace references are blocked`);
    } else if (known.has(shown)) yield ignored(path, `${shown} is named before`);
    known.add(shown);
  }
}
