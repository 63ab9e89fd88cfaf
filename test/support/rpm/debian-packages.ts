import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RpmRepository } from './rpm-repository.js';

const run = promisify(execFile);

/** Where downloaded .deb files go: beside those of test/support/build-state.ts, for all test files of a run, or to the repository. */
function debsDirectory(repository: RpmRepository): string {
  const shared = process.env['MKROOT_TEST_DEBS'];
  return shared === undefined ? join(repository.directory, 'debs') : `${shared}-to-convert`;
}

/** Their part is taken by spec files of the tests, or nothing in a root that boots once needs them. */
const LEFT_OUT =
  /^(base-files|base-passwd|usr-is-merged|usrmerge|init-system-helpers|initramfs-tools|linux-base|debconf|dpkg|perl.*|python3.*|adduser|ucf|tzdata|sensible-utils|debianutils|debugedit|update-.*)$/;

/** Not needed in a root that boots once, and most of the bytes. */
const DROPPED = /^\/usr\/(share\/(doc|man|info|locale|lintian|bug|i18n)|lib\/x86_64-linux-gnu\/perl)\//;

/** Drivers that no virtual machine has; without them the kernel is a fifth of its size. */
const DROPPED_MODULES =
  /\/kernel\/(sound|drivers\/(gpu|media|staging|infiniband|iio|usb|scsi|mtd|isdn|comedi|bluetooth|md|ata|hid|power|video|thunderbolt|net\/(wireless|usb|can|ieee802154|wwan))|fs\/(ocfs2|btrfs|xfs|gfs2|jfs|f2fs|ceph|cifs|afs|reiserfs|udf|ubifs|smb))\//;

/**
 * Turns Debian packages and everything that they depend on into rpm packages by alien(1), with what it leaves behind put
 * right: everything lies below /usr as on Fedora and EL, and dependencies of packages on packages are kept.
 */
export async function convertDebianPackages(
  repository: RpmRepository,
  names: readonly string[],
): Promise<void> {
  const debs = download(debsDirectory(repository), names);
  const known = new Set(debs.map(({ name }) => name));
  const work = join(repository.directory, 'alien');
  mkdirSync(work, { recursive: true });
  const queue = [...debs].sort((a, b) => b.size - a.size);
  const worker = async () => {
    for (let deb = queue.shift(); deb !== undefined; deb = queue.shift()) {
      await convert(repository, deb, known, join(work, deb.name));
    }
  };
  await Promise.all([worker(), worker()]);
  rmSync(work, { recursive: true });
}

interface Deb {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** What it depends on, as its control file says it. */
  readonly fields: string;
}

/** The packages and what they depend on, in the versions that apt of this machine would install. */
function download(directory: string, names: readonly string[]): Deb[] {
  mkdirSync(join(directory, 'partial'), { recursive: true });
  const options = [
    '--yes',
    '--no-install-recommends',
    '-o=Dir::State::status=/dev/null',
    `-o=Dir::Cache::archives=${directory}`,
    '-o=APT::Keep-Downloaded-Packages=true',
    '-o=APT::Sandbox::User=root',
    '-o=Debug::NoLocking=true',
  ];
  const apt = (mode: string) =>
    execFileSync('apt-get', ['install', mode, ...options, ...names], { encoding: 'utf8', stdio: 'pipe' });
  apt('--download-only');
  const debs = new Map<string, Deb>();
  for (const [, name, version, architecture] of apt('--simulate').matchAll(
    /^Inst (\S+) \((\S+) .*\[(\w+)\]\)/gm,
  )) {
    const path = join(directory, `${name}_${version!.replaceAll(':', '%3a')}_${architecture}.deb`);
    const fields = execFileSync('dpkg-deb', ['--field', path, 'Pre-Depends', 'Depends'], {
      encoding: 'utf8',
    });
    debs.set(name!, { name: name!, path, size: statSync(path).size, fields });
  }
  return closure(names, debs);
}

/** What is reached without going through the packages that are left out. */
function closure(names: readonly string[], debs: ReadonlyMap<string, Deb>): Deb[] {
  const reached = new Set<Deb>();
  const visit = (name: string) => {
    const deb = debs.get(name);
    if (deb === undefined || LEFT_OUT.test(name) || reached.has(deb)) return;
    reached.add(deb);
    for (const next of dependencies(deb, (one) => debs.has(one))) visit(next);
  };
  for (const name of names) visit(name);
  return [...reached];
}

/** Of each dependency the first alternative that there is. */
function dependencies({ fields }: Deb, isKnown: (name: string) => boolean): string[] {
  return [...fields.matchAll(/^(?:Pre-)?Depends: (.*)$/gm)]
    .flatMap(([, list]) => list!.split(', '))
    .flatMap((alternatives) => {
      const found = alternatives
        .split(' | ')
        .map((one) => one.replace(/[ :].*$/, ''))
        .find(isKnown);
      return found === undefined ? [] : [found];
    });
}

