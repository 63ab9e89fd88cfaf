// `npm test`: sets up, runs every check, and ends with `N passed, N failed`. Each test of each suite counts, and each
// other check counts as one. `npm test -- unit judges` runs only the named steps; `on-demand` runs only when it is named. Exit code 0 only if all passed.
// Steps that need a processor run beside those that build and boot; the output is nevertheless that of one step after the other.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { root, setUp } from './set-up.mjs';

const STEPS = {
  lint: (print) => check('biome', ['ci', '.'], print),
  types: (print) => check('tsc', ['-p', 'tsconfig.json', '--noEmit'], print),
  shellcheck: async (print) => {
    const flags = ['--external-sources', '--check-sourced', '--source-path=SCRIPTDIR'];
    const results = [];
    for (const path of shellScripts()) results.push(await check('shellcheck', [...flags, path], print));
    return results.reduce(sum, { passed: 0, failed: 0 });
  },
  unit: (print) => suite('unit', print),
  judges: (print) => suite('judges', print),
  system: (print) => suite('system', print),
  'on-demand': (print) => suite('on-demand', print),
};

/** Steps of a row run one after the other, the rows at the same time. */
const ROWS = [
  ['lint', 'types', 'shellcheck', 'unit'],
  ['judges', 'system', 'on-demand'],
];

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
const began = Date.now();
const names = Object.keys(STEPS).filter((name) =>
  wanted.length > 0 ? wanted.includes(name) : name !== 'on-demand',
);
const printers = printInTurn(names);
const results = [];
/** Leaders of the process groups that run. */
const groups = new Set();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // Programs that were told once and go on are not asked again.
    for (const pid of groups) signalGroup(pid, interrupted ? 'SIGKILL' : signal);
    interrupted = true;
  });
}
try {
  await Promise.all(ROWS.map((row) => runRow(row.filter((name) => names.includes(name)))));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
results.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));

console.log('');
for (const { name, passed, failed, seconds } of results) {
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(11)} ${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed ${seconds.toFixed(0).padStart(5)} s`,
  );
}
// Once more at the end, where a log that was cut still has it.
for (const failure of results.flatMap(({ failures = [] }) => failures)) console.log(`\n${failure}`);
const total = results.reduce(sum, { passed: 0, failed: 0 });
console.log(`\n${Math.round((Date.now() - began) / 1000)} s`);
if (interrupted) console.log('\nInterrupted: the sum is not of everything.');
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = interrupted ? 130 : total.failed === 0 ? 0 : 1;

function sum(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed };
}

async function runRow(row) {
  for (const name of row) {
    const { print, end } = printers.get(name);
    if (!interrupted) {
      print(`\n== ${name}\n`);
      const started = Date.now();
      results.push({ name, ...(await STEPS[name](print)), seconds: (Date.now() - started) / 1000 });
    }
    end();
  }
}

/** For each step what prints its output: at once when it is its turn, or else when the steps before it have ended. */
function printInTurn(steps) {
  const blocks = steps.map((name) => ({ name, held: [], ended: false }));
  let turn = 0;
  const show = () => {
    for (; turn < blocks.length; turn += 1) {
      for (const chunk of blocks[turn].held.splice(0)) process.stdout.write(chunk);
      if (!blocks[turn].ended) return;
    }
  };
  return new Map(
    blocks.map((block) => [
      block.name,
      {
        print: (chunk) => {
          block.held.push(chunk);
          show();
        },
        end: () => {
          block.ended = true;
          show();
        },
      },
    ]),
  );
}

/**
 * A tool whose exit code says it all. It is in a process group of its own, with what it starts: a signal reaches each of them once,
 * from here, whether a terminal sent it or not.
 */
async function check(program, args, print) {
  if (interrupted) return { passed: 0, failed: 0 };
  print(`$ ${program} ${args.join(' ')}\n`);
  const path = `${root}node_modules/.bin:${process.env.PATH}`;
  const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined ? { FORCE_COLOR: '1' } : {};
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...colours, PATH: path },
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', print);
  const closed = new Promise((resolve) => child.once('close', resolve));
  groups.add(child.pid);
  try {
    const [status] = await once(child, 'exit');
    // After a signal, what it has started cleans up.
    for (let waited = 0; interrupted && waited < 20_000 && signalGroup(child.pid, 0); waited += 100) {
      await delay(100);
    }
    if (interrupted) signalGroup(child.pid, 'SIGKILL');
    // Something that it has left could keep its output open for ever.
    await Promise.race([closed, delay(5000, undefined, { ref: false })]);
    return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  } catch (error) {
    print(`${program}: ${error.message}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    groups.delete(child.pid);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
  }
}

/** Sends a signal to a process group; false if there is none. */
function signalGroup(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** One vitest project. A skipped test counts as failed: here, everything that a test needs is installed. */
async function suite(project, print) {
  const report = join(temporary, `${project}.json`);
  const reporters = ['--reporter', 'default', '--reporter', 'json', `--outputFile.json=${report}`];
  const ran = await check('vitest', ['run', '--project', project, ...reporters], print);
  let json;
  try {
    json = JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    print(`No report of ${project}: ${error.message}\n`);
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
