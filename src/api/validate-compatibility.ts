/** The reference's own checks, in its order and words (`spec/01`, 1.7). */
import type { Finding, Subject } from './validate-input.ts';
import { fieldsOf, isKnative, listOf, refuse, textOf } from './validate-input.ts';

export const compatibilityChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  crossNamespaceReferences,
  knativeTarget,
  cookieNames,
];

function* crossNamespaceReferences(subject: Subject): Iterable<Finding> {
  if (!subject.options.noCrossNamespaceRefs) return;
  const { spec, analysis } = subject;
  const references: (readonly [string, string, unknown])[] = [
    ['gloo upstream', 'spec.upstreamRef', spec['upstreamRef']],
    ...listOf(analysis['metrics']).map(
      (metric, index) =>
        [
          'metric template',
          `spec.analysis.metrics[${index}].templateRef`,
          fieldsOf(metric)['templateRef'],
        ] as const,
    ),
    ...listOf(analysis['alerts']).map(
      (alert, index) =>
        [
          'alert provider',
          `spec.analysis.alerts[${index}].providerRef`,
          fieldsOf(alert)['providerRef'],
        ] as const,
    ),
  ];
  for (const [noun, path, value] of references) {
    const reference = fieldsOf(value);
    const namespace = textOf(reference['namespace']) || subject.namespace;
    if (namespace === subject.namespace) continue;
    const object = `${noun} ${textOf(reference['name'])}.${namespace}`;
    yield refuse(path, `can't access ${object}, cross-namespace references are blocked`);
  }
}

function* knativeTarget(subject: Subject): Iterable<Finding> {
  const { spec, target } = subject;
  const provider = textOf(spec['provider']);
  if (isKnative(subject) && provider !== 'knative') {
    const message = `can't use ${provider} provider with Knative Service as target`;
    yield refuse('spec.provider', message);
  }
  // Also where only the flag says so: there would be nothing to route.
  if (!isKnative(subject) && subject.provider === 'knative') {
    const kind = `${target.apiVersion}/${target.kind}`;
    yield refuse('spec.targetRef', `can't use ${kind} as target if provider is set to knative`);
  }
  if (isKnative(subject) && spec['autoscalerRef'] !== undefined) {
    yield refuse('spec.autoscalerRef', "can't use autoscaler with Knative Service");
  }
}

function* cookieNames({ analysis }: Subject): Iterable<Finding> {
  if (analysis['sessionAffinity'] === undefined) return;
  const { cookieName, primaryCookieName } = fieldsOf(analysis['sessionAffinity']);
  if (textOf(cookieName) !== textOf(primaryCookieName)) return;
  yield refuse(
    'spec.analysis.sessionAffinity.cookieName',
    "can't use the same cookie name for both primary and cookie name; " +
      'please update them to be different',
  );
}
