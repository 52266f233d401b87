/** Whether the Services and routes that a Canary asks for can be made. */
import type { Finding, Subject } from './validate-input.ts';
import {
  duration,
  fieldsOf,
  isKnative,
  listOf,
  numberOf,
  refuse,
  shown,
  textOf,
} from './validate-input.ts';

export const serviceChecks: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  port,
  names,
  routeDurations,
  delegation,
];

const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65_535;

/** A Service's name: RFC 1035 label. */
const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
/** A Service port's name: RFC 1123 label. */
const portName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** A container port's name: at most 15 characters, one of them a letter (RFC 6335). */
const containerPortName = /^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;

function* port(subject: Subject): Iterable<Finding> {
  const { service } = subject;
  if (isKnative(subject)) return;
  const value = service['port'];
  if (value === undefined) {
    yield refuse('spec.service.port', 'is required: the generated Services listen on it');
  } else if (!isPort(numberOf(value) ?? 0)) {
    yield refuse('spec.service.port', `${shown(value)} is no port: use 1 to 65535`);
  }
  const target = service['targetPort'];
  // 0, "0" and absent all mean the port itself.
  if (target === undefined || target === 0 || target === '0') return;
  const isValid =
    typeof target === 'string'
      ? containerPortName.test(target) || isPort(/^\d+$/.test(target) ? Number(target) : 0)
      : isPort(numberOf(target) ?? 0);
  if (!isValid) {
    const message = `${shown(target)} is neither a port nor the name of a container's port`;
    yield refuse('spec.service.targetPort', message);
  }
}

function* names(subject: Subject): Iterable<Finding> {
  const { service, target } = subject;
  const own = textOf(service['name']);
  const path = own === '' ? 'spec.targetRef.name' : 'spec.service.name';
  const apex = own || target.name;
  // A target's name that is too long is refused with the target.
  const isTooLong = own !== '' && `${own}-primary`.length > 63;
  if (apex !== '' && (!serviceName.test(apex) || isTooLong)) {
    yield refuse(
      path,
      `"${apex.slice(0, 80)}" cannot name Services: at most 55 characters of a-z, 0-9 and "-", a letter first`,
    );
  }
  const name = textOf(service['portName']);
  if (name !== '' && !portName.test(name)) {
    const message = `"${name.slice(0, 80)}" is no name of a port: use a-z, 0-9 and "-"`;
    yield refuse('spec.service.portName', message);
  }
}

/** Durations that go into routes. Without routes nobody reads them. */
function* routeDurations({ service, abilities }: Subject): Iterable<Finding> {
  if (abilities?.weights !== true) return;
  const durations = {
    timeout: service['timeout'],
    backendTimeout: service['backendTimeout'],
    'retries.perTryTimeout': fieldsOf(service['retries'])['perTryTimeout'],
    'corsPolicy.maxAge': fieldsOf(service['corsPolicy'])['maxAge'],
  };
  for (const [field, value] of Object.entries(durations)) {
    yield* duration(`spec.service.${field}`, textOf(value));
  }
}

function* delegation({ service, provider }: Subject): Iterable<Finding> {
  if (provider !== 'istio' || service['delegation'] !== true) return;
  for (const field of ['hosts', 'gateways']) {
    if (listOf(service[field]).length === 0) continue;
    yield refuse(`spec.service.${field}`, 'excludes delegation: a delegate has none of its own');
  }
}
