/** Rollouts under real traffic through an ingress gateway of Istio: by VirtualService. */
import { istio } from './istio.ts';
import { rolloutsUnderTraffic } from './rollouts.ts';

/**
 * Pilot tells Envoy of a pod before it is ready, and Envoy gathers changes of health for a second: a
 * pod that becomes ready sooner than that is given its share of users before Envoy trusts it.
 */
const minReadySeconds = 2;

await rolloutsUnderTraffic(istio, {
  istio: {
    fixture: 'istio.yaml',
    minReadySeconds,
    host: 'istio.shop.test',
    route: [
      'virtualservices',
      '{.spec.http[0].route[?(@.destination.host=="shop-canary")].weight}',
    ],
  },
});
