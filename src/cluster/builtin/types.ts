/** The built-in kinds, in one table. */
import type { ResourceType } from '../resource-type.ts';
import { appsKinds } from './apps.ts';
import { autoscalingKinds } from './autoscaling.ts';
import { batchKinds } from './batch.ts';
import { coordinationKinds } from './coordination.ts';
import { coreKinds } from './core.ts';
import { createDecoders } from './decode.ts';
import { endpointKinds } from './endpoints.ts';
import { eventKind, newEventKind } from './event.ts';
import { extensionKinds } from './extension.ts';
import { resourceType } from './kind.ts';
import { networkingKinds } from './networking.ts';
import { nodeKind } from './node.ts';
import { podKind } from './pod.ts';
import { policyKinds } from './policy.ts';
import { rbacKinds } from './rbac.ts';
import { reviewKinds } from './review.ts';
import { createSchemas } from './schemas.ts';
import type { ServiceAddresses } from './service.ts';
import { serviceKind } from './service.ts';
import { createServiceAddresses } from './service-addresses.ts';

export interface BuiltInOptions {
  /** Default: the first that is free, beginning with 10.96.0.1 and 30000. */
  readonly addresses?: ServiceAddresses;
}

/** Each call makes types of its own: they remember what they have seen. */
export function builtInTypes({
  addresses = createServiceAddresses(),
}: BuiltInOptions = {}): readonly ResourceType[] {
  const kit = { schemas: createSchemas(), decoders: createDecoders() };
  const kinds = [
    ...coreKinds(),
    podKind,
    nodeKind,
    eventKind,
    newEventKind,
    serviceKind(addresses),
    ...endpointKinds(),
    ...appsKinds(),
    ...batchKinds(),
    ...autoscalingKinds(),
    ...policyKinds(),
    ...networkingKinds(),
    ...coordinationKinds(),
    ...rbacKinds(),
    ...extensionKinds(),
    ...reviewKinds(),
  ];
  return kinds.map((kind) => resourceType(kind, kit));
}
