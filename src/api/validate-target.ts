/** Whether this version can release the target that a Canary names. */
import type { Finding, Subject } from './validate-input.ts';
import { fieldsOf, isKnative, numberOf, refuse, textOf, warn } from './validate-input.ts';

export const targetChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  provider,
  targetKind,
  serviceTarget,
  autoscaler,
  deadline,
];

function* provider(subject: Subject): Iterable<Finding> {
  const { spec, abilities, options } = subject;
  const wanted = textOf(spec['provider']) || options.meshProvider;
  const origin = textOf(spec['provider']) === '' ? ', which -mesh-provider asks for,' : '';
  if (abilities === undefined) {
    const supported = Object.keys(options.providers).join(', ');
    const message = `provider ${wanted}${origin} is not supported by this version: use ${supported}`;
    yield refuse('spec.provider', message);
  } else if (wanted !== subject.provider) {
    yield warn('spec.provider', `unknown mesh router provider '${wanted}', using istio`);
  }
}

/** Pods are labelled with the name of the primary, and a label holds 63 characters. */
const targetNameMax = 63 - '-primary'.length;

function* targetKind({ target, options }: Subject): Iterable<Finding> {
  if (!options.targetKinds.includes(target.kind)) {
    const wrong =
      target.kind === '' ? 'is required' : `"${target.kind}" is not supported by this version`;
    yield refuse('spec.targetRef.kind', `${wrong}: use ${options.targetKinds.join(', ')}`);
    return;
  }
  const isWorkload = target.kind === 'Deployment' || target.kind === 'DaemonSet';
  if (isWorkload && target.apiVersion !== 'apps/v1') {
    const message = `"${target.apiVersion}" is read as apps/v1, where ${target.kind}s are`;
    yield warn('spec.targetRef.apiVersion', message);
  }
  if (target.name === '') yield refuse('spec.targetRef.name', 'is required');
  if (target.name.length > targetNameMax) {
    yield refuse(
      'spec.targetRef.name',
      `has ${target.name.length} characters: with "-primary" it must fit into a label of 63`,
    );
  }
  if (target.name.endsWith('-primary')) {
    const message = 'is named like a primary, which the controller makes: name the target itself';
    yield warn('spec.targetRef.name', message);
  }
}

/** Routes go by `spec.service.name`, copies of the target by its own. */
function* serviceTarget(subject: Subject): Iterable<Finding> {
  const { spec, target } = subject;
  if (target.kind !== 'Service' || isKnative(subject)) return;
  const name = textOf(fieldsOf(spec['service'])['name']);
  if (name === '' || name === target.name) return;
  const message = `is "${name}", but a Service that is the target is what users call: leave it out, or "${target.name}"`;
  yield refuse('spec.service.name', message);
}

function* autoscaler({ spec, target, options }: Subject): Iterable<Finding> {
  if (spec['autoscalerRef'] === undefined) return;
  if (target.kind === 'DaemonSet' || target.kind === 'Service') {
    yield warn('spec.autoscalerRef', `a ${target.kind} has no replicas that could be scaled`);
  }
  const kind = textOf(fieldsOf(spec['autoscalerRef'])['kind']);
  if (options.autoscalerKinds.includes(kind)) return;
  yield refuse(
    'spec.autoscalerRef.kind',
    `"${kind}" is not supported by this version: use ${options.autoscalerKinds.join(', ')}`,
  );
}

function* deadline({ spec }: Subject): Iterable<Finding> {
  const seconds = numberOf(spec['progressDeadlineSeconds']);
  const path = 'spec.progressDeadlineSeconds';
  if (seconds === undefined) return;
  if (!Number.isInteger(seconds)) yield refuse(path, `${seconds} is not a whole number`);
  else if (seconds <= 0) yield warn(path, `${seconds} fails each rollout as soon as it waits`);
}
