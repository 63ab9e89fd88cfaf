import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core';

/**
 * Writes oclif.manifest.json, run by `npm run build`: with it oclif knows every command's flags without importing the
 * commands, so that starting mkroot loads the one command that was asked for.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const plugin = new Plugin({
  root,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
await plugin.load();
writeFileSync(`${root}oclif.manifest.json`, `${JSON.stringify(plugin.manifest, null, 2)}\n`);
