#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('mkroot: not compiled yet. Run: npm install && npm run build\n');
  process.exit(70);
}
const { main: run } = await import(main.href);
await run(process.argv.slice(2));
