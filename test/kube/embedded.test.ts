/** This room against the embedded cluster, over HTTPS as against any other. */
import { openEmbeddedSite } from '../cluster/conformance/embedded-site.ts';
import { talksTo } from './conversation.ts';

await talksTo('the embedded cluster', { open: openEmbeddedSite, skip: false });
