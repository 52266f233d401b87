/** The embedded cluster keeps the promises that the real one was seen to keep. */
import { conform } from './conform.ts';
import { openEmbeddedSite } from './embedded-site.ts';

await conform('the embedded cluster', { open: openEmbeddedSite, skip: false });
