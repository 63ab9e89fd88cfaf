import type { Ports } from '../ports/ports.js';
import { inNamespaces } from '../sandbox/unshare.js';
import type { Probe, Purpose, Requirement } from './requirement.js';

/** ok: there. missing: not there. unchecked: only the superuser can find out. */
export type Presence = 'ok' | 'missing' | 'unchecked';

/** What is known about one requirement on this host. */
export interface Finding {
  readonly requirement: Requirement;
  readonly presence: Presence;
  /** Version, path, or what stands in the way. */
  readonly detail: string;
  /** True when one of the wanted purposes cannot do without it. */
  readonly required: boolean;
  /** True when one of the wanted purposes needs it or is better with it. */
  readonly wanted: boolean;
}

/** The host as `mkroot doctor` sees it. */
export interface HostReport {
  /** What it was asked for. */
  readonly purposes: readonly Purpose[];
  readonly findings: readonly Finding[];
  /** What QEMU can run guests with, the fastest first. */
  readonly accelerators: readonly ('kvm' | 'tcg')[];
  readonly packageManager: 'apt' | 'dnf' | undefined;
  /** Packages that bring what is missing for these purposes, by the names of this host's distribution; required ones first. */
  readonly missingPackages: { readonly required: readonly string[]; readonly useful: readonly string[] };
  /** False when something required is missing. */
  readonly ready: boolean;
}

/** Who asks, and what for. */
export interface HostQuestion {
  readonly purposes: readonly Purpose[];
  /** Effective user id. */
  readonly uid: number;
}

/** Purposes for which one of several groups of requirements has to be there as a whole; the first is asked for where none is. */
const ALTERNATIVES: readonly {
  readonly purpose: Purpose;
  readonly groups: readonly (readonly string[])[];
}[] = [
  { purpose: 'build', groups: [['mmdebstrap'], ['debootstrap']] },
  {
    purpose: 'serve',
    groups: [
      ['ganesha.nfsd', 'ganesha VFS backend'],
      ['rpc.nfsd', 'rpc.mountd', 'exportfs', 'nfsd'],
    ],
  },
];

/** Looks for each requirement, all at the same time. Changes nothing on the host. */
export async function checkHost(
  requirements: readonly Requirement[],
  { purposes, uid }: HostQuestion,
  ports: Pick<Ports, 'fs' | 'runner'>,
): Promise<HostReport> {
  const probed = await Promise.all(
    requirements.map(async (requirement) => ({
      requirement,
      ...(await probe(requirement.probe, uid, ports)),
      required: requirement.requiredFor.some((purpose) => purposes.includes(purpose)),
      wanted: [...requirement.requiredFor, ...requirement.usefulFor].some((purpose) =>
        purposes.includes(purpose),
      ),
    })),
  );
  const isThere = (name: string) =>
    probed.some(({ requirement, presence }) => requirement.name === name && presence !== 'missing');
  const alternatives = ALTERNATIVES.filter(
    ({ purpose, groups }) => purposes.includes(purpose) && !groups.some((group) => group.every(isThere)),
  ).flatMap(({ groups: [first = []] }) => first);
  const findings = probed.map(
    (finding): Finding =>
      alternatives.includes(finding.requirement.name) ? { ...finding, required: true } : finding,
  );
  const packageManager = packageManagerOf(ports);
  const missing = findings.filter(({ presence, wanted }) => presence === 'missing' && wanted);
  const packages = (required: boolean) => [
    ...new Set(
      missing
        .filter((finding) => finding.required === required)
        .flatMap(({ requirement }) => (packageManager === 'dnf' ? requirement.el : requirement.debian)),
    ),
  ];
  const present = (name: string) =>
    findings.some(({ requirement, presence }) => requirement.name === name && presence === 'ok');
  return {
    purposes,
    findings,
    accelerators: present('/dev/kvm') ? ['kvm', 'tcg'] : ['tcg'],
    packageManager,
    missingPackages: {
      required: packages(true),
      useful: packages(false).filter((name) => !packages(true).includes(name)),
    },
    ready: missing.every(({ required }) => !required),
  };
}

type Probed = Pick<Finding, 'presence' | 'detail'>;

