import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import type { Manifest } from '../../src/images/manifest.js';
import { hostMounts, processesWith } from '../support/build-state.js';
import { OWN_RELEASE, ownRpmSpec } from '../support/own-kernel.js';
import { type FileServer, serveFiles } from '../support/rpm/file-server.js';
import { RpmRepository } from '../support/rpm/rpm-repository.js';
import { buildSmallPackages, GROUPS, MODULES } from '../support/rpm/small-packages.js';
import { mkrootJson, runMkroot, startMkroot } from '../support/run-mkroot.js';

/** Every test asks for another package, so that none of them finds the work of another in the cache. */
const directory = mkdtempSync('/var/tmp/mkroot-test-rpm-bad-');
const state = join(directory, 'state');

let repository: RpmRepository;
let server: FileServer;
let mountsBefore: string[];

interface BuildJson {
  readonly directory: string;
  readonly root: string;
}

/** A recipe of the image `node` with these packages; `rpm` adds to its rpm part, `keys` replaces the right key. */
function recipe(packages: string, { rpm = '', keys = repository.key } = {}): string {
  const path = join(directory, 'node.yaml');
  writeFileSync(
    path,
    `name: node
distribution: rhel-like
architecture: amd64
rpm: { release: "10", repositories: [{ name: test, baseurl: ["${server.url}"], keys: ["${keys}"] }]${rpm} }
packages: [${packages}]
kernel: { package: small-kernel }
`,
  );
  return path;
}

const build = (path: string) => mkrootJson<BuildJson>('build', path, '--state', state);
const current = () => readlinkSync(join(state, 'images/node/current'));
const packagesOf = (built: BuildJson) =>
  (JSON.parse(readFileSync(join(built.directory, 'manifest.json'), 'utf8')) as Manifest).packages.map(
    ({ name, version }) => `${name}-${version}`,
  );

/** Runs a build that has to fail, and sees that it has left nothing behind and that the old image is still there. */
async function refused(path: string, wrapper: readonly string[] = []) {
  const before = current();
  const { exitCode, stderr } = await runMkroot(['build', path, '--state', state], wrapper);
  expect(exitCode, stderr).not.toBe(0);
  expect(current()).toBe(before);
  expect(hostMounts()).toEqual(mountsBefore);
  return { exitCode, stderr };
}

beforeAll(async () => {
  mountsBefore = hostMounts();
  repository = new RpmRepository(join(directory, 'rpm'));
  await buildSmallPackages(repository);
  repository.sign();
  repository.unsign([repository.find('unsigned')]);
  repository.sign([repository.find('strange')], 'unknown');
  repository.index({ groups: GROUPS, modules: MODULES });
  server = await serveFiles(repository.packages);
  await build(recipe('small-base'));
});

afterEach(() => server.mend());

afterAll(async () => {
  await server?.close();
  repository?.remove();
  rmSync(directory, { recursive: true, force: true });
});

describe('recipes of rpm distributions that come with mkroot', () => {
  it.each(['rocky9', 'almalinux10', 'fedora'])(
    '%s is planned: one stage of its own, then those of Debian',
    async (name) => {
      const { plan } = await mkrootJson<{ plan: { stage: string; action: string }[] }>(
        'build',
        name,
        '--plan',
        '--state',
        state,
      );
      expect(plan.map(({ stage, action }) => `${stage} ${action}`)).toEqual([
        'bootstrap-rpm run',
        'configure-system run',
        'seal-root run',
      ]);
    },
  );
});

