import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import type { DebianRecipe } from '../../../src/recipe/recipe.js';
import {
  debootstrapArgv,
  mmdebstrapArgv,
  requireRunnable,
  withUpdates,
} from '../../../src/stages/bootstrap-debian.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const recipe = {
  suite: 'trixie',
  architecture: 'amd64',
  variant: 'minbase',
  components: ['main', 'contrib'],
} as DebianRecipe;
const paths = { target: '/state/tree', debCache: "/state/it's here" };

describe('the argv of the bootstrap tools', () => {
  it('keeps lists and the shared cache with mmdebstrap, and quotes the path for its hook', () => {
    const argv = mmdebstrapArgv(recipe, { ...paths, keyring: '/srv/k.gpg' });
    expect(argv.slice(-2)).toEqual(['trixie', '/state/tree']);
    expect(argv).toContain('--skip=cleanup/apt,essential/unlink');
    expect(argv).toContain('--components=main,contrib');
    expect(argv).toContain('--keyring=/srv/k.gpg');
    expect(argv.find((word) => word.startsWith('--setup-hook='))).toContain(`'/state/it'\\''s here'`);
  });

  it('gives both a mirror only when the recipe names one', () => {
    const mirror = 'file:///srv/mirror';
    expect(mmdebstrapArgv({ ...recipe, mirror }, paths).at(-1)).toBe(mirror);
    expect(debootstrapArgv({ ...recipe, mirror }, paths).at(-1)).toBe(mirror);
    expect(debootstrapArgv(recipe, paths).at(-1)).toBe('/state/tree');
  });

  it("calls mmdebstrap's important by debootstrap's name, which is none", () => {
    expect(debootstrapArgv({ ...recipe, variant: 'important' }, paths).join(' ')).not.toContain('--variant');
    expect(debootstrapArgv(recipe, paths)).toContain('--variant=minbase');
  });
});

describe('withUpdates', () => {
  it('adds updates and security beside the archive, as mmdebstrap does', () => {
    expect(withUpdates('deb http://archive.test/debian trixie main\n', 'trixie')).toBe(
      [
        'deb http://archive.test/debian trixie main',
        'deb http://archive.test/debian trixie-updates main',
        'deb http://archive.test/debian-security trixie-security main',
        '',
      ].join('\n'),
    );
  });

  it('leaves suites without updates alone', () => {
    expect(withUpdates('deb http://archive.test/debian sid main\n', 'sid')).toBe(
      'deb http://archive.test/debian sid main\n',
    );
  });
});

describe('requireRunnable', () => {
  it('names the packages when maintainer scripts of another architecture cannot run here', () => {
    expect(() => requireRunnable(memoryFileSystem(), 'arm64', 'amd64')).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.MissingTool,
        hint: expect.stringContaining('qemu-user-static'),
        message: expect.stringContaining('qemu-aarch64'),
      }),
    );
  });

  it('lets through what can run: the same, i386 on amd64, and what binfmt_misc knows', () => {
    requireRunnable(memoryFileSystem(), 'amd64', 'amd64');
    requireRunnable(memoryFileSystem(), 'i386', 'amd64');
    const registered = memoryFileSystem({ '/proc/sys/fs/binfmt_misc/qemu-aarch64': 'enabled' });
    expect(() => requireRunnable(registered, 'arm64', 'amd64')).not.toThrow();
  });
});