async function probe(wanted: Probe, uid: number, ports: Pick<Ports, 'fs' | 'runner'>): Promise<Probed> {
  switch (wanted.kind) {
    case 'program':
      return probeProgram(wanted.program, wanted.version, ports);
    case 'file': {
      const found = wanted.anyOf.find((path) => ports.fs.lstat(path) !== undefined);
      return found === undefined
        ? { presence: 'missing', detail: `no ${wanted.anyOf[0]}` }
        : { presence: 'ok', detail: found };
    }
    case 'device':
      return probeDevice(wanted.path, ports);
    case 'filesystem':
      return probeFilesystem(wanted.name, ports);
    case 'namespaces':
      return probeNamespaces(uid, ports);
    case 'superuser':
      return uid === 0
        ? { presence: 'ok', detail: 'running as root' }
        : { presence: 'missing', detail: `running as user ${uid}` };
  }
}

async function probeProgram(
  program: string,
  version: readonly string[] | undefined,
  { runner }: Pick<Ports, 'runner'>,
): Promise<Probed> {
  const path = runner.which(program);
  if (path === undefined) return { presence: 'missing', detail: 'not in PATH' };
  if (version === undefined) return { presence: 'ok', detail: path };
  // Nothing is to be left behind: asked for its version, Debian's dnf would make an empty rpm database below $HOME.
  const env = { HOME: '/dev/null' };
  const { stdout, stderr } = await runner.run({ argv: [path, ...version], env, accept: 'any' });
  return { presence: 'ok', detail: versionIn(`${Buffer.from(stdout).toString('utf8')}\n${stderr}`) ?? path };
}

/** The first thing that looks like a version: `1.3.5`, `2.40`, `30` after the word version, `6.1.0`. */
function versionIn(output: string): string | undefined {
  return /\bv?(\d+\.\d[\w.+~-]*)/i.exec(output)?.[1] ?? /version:? (\d+)/i.exec(output)?.[1];
}

async function probeDevice(path: string, { fs, runner }: Pick<Ports, 'fs' | 'runner'>): Promise<Probed> {
  if (fs.lstat(path) === undefined) return { presence: 'missing', detail: 'no such device' };
  const opened = await runner.run({ argv: ['sh', '-c', ': <>"$0"', path], accept: 'any' });
  return opened.exitCode === 0
    ? { presence: 'ok', detail: 'usable' }
    : { presence: 'missing', detail: opened.stderr.trim().split(': ').at(-1) ?? 'cannot be opened' };
}

async function probeFilesystem(name: string, { fs, runner }: Pick<Ports, 'fs' | 'runner'>): Promise<Probed> {
  const known = Buffer.from(fs.readFile('/proc/filesystems')).toString('latin1');
  if (known.split('\n').some((line) => line.split('\t')[1] === name)) {
    return { presence: 'ok', detail: 'known to the kernel' };
  }
  const modprobe = runner.which('modprobe');
  if (modprobe !== undefined) {
    const loadable = await runner.run({ argv: [modprobe, '--dry-run', '--quiet', name], accept: 'any' });
    if (loadable.exitCode === 0) return { presence: 'ok', detail: 'a module that can be loaded' };
  }
  return { presence: 'missing', detail: 'not in this kernel' };
}

async function probeNamespaces(uid: number, { runner }: Pick<Ports, 'runner'>): Promise<Probed> {
  if (uid !== 0) return { presence: 'unchecked', detail: 'ask again as root' };
  if (runner.which('unshare') === undefined) return { presence: 'missing', detail: 'needs unshare' };
  const all = { mount: true, pid: true, net: true, uts: true, ipc: true };
  const tried = await runner.run({ argv: inNamespaces(all, ['true']), accept: 'any' });
  return tried.exitCode === 0
    ? { presence: 'ok', detail: 'mount, pid, net, uts, ipc' }
    : { presence: 'missing', detail: tried.stderr.trim().replace(/^unshare: /, '') };
}

function packageManagerOf({ fs }: Pick<Ports, 'fs'>): 'apt' | 'dnf' | undefined {
  if (fs.lstat('/etc/os-release') === undefined && fs.lstat('/usr/lib/os-release') === undefined)
    return undefined;
  const file = fs.lstat('/usr/lib/os-release') === undefined ? '/etc/os-release' : '/usr/lib/os-release';
  const text = Buffer.from(fs.readFile(file)).toString('utf8');
  const ids = [...text.matchAll(/^ID(?:_LIKE)?=["']?([^"'\n]*)/gm)].flatMap(([, value]) => value!.split(' '));
  if (ids.some((id) => ['debian', 'ubuntu'].includes(id))) return 'apt';
  if (ids.some((id) => ['rhel', 'fedora', 'centos'].includes(id))) return 'dnf';
  return undefined;
}