describe('what a recipe can ask dnf for', () => {
  it('groups, module streams, excludes and exact versions', async () => {
    const built = await build(
      recipe('small-base, pinned-1-1, streamed', {
        rpm: ', groups: [tools], modules: ["streamed:old"], excludes: [tool-unwanted]',
      }),
    );
    const installed = packagesOf(built);
    expect(installed).toEqual(expect.arrayContaining(['pinned-1-1', 'tool-1-1', 'streamed-1-1']));
    expect(installed.join(' ')).not.toMatch(/tool-unwanted|streamed-2|recommended/);
  });

  it('neither weak dependencies nor documentation, unless told so', async () => {
    const lean = await build(recipe('small-base, documented'));
    expect(packagesOf(lean)).not.toContain('recommended-1-1');
    expect(existsSync(join(lean.root, 'usr/share/doc/documented/README'))).toBe(false);
    const rich = await build(
      recipe('small-base, documented', { rpm: ', weakDependencies: true, documentation: true' }),
    );
    expect(packagesOf(rich)).toContain('recommended-1-1');
    expect(existsSync(join(rich.root, 'usr/share/doc/documented/README'))).toBe(true);
  });

  it('a kernel in a package file of its own, unsigned, with what it requires', async () => {
    const file = await repository.build('kernel-own', ownRpmSpec('tool'));
    const path = recipe('small-base');
    const own = `kernel: [{ package: small-kernel }, { file: ${file} }]`;
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^kernel: .*/m, own));
    const built = await build(path);
    expect(packagesOf(built)).toEqual(expect.arrayContaining(['tool-1-1', 'kernel-own-5.0.0_own-1']));
    const { kernels } = JSON.parse(readFileSync(join(built.directory, 'manifest.json'), 'utf8')) as Manifest;
    expect(kernels.map(({ release }) => release)).toEqual(['6.1.0-test', OWN_RELEASE]);
  });

  it('a package takes the place of the one that it makes obsolete', async () => {
    const installed = packagesOf(await build(recipe('small-base, old-name')));
    expect(installed).toContain('new-name-2-1');
    expect(installed.join(' ')).not.toContain('old-name');
  });
});

describe('packages that cannot be trusted', () => {
  it('an unsigned package is refused by name', async () => {
    const { exitCode, stderr } = await refused(recipe('small-base, unsigned'));
    expect(exitCode).toBe(ExitCode.ToolFailed);
    expect(stderr).toMatch(/\| .*unsigned-1-1.noarch.rpm is not signed/);
    expect(stderr).toContain('hint: Check which key');
  });

  it("a package that is signed with somebody else's key is refused by name", async () => {
    const { stderr } = await refused(recipe('small-base, strange'));
    expect(stderr).toMatch(/\| .*(strange-1-1|GPG check FAILED)/);
    expect(stderr).toContain('hint: Check which key');
  });

  it('a key file that is not there is found before anything is run, with its place in the recipe', async () => {
    const { exitCode, stderr } = await refused(recipe('small-base', { keys: '/nowhere/key.asc' }));
    expect(exitCode).toBe(ExitCode.InvalidInput);
    expect(stderr).toMatch(
      /node\.yaml:4:\d+: rpm\.repositories\[0\]\.keys\[0\] "\/nowhere\/key\.asc" does not exist/,
    );
  });

  it('a key that is the wrong one is refused, and the right one works next', async () => {
    const other = new RpmRepository(join(directory, 'other'));
    const { stderr } = await refused(recipe('small-base, keyed', { keys: other.key }));
    other.remove();
    expect(stderr).toContain('hint: Check which key');
    expect(packagesOf(await build(recipe('small-base, keyed')))).toContain('keyed-1-1');
  });
});

