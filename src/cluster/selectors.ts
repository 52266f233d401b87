/** Field selectors, as they come in queries. Grammar: k8s.io/apimachinery, `fields.ParseSelector`. */
import { badRequest } from './status-error.ts';

export interface FieldRequirement {
  readonly path: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** Throws a `StatusError` (400) where the text is no selector. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  if (text.trim() === '') return [];
  return text.split(/(?<!\\),/).map((part) => {
    const found = /^(?<path>[^=!]+)(?<op>==|=|!=)(?<value>.*)$/s.exec(part)?.groups;
    if (found === undefined)
      throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const { path = '', op, value = '' } = found;
    return { path, value: value.replace(/\\([,=\\])/g, '$1'), isEqual: op !== '!=' };
  });
}

/** The field as selectors compare it: absent ones are empty. */
export function fieldOf(object: unknown, path: string): string {
  let found: unknown = object;
  for (const name of path.split('.')) {
    found =
      typeof found === 'object' && found !== null
        ? (found as Readonly<Record<string, unknown>>)[name]
        : undefined;
  }
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  return typeof found === 'string' ? found : '';
}
