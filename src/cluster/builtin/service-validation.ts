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
  const isElsewhere = type === 'ExternalName';
  // Addresses are given before anything is validated.
  const wrong = isElsewhere ? none : addressErrors(spec);
  if (wrong.length > 0) return wrong;
  const ports = objectsIn(spec['ports']);
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
    ...trafficErrors(spec),
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

const policies = ['Cluster', 'Local'];

function trafficErrors(spec: JsonObject): Errors {
  const { internalTrafficPolicy, externalTrafficPolicy } = spec;
  return [
    ...(externalTrafficPolicy === undefined
      ? none
      : oneOf('spec.externalTrafficPolicy', externalTrafficPolicy, policies)),
    ...(internalTrafficPolicy === undefined
      ? none
      : oneOf('spec.internalTrafficPolicy', internalTrafficPolicy, policies)),
  ];
}

const families = ['IPv4', 'IPv6'];
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

function addressErrors({ clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy }: JsonObject): Errors {
  const all = isList(clusterIPs) ? clusterIPs.map(textOf) : [];
  const field = 'spec.clusterIPs';
  const isHeaded = clusterIP === undefined || all.length === 0 || all[0] === clusterIP;
  const why = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
  const wrong = all.flatMap((it, index) =>
    it === 'None' || isIP(it) !== 0 ? none : [invalidValue(`${field}[${index}]`, it, why)],
  );
  const isDual = all.length < 2 || new Set(all.map(isIP)).size > 1;
  return [
    ...(isHeaded ? none : [invalidValue(field, all, 'first value must match `clusterIP`')]),
    ...(isList(ipFamilies) ? ipFamilies : []).flatMap((it, index) =>
      oneOf(`spec.ipFamilies[${index}]`, it, families),
    ),
    ...(ipFamilyPolicy === undefined
      ? none
      : oneOf('spec.ipFamilyPolicy', ipFamilyPolicy, familyPolicies)),
    ...wrong,
    ...(wrong.length > 0 || isDual
      ? none
      : [invalidValue(field, all, 'may specify no more than one IP for each IP family')]),
  ];
}
