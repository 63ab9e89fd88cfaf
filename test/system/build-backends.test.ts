import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/images/manifest.js';
import { type BuildState, buildState, SMALL } from '../support/build-state.js';
import { OWN_RELEASE, ownDebPackage } from '../support/own-kernel.js';
import { mkrootJson } from '../support/run-mkroot.js';

/** What may differ between the roots of the two bootstrap tools. The list in docs/decisions/0002 says the same. */
const MAY_DIFFER = new Set([
  './etc/apt/sources.list', // the security archive by another of its names
  './var/lib/apt/extended_states', // debootstrap does not note which packages came as dependencies
  './var/lib/dpkg/status', // order of stanzas
  './var/lib/dpkg/arch', // written by mmdebstrap: the native architecture
  './var/lib/dpkg/available', // written by debootstrap: empty
  './var/lib/dpkg/cmethopt', // written by debootstrap: "apt apt"
]);

let build: BuildState;
let roots: string[];

beforeAll(async () => {
  build = buildState();
  const own = ownDebPackage(build.directory, 'bzip2');
  const kernels = `kernel: [{ package: linux-image-cloud-amd64 }, { file: ${own} }]`;
  const recipe = build.recipe('image', SMALL.replace(/kernel: .*/, kernels));
  roots = [];
  for (const backend of ['mmdebstrap', 'debootstrap']) {
    const { root } = await mkrootJson<{ root: string }>(
      'build',
      recipe,
      '--state',
      build.state,
      '--backend',
      backend,
    );
    roots.push(root);
  }
});

afterAll(() => build.remove());

const packages = (root: string) =>
  execFileSync('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W'], { encoding: 'utf8' });

/** Path, kind, mode, owner and contents of everything. */
function entries(root: string): Map<string, string> {
  const listed = execFileSync(
    'sh',
    ['-c', 'find . -printf "%p\\t%y %m %U:%G %l\\n"; find . -type f -print0 | xargs -0 sha256sum'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  const found = new Map<string, string>();
  for (const line of listed.trim().split('\n')) {
    const file = /^([0-9a-f]{64}) {2}(.*)$/.exec(line);
    if (file !== null) found.set(file[2]!, `${found.get(file[2]!)} ${file[1]}`);
    else found.set(line.split('\t')[0]!, line.split('\t')[1]!);
  }
  return found;
}

describe('the two bootstrap backends', () => {
  it('install a package file with a kernel of the user, with what it depends on', () => {
    for (const root of roots) {
      expect(packages(root)).toMatch(
        new RegExp(`^linux-image-${OWN_RELEASE.replaceAll('.', '\\.')}\t1$`, 'm'),
      );
      expect(packages(root)).toMatch(/^bzip2\t/m);
      const manifest = JSON.parse(readFileSync(`${root}/../manifest.json`, 'utf8')) as Manifest;
      expect(manifest.kernels).toHaveLength(2);
      expect(manifest.kernels[1]).toMatchObject({
        release: OWN_RELEASE,
        path: `/boot/vmlinuz-${OWN_RELEASE}`,
      });
      expect(existsSync(`${root}/var/cache/apt/mkroot`)).toBe(false);
    }
  });

  it('install the same packages in the same versions', () => {
    expect(packages(roots[1]!)).toBe(packages(roots[0]!));
  });

  it('make the same files, apart from the ones listed here', () => {
    const [a, b] = roots.map(entries) as [Map<string, string>, Map<string, string>];
    const different = [...new Set([...a.keys(), ...b.keys()])]
      .filter((path) => a.get(path) !== b.get(path))
      .filter((path) => !MAY_DIFFER.has(path))
      .map((path) => `${path}: ${a.get(path) ?? 'absent'} | ${b.get(path) ?? 'absent'}`);
    expect(different).toEqual([]);
  });
});
