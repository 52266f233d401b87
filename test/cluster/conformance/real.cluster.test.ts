/** What the real control plane does is the expectation; here it is seen to be so. */
import { controlPlaneOrSkip } from '../require.ts';
import { conform } from './conform.ts';
import { openRealSite } from './real-site.ts';

await conform('kube-apiserver', {
  open: () => openRealSite({ nodes: 2 }),
  skip: await controlPlaneOrSkip(),
});
