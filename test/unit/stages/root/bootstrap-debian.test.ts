import { describe, expect, it } from 'vitest';
import type { DebianRecipe } from '../../../../src/recipe/recipe.js';
import {
  debootstrapArgv,
  mmdebstrapArgv,
  withUpdates,
} from '../../../../src/stages/root/bootstrap-debian.js';

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
    expect(argv).toContain('--skip=cleanup/apt,essential/unlink,check/qemu');
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
