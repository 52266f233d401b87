/** Rollouts under real traffic through an ingress gateway of Istio: by VirtualService. */
import { istio } from './istio.ts';
import { rolloutsUnderTraffic } from './rollouts.ts';

await rolloutsUnderTraffic(istio, {
  istio: {
    fixture: 'istio.yaml',
    host: 'istio.shop.test',
    route: [
      'virtualservices',
      '{.spec.http[0].route[?(@.destination.host=="shop-canary")].weight}',
    ],
  },
});
