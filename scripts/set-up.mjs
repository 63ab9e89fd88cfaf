// What `npm run demo`, `npm test` and `npm run bench` need: Debian packages, npm packages, a compile. Plain Node without
// dependencies, because it runs before there are any. Says what it will do before it does it; does nothing that is done already.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's root directory. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const DEBIAN_PACKAGES = JSON.parse(readFileSync(new URL('debian-packages.json', import.meta.url), 'utf8'));

/** Installed by us for their programs only; the daemons that come with them must not run on the host. */
const UNWANTED_SERVICES = {
  'nfs-ganesha': ['nfs-ganesha.service', 'nfs-ganesha-lock.service'],
  rpcbind: ['rpcbind.service', 'rpcbind.socket'],
};

/**
 * Ctrl-C reaches what a script has started as well, and mkroot cleans up then: a script that ended before it would leave that to go
 * on behind the prompt, and the words with which it ends unread. For scripts that do one thing after the other by spawnSync.
 */
export function leaveInterruptToChildren() {
  process.on('SIGINT', () => {});
}

/**
 * Sets up what is missing, or ends the process with what to type.
 * @param {string} command what the user ran, such as `npm test`
 * @param {('demo' | 'test' | 'bench')[]} lists lists of scripts/debian-packages.json
 */
export function setUp(command, lists) {
  const [major] = process.versions.node.split('.');
  if (Number(major) < 20) {
    fail(`mkroot needs Node 20 or newer; this is ${process.version} (${process.execPath}).`);
  }
  const packages = lists.flatMap((list) => DEBIAN_PACKAGES[list]);
  const isDebian = existsSync('/usr/bin/dpkg-query');
  const missing = isDebian ? missingDebianPackages(packages) : [];
  const npm = !npmPackagesInstalled();
  console.log(`${command}: setting up`);
  console.log(`  Debian packages  ${debianPlan(isDebian, missing)}`);
  console.log(`  npm packages     ${npm ? 'to install, into ./node_modules (npm ci)' : 'all there'}`);
  console.log('  compile          src/ to dist/ (npm run build)');
  if (process.getuid?.() !== 0) {
    console.log(
      `\n${command} makes root file systems and boots a virtual machine in a network of its own: it needs root. Type:\n\n` +
        `  sudo env "PATH=$PATH" ${command}\n` +
        (missing.length > 0 ? `\nwhich also runs: apt-get install ${missing.join(' ')}\n` : ''),
    );
    process.exit(5);
  }
  if (missing.length > 0) installDebianPackages(missing);
  if (npm) run('npm', ['ci', '--no-audit', '--no-fund']);
  run('npm', ['run', '--silent', 'build']);
  if (!isDebian) {
    console.log('\nThis is not Debian; this is what mkroot finds here, and what is missing:\n');
    spawnSync(process.execPath, ['bin/mkroot.js', 'doctor'], { cwd: root, stdio: 'inherit' });
  }
  console.log('');
}

function debianPlan(isDebian, missing) {
  if (!isDebian) return 'not a Debian host: nothing is installed';
  return missing.length === 0 ? 'all there' : `to install (apt-get): ${missing.join(' ')}`;
}

function missingDebianPackages(packages) {
  // Wide enough that no name is cut; `ii  name:architecture  version ...` is one that is installed.
  const env = { ...process.env, COLUMNS: '1000', LC_ALL: 'C' };
  const { stdout } = spawnSync('dpkg-query', ['--list', ...packages], { encoding: 'utf8', env });
  const installed = new Set([...stdout.matchAll(/^ii\s+([^\s:]+)/gm)].map(([, name]) => name));
  return packages.filter((name) => !installed.has(name));
}

/** True when node_modules holds what package-lock.json asks for. npm keeps its own record of what it put there. */
function npmPackagesInstalled() {
  const record = `${root}node_modules/.package-lock.json`;
  if (!existsSync(record)) return false;
  const there = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || there[path]?.version === version,
  );
}

function installDebianPackages(packages) {
  const services = packages.flatMap((name) => UNWANTED_SERVICES[name] ?? []);
  const undo = keepServicesFromStarting(services);
  // Not `finally`: fail() ends the process, and so would Ctrl-C, which apt-get gets as well and answers by failing.
  const ignore = () => {};
  process.once('exit', undo);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, ignore);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update'], environment);
  run('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], environment);
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, ignore);
  process.off('exit', undo);
  undo();
}

/**
 * Debian starts a daemon when its package is installed. With systemd the units are masked until the next reboot at most
 * and disabled afterwards; without, a policy-rc.d (see invoke-rc.d(8)) forbids it for the time of the installation.
 */
function keepServicesFromStarting(services) {
  if (services.length === 0) return () => {};
  if (existsSync('/run/systemd/system')) {
    console.log(`  (these stay switched off: ${services.join(' ')})`);
    spawnSync('systemctl', ['mask', '--runtime', ...services], { stdio: 'ignore' });
    return () => {
      spawnSync('systemctl', ['unmask', '--runtime', ...services], { stdio: 'ignore' });
      spawnSync('systemctl', ['disable', ...services], { stdio: 'ignore' });
    };
  }
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}

function run(program, args, env = process.env) {
  console.log(`\n$ ${program} ${args.join(' ')}`);
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  if (status !== 0) {
    fail(
      `"${program} ${args.join(' ')}" failed${error === undefined ? '' : `: ${error.message}`}; nothing was tested or built.`,
    );
  }
}

function fail(message) {
  console.error(`\n${message}`);
  process.exit(5);
}
