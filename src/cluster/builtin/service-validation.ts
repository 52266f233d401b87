/** What is wrong with a Service. Rules: Kubernetes, `pkg/apis/core/validation/validation.go`. */
import { isIP } from 'node:net';
import { labelErrors, labelNameErrors, subdomainErrors } from '../metadata.ts';
import { forbidden, required } from '../schema/field-errors.ts';
import type { JsonObject } from './defaulting.ts';
import { isList, objectOf, objectsIn, textOf } from './defaulting.ts';
import type { Errors } from './field-errors.ts';
import { duplicate, invalidValue, none, oneOf, portNumber, portOrName } from './field-errors.ts';
import { validatingSpec } from './workload-validation.ts';

export const validateService = validatingSpec((spec, before) => {
  const { clusterIP, type } = spec;
  // Addresses are given before anything is validated.
  const wrong = addressErrors(spec);
  if (wrong.length > 0) return wrong;
  const ports = objectsIn(spec['ports']);
  const isElsewhere = type === 'ExternalName';
  const isHeadless = clusterIP === 'None';
  return [
    ...(before === undefined || before['type'] === 'ExternalName' || isElsewhere
      ? none
      : movedErrors(spec, before)),
    ...(ports.length === 0 && !isHeadless && !isElsewhere ? [required('spec.ports')] : none),
    ...(isElsewhere ? elsewhereErrors(textOf(spec['externalName'])) : none),
    ...portErrors(ports),
    ...labelErrors('spec.selector', objectOf(spec['selector'])),
    ...oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None']),
    ...oneOf('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...twinErrors(ports),
    ...nodePortErrors(ports, textOf(type)),
  ];
});

const elsewhereErrors = (name: string): Errors =>
  name === ''
    ? [required('spec.externalName')]
    : subdomainErrors('spec.externalName', name.replace(/\.$/, ''));

/** Its address is what a Service is known by. */
function movedErrors({ clusterIPs }: JsonObject, { clusterIPs: before }: JsonObject): Errors {
  const was = isList(before) ? before[0] : undefined;
  const is = isList(clusterIPs) ? clusterIPs[0] : undefined;
  return was === undefined || was === is
    ? none
    : [invalidValue('spec.clusterIPs[0]', clusterIPs, 'may not change once set')];
}

function portErrors(ports: readonly JsonObject[]): Errors {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const field = `spec.ports[${index}]`;
    const name = textOf(port['name']);
    const isTaken = name !== '' && names.has(name);
    names.add(name);
    return [
      ...(name === '' && ports.length > 1 ? [required(`${field}.name`)] : none),
      ...(name === '' ? none : labelNameErrors(`${field}.name`, name)),
      ...(isTaken ? [duplicate(`${field}.name`, name)] : none),
      ...portNumber(`${field}.port`, port['port']),
      ...oneOf(`${field}.protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP']),
      ...portOrName(`${field}.targetPort`, port['targetPort']),
    ];
  });
}

function nodePortErrors(ports: readonly JsonObject[], type: string): Errors {
  if (type === 'NodePort' || type === 'LoadBalancer') return none;
  return ports.flatMap(({ nodePort = 0 }, index) =>
    nodePort === 0
      ? none
      : [forbidden(`spec.ports[${index}].nodePort`, `may not be used when \`type\` is '${type}'`)],
  );
}

/** Two ports of one number and protocol. */
function twinErrors(ports: readonly JsonObject[]): Errors {
  const seen = new Set<string>();
  return ports.flatMap(({ port = 0, protocol = '' }, index) => {
    const key = `${JSON.stringify(port)}/${textOf(protocol)}`;
    const isTaken = seen.has(key);
    seen.add(key);
    // As the API server holds what it compares.
    const shown = { Name: '', Protocol: protocol, AppProtocol: null, Port: port };
    return isTaken
      ? [duplicate(`spec.ports[${index}]`, { ...shown, TargetPort: 0, NodePort: 0 })]
      : none;
  });
}

function addressErrors({ clusterIPs, type }: JsonObject): Errors {
  if (type === 'ExternalName' || !isList(clusterIPs)) return none;
  const why = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
  return clusterIPs.flatMap((it, index) =>
    it === 'None' || isIP(textOf(it)) !== 0
      ? none
      : [invalidValue(`spec.clusterIPs[${index}]`, it, why)],
  );
}
