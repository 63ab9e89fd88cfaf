import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { type DecodedRecipe, decodeRecipe } from '../../../src/recipe/decode-recipe.js';

const MINIMAL = 'name: tiny\ndistribution: debian\nsuite: trixie\n';

function decode(text: string, exists: (path: string) => boolean = () => true): DecodedRecipe {
  return decodeRecipe(text, { file: 'r.yaml', hostArchitecture: 'arm64', exists });
}

/** The problems of a recipe, one per line. */
function problems(text: string, exists?: (path: string) => boolean): string[] {
  try {
    decode(text, exists);
  } catch (error) {
    if (error instanceof MkrootError && error.exitCode === ExitCode.InvalidInput) {
      return error.details.map((line) => line.trim());
    }
    throw error;
  }
  return [];
}

describe('a good recipe', () => {
  test('has one kernel or a list of several, from packages, package files and trees', () => {
    const kernels = (text: string) => decode(`${MINIMAL}kernel: ${text}\n`).recipe.kernels;
    expect(kernels('{ file: k.deb }')).toEqual([{ kind: 'file', file: 'k.deb' }]);
    expect(kernels('[{}, { package: linux-image-rt-arm64 }, { image: Image, modules: mods }]')).toEqual([
      { kind: 'package', package: 'linux-image-arm64' },
      { kind: 'package', package: 'linux-image-rt-arm64' },
      { kind: 'tree', image: 'Image', modules: 'mods' },
    ]);
  });

  test('gets its defaults, the architecture of the host and the kernel package of that architecture', () => {
    const { recipe } = decode(MINIMAL);
    expect(recipe).toMatchObject({
      architecture: 'arm64',
      kernels: [{ kind: 'package', package: 'linux-image-arm64' }],
      variant: 'minbase',
      components: ['main'],
      packages: [],
      initrd: { nic: [], drivers: [], programs: [], files: [], compression: 'zstd' },
      layers: {},
    });
  });

  test('knows the place of each value, for "why is this here?"', () => {
    const { positions } = decode(`${MINIMAL}packages:\n  - kmod\n  - udev\ninitrd: { nic: [tg3, e1000] }\n`);
    expect(positions.get('packages[1]')).toEqual({ file: 'r.yaml', line: 6, column: 5 });
    expect(positions.get('initrd.nic[1]')).toEqual({ file: 'r.yaml', line: 7, column: 22 });
  });

  test.each([
    ['0644', 0o644],
    ['0o644', 0o644],
    ['"0600"', 0o600],
    ['4755', 0o4755],
  ])('reads mode %s as the octal digits that it shows', (mode, expected) => {
    const { recipe } = decode(`${MINIMAL}files:\n  - { content: x, destination: /a, mode: ${mode} }\n`);
    expect(recipe.files[0]?.mode).toBe(expected);
  });

  test('owners may be numbers or names', () => {
    const { recipe } = decode(
      `${MINIMAL}files:\n  - { content: x, destination: /a, owner: 1000, group: adm }\n`,
    );
    expect(recipe.files[0]).toMatchObject({ owner: '1000', group: 'adm' });
  });
});

