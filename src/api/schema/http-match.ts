/** Conditions on requests, of a route (`service.match`) and of an A/B test (`analysis.match`). */
import type { Properties, Schema } from './builders.ts';
import {
  array,
  atMostOne,
  boolean,
  exactlyOne,
  integer,
  mapOf,
  object,
  string,
  stringMap,
  strings,
} from './builders.ts';

const operators: Properties = {
  exact: string('The value is this text.'),
  prefix: string('The value begins with this text.'),
  regex: string('The value matches this RE2 expression.'),
};

/** A condition that may be empty, which is that the value exists. */
const condition = (description: string): Schema =>
  object(description, operators, [], atMostOne('exact', 'prefix', 'regex'));

const conditionMap = (description: string): Schema =>
  mapOf(description, condition('Condition on the value.'));

export const serviceMatch = array(
  'Conditions under which requests are routed at all; one of them must hold.',
  object('All of its conditions must hold.', {
    name: string('Name of the condition.'),
    uri: condition('Condition on the path.'),
    scheme: condition('Condition on the scheme.'),
    method: condition('Condition on the HTTP method.'),
    authority: condition('Condition on the authority.'),
    headers: conditionMap('Conditions on headers, by name in lower case.'),
    queryParams: conditionMap('Conditions on query parameters, by name.'),
    withoutHeaders: conditionMap('Conditions on headers that must not hold.'),
    port: integer('Port on the host that is addressed.'),
    sourceLabels: stringMap('Labels of the pods that the request comes from.'),
    sourceNamespace: string('Namespace of the pods that the request comes from.'),
    gateways: strings('Gateways where the condition applies.'),
    ignoreUriCase: boolean('Compares the path without regard to case.'),
  }),
);

export const analysisMatch = array(
  'Who sees the canary in an A/B test; one of the items must hold.',
  object('All of its conditions must hold.', {
    headers: mapOf(
      'Conditions on headers, by name in lower case.',
      object(
        'Condition on the value.',
        { ...operators, suffix: string('The value ends with this text.') },
        [],
        exactlyOne(['exact'], ['prefix'], ['suffix'], ['regex']),
      ),
    ),
    queryParams: conditionMap('Conditions on query parameters, by name.'),
    sourceLabels: stringMap('Labels of the pods that the request comes from; mesh gateway only.'),
  }),
);
