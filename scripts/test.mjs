// `npm test`: sets up, runs every check, and ends with `N passed, N failed`. Each test of each suite counts, and each
// other check counts as one. `npm test -- unit judges` runs only the named steps; `on-demand` runs only when it is named. Exit code 0 only if all passed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { root, setUp } from './set-up.mjs';

const STEPS = {
  lint: () => check('biome', ['ci', '.']),
  types: () => check('tsc', ['-p', 'tsconfig.json', '--noEmit']),
  shellcheck: () =>
    shellScripts()
      .map((path) =>
        check('shellcheck', ['--external-sources', '--check-sourced', '--source-path=SCRIPTDIR', path]),
      )
      .reduce(sum, { passed: 0, failed: 0 }),
  unit: () => suite('unit'),
  judges: () => suite('judges'),
  system: () => suite('system'),
  'on-demand': () => suite('on-demand'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`Unknown step: ${unknown.join(', ')}. There are: ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
setUp('npm test', ['demo', 'test']);

// Gigabytes, and hard links to what the tests make beside it: /tmp may be a small file system in memory.
const temporary = mkdtempSync('/var/tmp/mkroot-test-');
// Judges and system tests look at the same bootstrapped roots; they are made once (see test/support/judge-roots.setup.ts).
process.env.MKROOT_TEST_ROOTS ??= join(temporary, 'roots');
// Test files hand downloaded packages on to each other (see test/support/build-state.ts).
process.env.MKROOT_TEST_DEBS ??= join(temporary, 'debs');
// And images that they have built (see test/support/built-images.ts).
process.env.MKROOT_TEST_IMAGES ??= join(temporary, 'images');
const results = [];
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (interrupted = true));
try {
  for (const [name, step] of Object.entries(STEPS)) {
    await immediate(); // a signal that came while a step ran is heard here
    if (interrupted) break;
    if (wanted.length > 0 ? !wanted.includes(name) : name === 'on-demand') continue;
    console.log(`\n== ${name}`);
    const started = Date.now();
    results.push({ name, ...step(), seconds: (Date.now() - started) / 1000 });
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

console.log('');
for (const { name, passed, failed, seconds } of results) {
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(11)} ${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed ${seconds.toFixed(0).padStart(5)} s`,
  );
}
// Once more at the end, where a log that was cut still has it.
for (const failure of results.flatMap(({ failures = [] }) => failures)) console.log(`\n${failure}`);
const total = results.reduce(sum, { passed: 0, failed: 0 });
await immediate();
if (interrupted) console.log('\nInterrupted: the sum is not of everything.');
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = interrupted ? 130 : total.failed === 0 ? 0 : 1;

function sum(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed };
}

/** A tool whose exit code says it all. */
function check(program, args) {
  console.log(`$ ${program} ${args.join(' ')}`);
  const path = `${root}node_modules/.bin:${process.env.PATH}`;
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path },
  });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** One vitest project. A skipped test counts as failed: here, everything that a test needs is installed. */
function suite(project) {
  const report = join(temporary, `${project}.json`);
  const ran = check('vitest', [
    'run',
    ...['--project', project, '--reporter', 'default', '--reporter', 'json', `--outputFile.json=${report}`],
  ]);
  let json;
  try {
    json = JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    console.error(`No report of ${project}: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
  const brokenFiles = json.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
  ).length;
  const failures = json.testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const place = relative(root, name);
    return failed.length === 0 && message !== ''
      ? [firstLines(`FAILED ${place}`, message)]
      : failed.map(({ fullName, failureMessages }) =>
          firstLines(`FAILED ${place}: ${fullName}`, failureMessages.join('\n')),
        );
  });
  const passed = json.numPassedTests;
  const failed = json.numTotalTests - passed + brokenFiles;
  // Something outside any test went wrong, an unhandled rejection for one: vitest fails although no test did.
  return { passed, failed: failed === 0 ? ran.failed : failed, failures };
}

/** A failed test and the beginning of what it says; stack frames are in the log above. */
function firstLines(title, text) {
  const lines = stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return [title, ...lines.slice(0, 40).map((line) => `  ${line}`)].join('\n');
}

/**
 * Every shell script of the repository, by name or by its first line. Parts that a script names in a `shellcheck source=`
 * directive are checked together with it: alone, their variables look unused.
 */
function shellScripts() {
  const skipped = new Set(['node_modules', 'dist', '.git', '.mkroot', 'golden']);
  const below = (directory) =>
    readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : below(path);
      return entry.isFile() && isShellScript(path) ? [path] : [];
    });
  const scripts = below('.').sort();
  const sourced = new Set(
    scripts.flatMap((path) =>
      [...read(path).matchAll(/# shellcheck source=(\S+)/g)].map(([, part]) => join(dirname(path), part)),
    ),
  );
  return scripts.filter((path) => !sourced.has(path));
}

function isShellScript(path) {
  if (/\.(ts|js|mjs|json|md|yaml|yml|png|svg|html|liquid)$/.test(path)) return false;
  return path.endsWith('.sh') || /^#!.*\b(ba|da|a)?sh\b/.test(read(path).slice(0, 80));
}

function read(path) {
  return readFileSync(join(root, path), 'latin1');
}
