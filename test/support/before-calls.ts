/** Faults of a transport that a test decides on, call by call. */
import type { Transport, TransportRequest } from '../../src/kube/transport.ts';

/** Calls go on unless `look` throws, which is what their caller gets. */
export const beforeCalls =
  (look: (request: TransportRequest) => void) =>
  (transport: Transport): Transport => ({
    ...transport,
    stream: (request) => transport.stream(request),
    close: () => transport.close(),
    call: (request) => {
      look(request);
      return transport.call(request);
    },
  });
