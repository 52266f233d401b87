/** Rollouts under real traffic through an ingress gateway of Istio: by VirtualService. */
import { istio } from './istio.ts';
import { rolloutsUnderTraffic } from './rollouts.ts';

/**
 * Pilot tells Envoy of pods that are not ready yet, and Envoy's workers hear of a change of health alone
 * a second late: a pod that was quick to be ready would be given users before it takes any.
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
