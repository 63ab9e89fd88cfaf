// `npm run demo`: sets up, builds a root, makes its initramfs, boots both over PXE in a virtual machine, and sums up.
// A second run takes from the cache what has not changed. Everything it makes is below one directory, see below.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { leaveInterruptToChildren, root, setUp } from './set-up.mjs';

const RECIPE = 'compute';
const NIC = 'tg3';

leaveInterruptToChildren();
setUp('npm run demo', ['demo']);
const state = resolve(process.env.MKROOT_STATE ?? join(root, '.mkroot/state'));
const report = join(state, 'demo-report');
console.log(`Everything that the demo makes is below ${state}; remove it with: rm -rf ${state}`);

const started = Date.now();
mkroot('build', RECIPE, '--state', state);
const manifest = JSON.parse(readFileSync(join(state, 'images', RECIPE, 'current/manifest.json'), 'utf8'));
const initrd = mkroot('initrd', RECIPE, '--nic', NIC, '--state', state);
const boot = mkroot('qemu-test', RECIPE, '--nic', NIC, '--state', state, '--report', report);

const initrdSize = statSync(initrd.path).size;
console.log(`
== Summary
root      ${megabytes(manifest.sizes.rootBytes)}, ${manifest.packages.length} packages, ${manifest.recipe.distribution} ${manifest.recipe.suite}, kernel ${manifest.kernels[0].release}
initrd    ${megabytes(initrdSize)}, ${initrd.modules.length} kernel modules
boot      ${boot.accelerator.toUpperCase()}, seconds since power-on:
${boot.milestones.map(({ atMs, title, detail }) => `  ${(atMs / 1000).toFixed(1).padStart(6)}  ${title}${detail ? `  (${detail})` : ''}`).join('\n')}
checks    ${boot.checks.filter(({ passed }) => passed).length} of ${boot.checks.length} passed inside the node
report    ${join(report, 'report.html')}
`);
if (boot.result !== 'pass') end(boot.failure?.reason ?? 'the boot test failed');
console.log(`PASS  in ${Math.round((Date.now() - started) / 1000)} s`);

/** Runs a command of mkroot; progress goes to the terminal, its result comes back. Ends the demo if it fails. */
function mkroot(command, ...args) {
  console.log(`\n$ mkroot ${command} ${args.join(' ')}`);
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'bin/mkroot.js'), command, ...args, '--json'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  let result;
  try {
    result = JSON.parse(stdout);
  } catch {
    end(`mkroot ${command} ended with ${status ?? 'a signal'} and said nothing`);
  }
  // A boot that fails still has a timeline to show; anything else ends here.
  if (result.error !== undefined) end(`mkroot ${command}: ${result.error.message}`, result.error.exitCode);
  if (status !== 0 && result.milestones === undefined) end(`mkroot ${command} ended with ${status}`);
  return result;
}

function end(reason, exitCode = 1) {
  console.log(`FAIL  ${reason}`);
  process.exit(exitCode);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
