/** What annotations of the Canary ask of the Gateway API, beyond the fields of its spec. */
import { matchWithWeightsAnnotation, routeKindAnnotation } from './annotations.ts';
import type { Finding, Subject } from './validate-input.ts';
import { fieldsOf, ignored, listOf, refuse, textOf } from './validate-input.ts';

export const routeChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  routeKind,
  matchWithWeights,
  templates,
  meshName,
];

/** Objects of users that routes of some providers are made after. */
const templateFields: Readonly<Record<string, readonly [field: string, kind: string]>> = {
  nginx: ['ingressRef', 'Ingress'],
  skipper: ['ingressRef', 'Ingress'],
  apisix: ['routeRef', 'ApisixRoute'],
};

function* templates({ provider, spec }: Subject): Iterable<Finding> {
  const [field, kind] = templateFields[provider] ?? [];
  if (field === undefined || textOf(fieldsOf(spec[field])['name']) !== '') return;
  yield refuse(`spec.${field}`, `provider ${provider} needs the name of your ${kind}`);
}

/** Objects of App Mesh v1beta1 say of which Mesh they are; later ones are found by namespace. */
function* meshName({ provider, spec }: Subject): Iterable<Finding> {
  if (provider !== 'appmesh' || textOf(fieldsOf(spec['service'])['meshName']) !== '') return;
  yield refuse('spec.service.meshName', 'provider appmesh needs the name of your Mesh');
}

/** What a GRPCRoute has no place for. */
export const grpcLacks = {
  service: ['rewrite', 'corsPolicy', 'timeout', 'backendTimeout'],
  analysis: ['sessionAffinity'],
} as const;

const hasKinds = ({ provider }: Subject): boolean => provider.startsWith('gatewayapi:');

function* routeKind(subject: Subject): Iterable<Finding> {
  const kind = subject.annotations[routeKindAnnotation];
  const path = `metadata.annotations[${routeKindAnnotation}]`;
  if (kind === undefined) return;
  if (!hasKinds(subject)) {
    yield ignored(path, `provider ${subject.provider} has no kinds of routes`);
    return;
  }
  if (kind === 'HTTPRoute') return;
  if (kind !== 'GRPCRoute') yield refuse(path, 'say HTTPRoute or GRPCRoute');
  else if (subject.provider !== 'gatewayapi:v1') {
    yield refuse(path, 'GRPCRoute needs provider gatewayapi:v1');
  } else yield* grpc(subject);
}

function* grpc({ service, analysis }: Subject): Iterable<Finding> {
  const none = 'a GRPCRoute has no such thing';
  for (const field of grpcLacks.service) {
    if (service[field] !== undefined) yield refuse(`spec.service.${field}`, none);
  }
  for (const field of grpcLacks.analysis) {
    if (analysis[field] !== undefined) yield refuse(`spec.analysis.${field}`, none);
  }
  const matches = { service: service['match'], analysis: analysis['match'] };
  for (const [place, match] of Object.entries(matches)) {
    for (const [index, item] of listOf(match).entries()) {
      if (fieldsOf(item)['queryParams'] === undefined) continue;
      yield refuse(`spec.${place}.match[${index}].queryParams`, 'gRPC has none, use headers');
    }
  }
}

/** Whether `analysis.match` counts beside weights. */
export const opensToTesters = (subject: Subject): boolean =>
  hasKinds(subject) && subject.annotations[matchWithWeightsAnnotation] === 'enabled';

function* matchWithWeights(subject: Subject): Iterable<Finding> {
  const value = subject.annotations[matchWithWeightsAnnotation];
  const path = `metadata.annotations[${matchWithWeightsAnnotation}]`;
  if (value === undefined) return;
  if (!hasKinds(subject)) {
    yield ignored(path, `provider ${subject.provider} has no such thing, the Gateway API has`);
  } else if (value !== 'enabled') yield ignored(path, `${textOf(value)} is not enabled`);
  else if (listOf(subject.analysis['match']).length === 0) {
    yield ignored(path, 'analysis.match names nobody');
  }
}
