import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import type { Manifest } from '../../src/images/manifest.js';
import { hostMounts } from '../support/build-state.js';
import { OWN_RELEASE, ownRpmSpec } from '../support/own-kernel.js';
import { type FileServer, serveFiles } from '../support/rpm/file-server.js';
import { RpmRepository } from '../support/rpm/rpm-repository.js';
import { buildSmallPackages } from '../support/rpm/small-packages.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

const directory = mkdtempSync('/var/tmp/mkroot-test-zypper-');
const state = join(directory, 'state');

let repository: RpmRepository;
let server: FileServer;

interface BuildJson {
  readonly directory: string;
  readonly root: string;
}

/** A recipe of the image `suse`; `rpm` adds to its rpm part. */
function recipe(
  packages: string,
  { rpm = '', keys = repository.key, kernel = '{ package: small-kernel }' } = {},
) {
  const path = join(directory, 'suse.yaml');
  writeFileSync(
    path,
    `name: suse
distribution: opensuse
architecture: amd64
rpm: { release: "15.6", repositories: [{ name: test, baseurl: ["${server.url}"], keys: ["${keys}"] }]${rpm} }
packages: [${packages}]
kernel: ${kernel}
`,
  );
  return path;
}

const build = (path: string) => mkrootJson<BuildJson>('build', path, '--state', state);
const manifestOf = ({ directory: place }: BuildJson) =>
  JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')) as Manifest;
const packagesOf = (built: BuildJson) =>
  manifestOf(built).packages.map(({ name, version }) => `${name}-${version}`);

async function refused(path: string) {
  const { exitCode, stderr } = await runMkroot(['build', path, '--state', state]);
  expect(exitCode, stderr).toBe(ExitCode.ToolFailed);
  return stderr;
}

beforeAll(async () => {
  repository = new RpmRepository(join(directory, 'rpm'));
  await buildSmallPackages(repository);
  repository.sign();
  repository.unsign([repository.find('unsigned')]);
  repository.sign([repository.find('strange')], 'unknown');
  repository.index();
  server = await serveFiles(repository.packages);
});

afterAll(async () => {
  await server?.close();
  repository?.remove();
  rmSync(directory, { recursive: true, force: true });
});

describe('a root by zypper', () => {
  it('has packages, an exact version, a kernel file of its own with what it requires, and nothing left behind', async () => {
    const mounts = hostMounts();
    const file = await repository.build('kernel-own', ownRpmSpec('tool'));
    const built = await build(
      recipe('small-base, pinned=1-1, documented', {
        kernel: `[{ package: small-kernel }, { file: ${file} }]`,
        rpm: ', excludes: [recommended]',
      }),
    );
    const manifest = manifestOf(built);
    expect(packagesOf(built)).toEqual(
      expect.arrayContaining(['pinned-1-1', 'tool-1-1', 'kernel-own-5.0.0_own-1', 'small-kernel-1-1']),
    );
    expect(packagesOf(built).join()).not.toContain('recommended');
    expect(manifest.kernels.map(({ release }) => release)).toEqual(['6.1.0-test', OWN_RELEASE]);
    expect(manifest.stages.map(({ name }) => name)).toEqual([
      'bootstrap-rpm',
      'configure-system',
      'seal-root',
    ]);
    expect(existsSync(join(built.root, 'usr/share/doc/documented/README'))).toBe(false);
    expect(existsSync(join(built.root, 'usr/lib/sysimage/rpm'))).toBe(true);
    for (const path of [
      'var/log/zypp',
      'var/lib/zypp',
      'var/cache/zypp',
      'var/tmp/mkroot-test',
      'run/zypp.pid',
    ])
      expect(existsSync(join(built.root, path))).toBe(false);
    expect(
      readdirSync(join(built.root, 'var'))
        .filter((name) => name === 'tmp')
        .flatMap((name) => readdirSync(join(built.root, 'var', name))),
    ).toEqual([]);
    expect(hostMounts()).toEqual(mounts);
  });

  it('takes weak dependencies and documentation if it is told so, and downloads nothing again', async () => {
    server.requests.length = 0;
    const built = await build(
      recipe('small-base, pinned=1-1, documented', { rpm: ', weakDependencies: true, documentation: true' }),
    );
    expect(packagesOf(built)).toContain('recommended-1-1');
    expect(existsSync(join(built.root, 'usr/share/doc/documented/README'))).toBe(true);
    const fetched = server.requests.filter((path) => path.endsWith('.rpm'));
    expect(fetched.map((path) => path.replace(/.*\/([a-z-]+)-1-1.*/, '$1'))).toEqual(['recommended']);
  });

  it.each([
    ['an unsigned package', 'unsigned', /unsigned.*(not signed|unsigned)/i, 'Check which key'],
    [
      'a package of an unknown signer',
      'strange',
      /strange.*Signature verification failed/i,
      'Check which key',
    ],
    ['a package that is not there', 'nopkg', /nopkg/, 'Check names and versions'],
    ['packages that conflict', 'quarrel-a, quarrel-b', /conflicts with/, 'Leave one of the packages out'],
  ])('%s is refused in the words of zypper', async (_, packages, words, hint) => {
    const stderr = await refused(recipe(`small-base, ${packages}`));
    expect(stderr).toMatch(words);
    expect(stderr).toContain(`hint: ${hint}`);
  });

  it('a key that is the wrong one is refused: zypper is not asked to trust another', async () => {
    const other = new RpmRepository(join(directory, 'other'));
    const stderr = await refused(recipe('small-base, keyed', { keys: other.key }));
    other.remove();
    expect(stderr).toContain('hint: Check which key');
  });

  it('a mirror that is out of reach is told as such', async () => {
    server.fail(/./, 'missing');
    const stderr = await refused(recipe('small-base, fetched'));
    server.mend();
    expect(stderr).toContain('hint: The repository is broken, changing or out of reach');
  });

  it('a scriptlet that fails is named, unless the recipe says that it may', async () => {
    expect(await refused(recipe('small-base, fails-after'))).toMatch(/fails-after.*%post/);
    const built = await build(
      recipe('small-base, fails-after', { rpm: ', failingScriptlets: [fails-after]' }),
    );
    expect(packagesOf(built)).toContain('fails-after-1-1');
  });

  it('without zypper, it says what to install', async () => {
    const hide = 'mount --bind /dev/null /usr/bin/zypper; exec "$@"';
    const wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', hide, 'sh'];
    const { exitCode, stderr } = await runMkroot(
      ['build', recipe('small-base, keyed, fetched'), '--state', state],
      wrapper,
    );
    expect(exitCode).toBe(ExitCode.MissingTool);
    expect(stderr).toContain('apt install zypper rpm');
  });
});
