import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ExitCode } from '../../src/errors.js';

const executable = fileURLToPath(new URL('../../bin/mkroot.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'mkroot-command-line-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs mkroot as a user would, in an empty directory. */
function mkroot(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [executable, ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

describe('mkroot on the command line', () => {
  test('what README.md says to type makes mkroot a command, in any directory', () => {
    const clone = fileURLToPath(new URL('../..', import.meta.url));
    const readme = readFileSync(join(clone, 'README.md'), 'utf8');
    const link = /^ln -s .* (\/\S+)\/mkroot(?= |$)/m.exec(readme);
    expect(link?.[1]).toBe('/usr/local/bin');
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    execFileSync('sh', ['-c', link![0].replace('/usr/local/bin', programs)], { cwd: clone });
    const env = { ...process.env, PATH: `${programs}:${process.env['PATH']}` };
    const typed = (line: string) =>
      execFileSync('sh', ['-c', line], { cwd: directory, env, encoding: 'utf8' });
    expect(typed('mkroot --version')).toMatch(/^mkroot\/\d/);
    expect(typed('mkroot recipe list')).toContain('compute');
  });

  test('a broken recipe: every problem on standard error with its place, exit code 3, and as data with --json', () => {
    writeFileSync(
      join(directory, 'bad.yaml'),
      'name: bad\ndistribution: debian\nsuite: trixe\npackges: []\n',
    );
    const { status, stdout, stderr } = mkroot(['recipe', 'check', './bad.yaml', '--json']);
    expect(status).toBe(ExitCode.InvalidInput);
    expect(stderr).toMatch(/bad\.yaml:3:8: suite "trixe".*did you mean "trixie"/);
    expect(stderr).toMatch(/bad\.yaml:4:1: unknown field "packges"; did you mean "packages"/);
    expect(JSON.parse(stdout).error).toMatchObject({ exitCode: ExitCode.InvalidInput });
  });

  test('recipes that come with mkroot are found from anywhere; an unknown one gets the nearest name', () => {
    expect(mkroot(['recipe', 'check', 'compute', '--json']).status).toBe(0);
    const unknown = mkroot(['build', 'comptue', '--state', join(directory, 'state')]);
    expect(unknown.status).toBe(ExitCode.NotFound);
    expect(unknown.stderr).toContain('did you mean "compute"?');
  });

  test("a recipe is the site's own, by --site or MKROOT_SITE, then that of ./recipes, then mkroot's", () => {
    const site = join(directory, 'site');
    const recipe = (name: string, suite: string) => `name: ${name}\ndistribution: debian\nsuite: ${suite}\n`;
    mkdirSync(join(site, 'recipes'), { recursive: true });
    mkdirSync(join(directory, 'recipes'));
    writeFileSync(join(site, 'recipes/compute.yaml'), recipe('compute', 'bookworm'));
    writeFileSync(join(directory, 'recipes/compute.yaml'), recipe('compute', 'sid'));
    writeFileSync(join(directory, 'recipes/mine.yaml'), recipe('mine', 'sid'));
    const fileOf = (name: string, list: string) =>
      (JSON.parse(list) as { name: string; file: string }[]).find((one) => one.name === name)?.file;
    try {
      for (const [args, env] of [
        [['--site', site], {}],
        [[], { MKROOT_SITE: site }],
      ] as const) {
        const { stdout } = mkroot(['recipe', 'list', '--json', ...args], env);
        expect(fileOf('compute', stdout)).toBe(join(site, 'recipes/compute.yaml'));
        expect(fileOf('mine', stdout)).toBe(join(directory, 'recipes/mine.yaml'));
        expect(mkroot(['recipe', 'check', 'compute', ...args], env).stdout).toContain('suite: bookworm');
      }
      expect(fileOf('compute', mkroot(['recipe', 'list', '--json']).stdout)).toBe(
        join(directory, 'recipes/compute.yaml'),
      );
      // What build makes is seen by the recipe that it refuses.
      writeFileSync(join(site, 'recipes/compute.yaml'), 'name: compute\n');
      const build = mkroot(['build', 'compute', '--plan', '--state', join(directory, 'state')], {
        MKROOT_SITE: site,
      });
      expect(build.status).toBe(ExitCode.InvalidInput);
      expect(build.stderr).toContain('site/recipes/compute.yaml');
      const mistyped = mkroot(['build', 'compute', '--plan', '--site', join(directory, 'siet')]);
      expect(mistyped.status).toBe(ExitCode.NotFound);
      expect(mistyped.stderr).toContain('siet": there is no such directory');
    } finally {
      rmSync(join(directory, 'recipes'), { recursive: true });
    }
  });

  test('a storm of no number: said before an image is looked for', () => {
    const { status, stderr } = mkroot(['qemu-test', '--storm', '2,x', '--state', join(directory, 'state')]);
    expect(status).toBe(ExitCode.Usage);
    expect(stderr).toContain('Cannot boot a storm of "x" nodes: it is no number from 1 to 100');
  });

  test('doctor says that this machine, where the tests run, has everything; without tools it ends with 5 and names packages', () => {
    const here = mkroot([
      'doctor',
      '--json',
      '--for',
      'build',
      '--for',
      'initrd',
      '--for',
      'qemu-test',
      '--for',
      'test',
    ]);
    expect(JSON.parse(here.stdout)).toMatchObject({ ready: true, missingPackages: { required: [] } });
    expect(here.status).toBe(0);

    const bare = mkdtempSync(join(directory, 'bin-'));
    symlinkSync(execFileSync('which', ['sh'], { encoding: 'utf8' }).trim(), join(bare, 'sh'));
    const there = mkroot(['doctor'], { PATH: bare });
    expect(there.status).toBe(ExitCode.MissingTool);
    expect(there.stdout).toMatch(/apt-get install .*qemu-system-x86/);
  });

  test('the usage of qemu-test has a line for each thing that it can boot, and nothing empty in it', () => {
    const [, usage = ''] = /USAGE\n([\s\S]*?)\n\n/.exec(mkroot(['qemu-test', '--help']).stdout) ?? [];
    expect(usage.match(/\$ mkroot qemu-test /g)).toHaveLength(4);
    for (const option of ['[RECIPE]', '--root DIR --kernel FILE', '--nodes NUMBER|NAMES', '--storm N,...']) {
      expect(usage).toContain(option);
    }
    expect(usage).not.toMatch(/ \]|\| *$|\.{4}/m);
  });

  test('a wrong option is a usage error, and --help is none', () => {
    expect(mkroot(['build', 'compute', '--nonsense']).status).toBe(ExitCode.Usage);
    expect(mkroot(['build', 'compute', '--pln']).stderr).toContain('Did you mean --plan?');
    expect(mkroot(['--help']).status).toBe(0);
  });

  test('what cannot be written to standard output is told once, with exit code 7; a closed pipe is quiet', () => {
    const shell = (line: string) => {
      const { status, stderr } = spawnSync(
        'bash',
        ['-c', `set -o pipefail; ${line}`, 'bash', process.execPath, executable],
        {
          cwd: directory,
          encoding: 'utf8',
        },
      );
      return { status, stderr };
    };
    for (const json of ['', '--json']) {
      expect(shell(`"$1" "$2" recipe list ${json} > /dev/full`)).toEqual({
        status: ExitCode.Io,
        stderr:
          'mkroot: Cannot write to "standard output": no space left on device (ENOSPC)\nhint: Free some space there, or choose another place.\n',
      });
    }
    expect(shell('"$1" "$2" recipe schema | true')).toEqual({ status: 0, stderr: '' });
    expect(shell('"$1" "$2" recipe check nosuch 2> /dev/full').status).toBe(ExitCode.NotFound);
  });

  test('a current directory that was removed is said', () => {
    for (const command of ['recipe list', 'status --state state']) {
      const { status, stderr } = spawnSync(
        'bash',
        [
          '-c',
          `mkdir gone && cd gone && rmdir ../gone && "$1" "$2" ${command}`,
          'bash',
          process.execPath,
          executable,
        ],
        { cwd: directory, encoding: 'utf8' },
      );
      expect(status).toBe(ExitCode.NotFound);
      // The first line is oclif's own.
      expect(stderr.replace(/^WARNING: .*\n/, '')).toBe(
        'mkroot: Cannot find the current directory: it was removed\nhint: Change to another one: cd DIR\n',
      );
    }
  });

  test('an empty name of a directory, as of an unset variable, is not the current one', () => {
    const made = mkroot(['init', '']);
    expect(made.status).toBe(ExitCode.Usage);
    expect(made.stderr).toContain('Cannot make a site in ""');
    expect(existsSync(join(directory, 'nodes.yaml'))).toBe(false);
    const gc = mkroot(['gc', '--state', '']);
    expect(gc.status).toBe(ExitCode.Usage);
    expect(gc.stderr).toContain('Cannot use --state: it is empty');
    expect(existsSync(join(directory, 'layers.lock'))).toBe(false);
    expect(mkroot(['nodes', 'list', '--site=']).status).toBe(ExitCode.Usage);
  });

  test('an initrd goes into a directory that is there, and gc makes no state directory', () => {
    const nowhere = join(directory, 'nosuch');
    const initrd = mkroot(['initrd', '--root', '/', '--nic', 'tg3', '--output', join(nowhere, 'x.img')]);
    expect(initrd.status).toBe(ExitCode.NotFound);
    expect(initrd.stderr).toContain(`there is no directory "${nowhere}"`);
    expect(mkroot(['gc', '--dry-run'], { MKROOT_STATE: nowhere }).status).toBe(ExitCode.NotFound);
    expect(existsSync(nowhere)).toBe(false);
  });

  test('nodes list: an image that there is not gets the nearest one; an option before the command is refused', () => {
    expect(mkroot(['init', 'cluster']).status).toBe(0);
    const list = (image: string) => mkroot(['nodes', 'list', '--site', 'cluster', '--image', image]);
    expect(list('compute').stdout).toContain('n001');
    expect(list('minimal').status).toBe(0);
    const mistyped = list('comptue');
    expect(mistyped.status).toBe(ExitCode.NotFound);
    expect(mistyped.stderr).toContain('Cannot find image "comptue"');
    expect(mistyped.stderr).toContain('did you mean "compute"?');
    expect(mkroot(['nodes', '--foo']).status).toBe(ExitCode.Usage);
  });

  test('a mistyped command gets the nearest one; help and version may be typed as commands', () => {
    const mistyped = mkroot(['buidl', 'compute', '--json']);
    expect(mistyped.status).toBe(ExitCode.Usage);
    expect(JSON.parse(mistyped.stdout).error.hint).toBe('Did you mean: mkroot build');
    expect(mkroot(['help', 'initrd']).stdout).toContain('--nic');
    expect(mkroot(['help', 'biuld']).stderr).toContain('Did you mean: mkroot build');
    expect(mkroot(['version']).stdout).toMatch(/^mkroot\/\d/);
  });
});