describe('mirrors that do not keep their word', () => {
  it('a mirror that goes away in mid-download is named, and the next try works', async () => {
    server.fail(/fetched-1-1/, 'gone in mid-download');
    const { exitCode, stderr } = await refused(recipe('small-base, fetched'));
    expect(exitCode).toBe(ExitCode.ToolFailed);
    expect(stderr).toMatch(/\| .*fetched-1-1.*(Curl error|Cannot download|No more mirrors)/i);
    expect(stderr).toContain('hint: The repository is broken, changing or out of reach');
    server.mend();
    expect(packagesOf(await build(recipe('small-base, fetched')))).toContain('fetched-1-1');
  });

  it('a package with another checksum than the index says is refused, and the right one works next', async () => {
    const file = repository.find('damaged');
    const right = readFileSync(file);
    const wrong = Buffer.from(right);
    wrong[wrong.length - 1]! ^= 1;
    writeFileSync(file, wrong);
    const { stderr } = await refused(recipe('small-base, damaged'));
    expect(stderr).toMatch(/\| .*damaged-1-1.*checksum doesn't match/i);
    writeFileSync(file, right);
    expect(packagesOf(await build(recipe('small-base, damaged')))).toContain('damaged-1-1');
  });

  it.each([
    ['shorter', (right: Buffer) => right.subarray(0, right.length / 2)],
    ['longer', (right: Buffer) => Buffer.concat([right, Buffer.alloc(5000)])],
  ])(
    'a package that is %s than the index says is refused, and the right one works next',
    async (size, change) => {
      const file = repository.find(`sized-${size}`);
      const right = readFileSync(file);
      writeFileSync(file, change(right));
      const { stderr } = await refused(recipe(`small-base, sized-${size}`));
      expect(stderr).toMatch(
        new RegExp(`\\| .*sized-${size}-1-1.*(checksum doesn't match|curl error|size)`, 'i'),
      );
      expect(stderr).toContain('hint: The repository is broken');
      writeFileSync(file, right);
      expect(packagesOf(await build(recipe(`small-base, sized-${size}`)))).toContain(`sized-${size}-1-1`);
    },
  );

  it('an index that lies about the size of a package does no harm: checksum and signature decide', async () => {
    repository.lieAboutSize('sized-honest', 10 ** 15);
    const built = await build(recipe('small-base, sized-honest'));
    repository.index({ groups: GROUPS, modules: MODULES });
    expect(packagesOf(built)).toContain('sized-honest-1-1');
    const log = readdirSync(join(state, 'logs'))
      .filter((name) => name.endsWith('bootstrap-rpm.log'))
      .sort()
      .at(-1)!;
    expect(readFileSync(join(state, 'logs', log), 'utf8')).toMatch(/Total download size: \d+ [TP]/);
  });

  it('a repository that is not there is named', async () => {
    server.fail(/./, 'missing');
    const { stderr } = await refused(recipe('small-base, fetched, keyed'));
    expect(stderr).toContain("Failed to download metadata for repo 'test'");
    expect(stderr).toContain(server.url);
  });
});

describe('packages that do not work out', () => {
  it.each([
    ['before the package is unpacked', 'fails-before', '%prein'],
    ['after it, where rpm itself only warns', 'fails-after', '%post'],
  ])('a scriptlet that fails %s is named with its package', async (_, name, scriptlet) => {
    const { exitCode, stderr } = await refused(recipe(`small-base, ${name}`));
    expect(exitCode).toBe(ExitCode.ToolFailed);
    expect(stderr).toMatch(new RegExp(`${scriptlet}.*${name}|${name}.*${scriptlet}`, 'i'));
  });

  it('a scriptlet may fail where the recipe says so', async () => {
    const built = await build(
      recipe('small-base, fails-after', { rpm: ', failingScriptlets: [fails-after]' }),
    );
    expect(packagesOf(built)).toContain('fails-after-1-1');
  });

  it('packages that conflict are both named', async () => {
    const { stderr } = await refused(recipe('small-base, quarrel-a, quarrel-b'));
    expect(stderr).toMatch(/\| .*quarrel-b-1-1.noarch.* conflicts with .*quarrel-a/);
    expect(stderr).toContain('hint: Leave one of the packages out');
  });

  it('a version that the repository does not have is named', async () => {
    const { stderr } = await refused(recipe('small-base, pinned-9-9'));
    expect(stderr).toContain('pinned-9-9');
    expect(stderr).toContain('hint: Check names and versions');
  });
});

describe('a host that cannot do it', () => {
  it('a full disk is told as such, and the next try works', async () => {
    const small = join(directory, 'small-disk');
    const script = `mkdir -p ${small} && mount -t tmpfs -o size=24m tmpfs ${small} && exec "$@"`;
    const path = recipe('small-base, large');
    const { exitCode, stderr } = await runMkroot(
      ['build', path, '--state', join(small, 'state')],
      ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'],
    );
    expect(stderr).toContain('the disk is full');
    expect(exitCode).toBe(ExitCode.Io);
    expect(packagesOf(await build(path))).toContain('large-1-1');
  });

  it('killed while dnf installs, it leaves no process, mount or half an image, and the next try works', async () => {
    const path = recipe('small-base, slow');
    const before = current();
    const killed = startMkroot(['build', path, '--state', state]);
    await expect.poll(() => processesWith(`--installroot=${state}`), { timeout: 60_000 }).not.toEqual([]);
    killed.process.kill('SIGKILL');
    await killed.ended;
    await expect.poll(() => processesWith(state), { timeout: 60_000 }).toEqual([]);
    expect(hostMounts()).toEqual(mountsBefore);
    expect(current()).toBe(before);
    expect(packagesOf(await build(path))).toContain('slow-1-1');
  });

  it('without dnf, it says what to install', async () => {
    const hide =
      'for name in dnf dnf-3 dnf5 yum; do [ ! -e /usr/bin/$name ] || mount --bind /dev/null /usr/bin/$name; done; exec "$@"';
    const { exitCode, stderr } = await refused(recipe('small-base, keyed, fetched'), [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      hide,
      'sh',
    ]);
    expect(exitCode).toBe(ExitCode.MissingTool);
    expect(stderr).toContain('Cannot run "dnf": it is not installed');
    expect(stderr).toContain('apt install dnf rpm');
  });
});