async function convert(
  repository: RpmRepository,
  deb: Deb,
  known: ReadonlySet<string>,
  work: string,
): Promise<void> {
  mkdirSync(work);
  await run('alien', ['--to-rpm', '--keep-version', '--generate', deb.path], { cwd: work });
  const root = join(work, readdirSync(work)[0]!);
  const specFile = join(root, readdirSync(root).find((name) => name.endsWith('.spec'))!);
  const spec = readFileSync(specFile, 'utf8');
  rmSync(specFile);
  mergeUsr(root);
  const isKernel = deb.name.startsWith('linux-image-') && existsSync(join(root, 'boot'));
  if (isKernel) moveKernel(root);
  const headerEnd = spec.indexOf('%description');
  const header = spec
    .slice(0, headerEnd)
    .split('\n')
    .filter((line) => !/^(Buildroot:|%define _rpm)/i.test(line))
    .join('\n');
  await repository.build(
    deb.name,
    [
      header.trim(),
      ...(isKernel ? ['AutoReqProv: no'] : []),
      ...[...new Set(dependencies(deb, (name) => known.has(name)))].map((name) => `Requires: ${name}`),
      ...(isKernel ? ['Requires(post): kmod dash coreutils filesystem'] : []),
      '',
      '%description',
      'Converted from a Debian package.',
      '',
      ...(isKernel ? ['%post', 'depmod -a $(ls /usr/lib/modules)', ''] : []),
      '%files',
      '%defattr(-,root,root)',
      ...fileList(root, spec.slice(spec.indexOf('\n%files'))),
      '',
    ].join('\n'),
    root,
  );
  rmSync(work, { recursive: true });
}

/** Everything of /bin, /sbin and /lib* lies below /usr, where links of the package `filesystem` lead to. */
function mergeUsr(root: string): void {
  for (const name of readdirSync(root)) {
    if (/^(s?bin|lib\w*)$/.test(name)) move(join(root, name), join(root, 'usr', name));
  }
}

function move(from: string, to: string): void {
  if (!lexists(to)) {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    return;
  }
  for (const name of readdirSync(from)) move(join(from, name), join(to, name));
  rmSync(from, { recursive: true });
}

/** As Fedora and EL have it: the kernel lies beside its modules. */
function moveKernel(root: string): void {
  const [image] = readdirSync(join(root, 'boot')).filter((name) => name.startsWith('vmlinuz-'));
  const release = image!.slice('vmlinuz-'.length);
  renameSync(join(root, 'boot', image!), join(root, 'usr/lib/modules', release, 'vmlinuz'));
  rmSync(join(root, 'boot'), { recursive: true });
}

/** The lines of %files: those of alien, as far as the files are still there, at the places where they are now. */
function fileList(root: string, lines: string): string[] {
  const listed = [...lines.matchAll(/^(%config |%dir |)"(.+)"$/gm)].flatMap(([, kind, path]) => {
    const merged = path!.replace(/^\/(s?bin|lib\w*)\//, '/usr/$1/').replace(/\/$/, '');
    if (kind === '%dir ' || DROPPED.test(merged) || DROPPED_MODULES.test(merged)) return [];
    return lexists(join(root, merged)) ? [attributed(root, kind!, merged)] : [];
  });
  const modules = join(root, 'usr/lib/modules');
  const kernels = existsSync(modules)
    ? readdirSync(modules)
        .map((release) => `/usr/lib/modules/${release}/vmlinuz`)
        .filter((path) => existsSync(join(root, path)))
        .map((path) => `"${path}"`)
    : [];
  const directories = emptyDirectories(root).map((path) => `%dir "${path}"`);
  return [...new Set([...listed, ...kernels, ...directories])];
}

/** alien leaves out what maintainer scripts do; the right to open raw sockets is what rpm can express. */
function attributed(root: string, kind: string, path: string): string {
  if (path === '/usr/bin/ping') return `%caps(cap_net_raw=ep) "${path}"`;
  const stat = lstatSync(join(root, path));
  const special = (stat.mode & 0o6000) !== 0 ? `%attr(${(stat.mode & 0o7777).toString(8)},root,root) ` : '';
  return `${kind}${special}"${path}"`;
}

function emptyDirectories(root: string, below = ''): string[] {
  const names = readdirSync(join(root, below));
  if (names.length === 0 && below !== '') return DROPPED.test(`${below}/`) ? [] : [below];
  return names.flatMap((name) => {
    const path = `${below}/${name}`;
    return lstatSync(join(root, path)).isDirectory() ? emptyDirectories(root, path) : [];
  });
}

function lexists(path: string): boolean {
  return existsSync(dirname(path)) && lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