describe('a bad recipe', () => {
  test('gets all its problems at once, in the order of the file, each with place, value and nearest name', () => {
    const text = [
      'name: Compute',
      'distribution: debian',
      'suite: trixe',
      'variant: minibase',
      'packges: [kmod]',
      'files:',
      '  - destination: etc/motd',
      '    content: hello',
      '    mode: "0999"',
      '  - destination: /etc/issue',
      'users:',
      '  - name: ada',
      '    ssh-keys: []',
      '  - name: ada',
      'initrd:',
      '  compression: zst',
    ].join('\n');
    expect(problems(text)).toMatchInlineSnapshot(`
      [
        "r.yaml:1:7: name "Compute" is not a recipe name (lower-case letters, digits, . _ -)",
        "r.yaml:3:8: suite "trixe" is not known (bullseye, bookworm, trixie, forky, sid, oldoldstable, oldstable, stable, testing, unstable); did you mean "trixie"?",
        "r.yaml:4:10: variant "minibase" is not known (minbase, buildd, important); did you mean "minbase"?",
        "r.yaml:5:1: unknown field "packges"; did you mean "packages"?",
        "r.yaml:7:18: files[0].destination "etc/motd" is not an absolute path",
        "r.yaml:9:11: files[0].mode "0999" is not a mode in octal digits, such as 0644 or 4755",
        "r.yaml:10:5: files[1] a mapping needs either "source" or "content"",
        "r.yaml:13:5: unknown field "ssh-keys" in users[0]; did you mean "sshKeys"?",
        "r.yaml:14:11: users[1].name "ada" is there already, in line 12",
        "r.yaml:16:16: initrd.compression "zst" is not known (zstd, xz, gzip, lz4, none); did you mean "zstd"?",
      ]
    `);
  });

  test('a missing field is reported by name', () => {
    expect(problems('name: a\nsuite: sid\n')).toEqual(['r.yaml:1:1: distribution is missing']);
  });

  test.each([
    [
      'a list for a text',
      'name: [a]\ndistribution: debian\nsuite: sid\n',
      'r.yaml:1:7: name must be a text, not a list',
    ],
    ['a text for a list', `${MINIMAL}packages: kmod\n`, 'r.yaml:4:11: packages must be a list, not "kmod"'],
    ['nothing for a list', `${MINIMAL}packages:\n`, 'r.yaml:4:10: packages must be a list, not nothing'],
    [
      'a bad owner',
      `${MINIMAL}files: [{ content: x, destination: /a, owner: A B }]\n`,
      'r.yaml:4:47: files[0].owner "A B" is not a user or group name',
    ],
    [
      '".." in a destination',
      `${MINIMAL}files: [{ content: x, destination: /a/../b }]\n`,
      'r.yaml:4:36: files[0].destination "/a/../b" must not contain ".."',
    ],
    [
      'a private key',
      `${MINIMAL}users: [{ name: a, sshKeys: [x] }]\n`,
      'r.yaml:4:30: users[0].sshKeys[0] "x" is not an OpenSSH public key',
    ],
  ])('%s is a problem with its place', (_, text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  test.each([
    [
      'a kernel from two places',
      'kernel: { package: a-b, file: k.deb }',
      'r.yaml:4:9: kernel has package and file: it can come from one place only',
    ],
    [
      'an image without modules',
      'kernel:\n  - {}\n  - { image: bzImage }',
      'r.yaml:6:5: kernel[1] has image, which needs modules beside it',
    ],
    [
      'a mistyped field of one',
      'kernel: { pakage: a }',
      'r.yaml:4:11: unknown field "pakage" in kernel; did you mean "package"?',
    ],
    [
      'a mistyped field of one in a list',
      'kernel: [{ pakage: a }]',
      'r.yaml:4:12: unknown field "pakage" in kernel[0]; did you mean "package"?',
    ],
    [
      'a name instead of a mapping',
      'kernel: linux',
      'r.yaml:4:9: kernel must be a mapping or a list, not "linux"',
    ],
    ['an empty list', 'kernel: []', 'r.yaml:4:9: kernel must not be empty'],
    [
      'the same file twice',
      'kernel: [{ file: k.deb }, { file: k.deb }]',
      'r.yaml:4:35: kernel[1].file "k.deb" is there already, in line 4',
    ],
    [
      'a package file of another distribution',
      'kernel: { file: k.rpm }',
      'r.yaml:4:17: kernel.file "k.rpm" is no package file (.deb)',
    ],
  ])('%s is a problem with its place', (_, text, expected) => {
    expect(problems(`${MINIMAL}${text}\n`)).toEqual([expected]);
  });

  test('a package file, an image and modules that are not there are problems with their places', () => {
    const text = `${MINIMAL}kernel:\n  - file: k.deb\n  - { image: bzImage, modules: mods }\n`;
    expect(problems(text, () => false).map((line) => line.replace(/ \(.*/, ''))).toEqual([
      'r.yaml:5:11: kernel[0].file "k.deb" does not exist',
      'r.yaml:6:14: kernel[1].image "bzImage" does not exist',
      'r.yaml:6:32: kernel[1].modules "mods" does not exist',
    ]);
  });

  test('an architecture by its kernel name gets its Debian name', () => {
    expect(problems(`${MINIMAL}architecture: x86_64\n`)[0]).toMatch(
      /"x86_64" is not known .*; Debian calls it "amd64"$/,
    );
  });

  test('a field given twice is reported together with the rest', () => {
    expect(problems(`${MINIMAL}suite: sid\nmirrror: x\n`)).toEqual([
      'r.yaml:4:1: this field is given twice',
      'r.yaml:5:1: unknown field "mirrror"; did you mean "mirror"?',
    ]);
  });

  test('host files that do not exist are reported at their place', () => {
    const text = `${MINIMAL}keyring: k.gpg\noverlays: [there, missing]\nfiles: [{ source: s, destination: /s }]\n`;
    expect(problems(text, (path) => path === 'there')).toEqual([
      'r.yaml:4:10: keyring "k.gpg" does not exist (relative paths start at the recipe)',
      'r.yaml:5:19: overlays[1] "missing" does not exist (relative paths start at the recipe)',
      'r.yaml:6:19: files[0].source "s" does not exist (relative paths start at the recipe)',
    ]);
  });

  test('the same package or destination twice names the first one', () => {
    expect(problems(`${MINIMAL}packages:\n  - kmod\n  - kmod\n`)).toEqual([
      'r.yaml:6:5: packages[1] "kmod" is there already, in line 5',
    ]);
  });

  test('a suite that a mirror of its own may have is not questioned', () => {
    expect(problems('name: a\ndistribution: debian\nsuite: lab\nmirror: file:/srv/debian\n')).toEqual([]);
  });

  test.each([
    ['nothing', '', 'r.yaml:1:1: the recipe is empty'],
    ['an unclosed bracket', 'name: [a\n', 'this is not YAML'],
    ['a tab as indentation', 'kernel:\n\tpackage: x\n', 'a tab is used for indentation'],
    ['two documents', 'name: a\n---\nname: b\n', 'a second document starts here'],
    ['an alias that holds itself', 'name: &a [*a]\n', 'stands for something that it is a part of'],
    ['thirty thousand brackets', `name: ${'['.repeat(30_000)}\n`, 'this is nested too deeply'],
    ['thirty thousand dashes', `${'- '.repeat(30_000)}a\n`, 'this is nested too deeply'],
    ['aliases that grow without end', bomb(), 'this cannot be read'],
    ['a mapping as a field name', '? {a: b}\n: c\n', 'r.yaml:1:3: the name of a field must be a plain word'],
    [
      'an unknown alias',
      'name: *nobody\n',
      'Unresolved alias (the anchor must be set before the alias): nobody',
    ],
  ])('%s is reported without a crash', (_, text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });
});

function bomb(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [at, before] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [pair[0], pair[1]])) {
    lines.push(`${at}: &${at} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
  }
  return lines.join('\n');
}

describe('any text', () => {
  test('decodes or is refused with places; nothing else happens', () => {
    const word = fc.constantFrom(
      ...[
        'name',
        'suite',
        'files',
        'users',
        'packages',
        'initrd',
        'debian',
        'mode',
        '__proto__',
        'constructor',
      ],
      ...[
        ': ',
        '\n',
        '\n  ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '&a ',
        '*a',
        '!!binary ',
        '<<: ',
        '"',
        "'",
        '|',
        '? ',
        '#',
        '\t',
        '0644',
        '~',
        '%YAML',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
      fc.array(word, { maxLength: 20 }).map((words) => MINIMAL + words.join('')),
    );
    fc.assert(
      fc.property(text, (sample) => {
        for (const line of problems(sample)) expect(line).toMatch(/^r\.yaml:\d+:\d+: \S/);
      }),
      { numRuns: 500 },
    );
  });
});
