#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Before what such a Node.js cannot even read. Exit codes are those of src/errors.ts.
if (Number.parseInt(process.versions.node, 10) < 20) {
  process.stderr.write(
    `mkroot: Cannot run on Node.js ${process.versions.node} (${process.execPath}): it takes 20 or newer\n` +
      'hint: Debian 13 has it as nodejs; for others it comes from nodejs.org.\n',
  );
  process.exit(5);
}
const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  const clone = fileURLToPath(new URL('..', import.meta.url));
  process.stderr.write(
    `mkroot: Cannot run: it is not compiled yet\nhint: Run in ${clone}: npm ci && npm run build\n`,
  );
  process.exit(5);
}
const { main: run } = await import(main.href);
await run(process.argv.slice(2));
