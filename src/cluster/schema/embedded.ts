/**
 * Whole objects within an object (`x-kubernetes-embedded-resource`) say of what kind they are.
 * Rules: k8s.io/apiextensions-apiserver, `apiserver/schema/objectmeta/validation.go`. Their labels
 * and annotations are not looked at.
 */
import type { Json } from '../../api/kubernetes.ts';
import { isRecord } from '../json.ts';
import type { Inspection, Visit } from './descend.ts';
import { invalid, required } from './field-errors.ts';

export const embeddedResources: Inspection = {
  concerns: (schema) => schema['x-kubernetes-embedded-resource'] === true,
  visit: (value, _, visit) => {
    if (!isRecord(value)) return;
    for (const name of ['apiVersion', 'kind'] as const) {
      const text = value[name];
      if (text === undefined) visit.report(required(visit.path(name)));
      else checkName(name, text, visit);
    }
  },
};

const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const labelHint =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function checkName(name: 'apiVersion' | 'kind', text: Json, visit: Visit): void {
  const wrong = (why: string): void => visit.report(invalid(visit.path(name), text, why));
  if (typeof text !== 'string') return wrong('must be a string');
  if (text === '') return wrong('must not be empty');
  if (name === 'apiVersion') {
    if (text.split('/').length > 2) wrong(`unexpected GroupVersion string: ${text}`);
    return;
  }
  const kind = text.toLowerCase();
  if (label.test(kind) && kind.length <= 63) return;
  wrong(`may have mixed case, but should otherwise match: ${labelHint}`);
}
