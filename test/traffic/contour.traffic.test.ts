/** Rollouts under real traffic through Contour: by HTTPProxy, and by the Gateway API. */
import { contour } from './contour.ts';
import { rolloutsUnderTraffic } from './rollouts.ts';

const weightOfCanary = '[?(@.name=="shop-canary")].weight';

await rolloutsUnderTraffic(contour, {
  contour: {
    fixture: 'contour.yaml',
    host: 'contour.shop.test',
    route: ['httpproxies', `{.spec.routes[0].services${weightOfCanary}}`],
  },
  gatewayapi: {
    fixture: 'gateway.yaml',
    host: 'gateway.shop.test',
    route: ['httproutes', `{.spec.rules[0].backendRefs${weightOfCanary}}`],
  },
});
