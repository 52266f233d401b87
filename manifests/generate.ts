/** `make manifests`: writes what code renders into this folder. */
import { writeFileSync } from 'node:fs';
import { generatedManifests } from './render.ts';

for (const [path, text] of generatedManifests()) {
  writeFileSync(new URL(path, import.meta.url), text);
}
