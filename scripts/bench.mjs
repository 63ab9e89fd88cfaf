// `npm run bench`: sets up, compiles test/bench and runs it; arguments are parts and options, see docs/benchmarks.md.
import { spawnSync } from 'node:child_process';
import { root, setUp } from './set-up.mjs';

setUp('npm run bench', ['demo', 'bench']);
const run = (program, args) => spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const compiled = run(`${root}node_modules/.bin/tsc`, ['-p', 'test/bench/tsconfig.json']);
process.exitCode =
  compiled === 0
    ? run(process.execPath, ['.mkroot/bench/test/bench/main.js', ...process.argv.slice(2)])
    : compiled;
