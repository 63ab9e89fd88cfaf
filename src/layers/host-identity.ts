import { randomBytes } from 'node:crypto';
import type { BytePath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import { sha256 } from '../ports/sha256.js';

/** What makes a node itself, besides its name and address. */
export interface HostIdentity {
  /** 32 hex digits, see machine-id(5). */
  readonly machineId: string;
  /** Private and public ssh host keys, by file name in /etc/ssh. */
  readonly sshKeys: ReadonlyMap<BytePath, Uint8Array>;
}

/** Directories of keys that are not finished start with this. */
const UNFINISHED = '.new-ssh-';

/** Key types that sshd of Debian looks for. */
const KEY_TYPES = ['ecdsa', 'ed25519', 'rsa'] as const;

/**
 * The identity of a node, kept in a directory: what is there is used, what is missing is made. So a node is recognised
 * after every change of its layers, its image or its network card.
 * @param mac of the boot device; the machine-id is then the one that /init derives from it, otherwise a random one.
 */
export async function hostIdentity(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  directory: BytePath,
  { name, mac }: { readonly name: string; readonly mac?: string },
): Promise<HostIdentity> {
  fs.mkdir(directory, 0o700);
  for (const left of fs.readdir(directory)) {
    if (left.startsWith(UNFINISHED) || left.startsWith('machine-id.tmp-')) fs.remove(`${directory}/${left}`); // of a run that was killed
  }
  const machineId = keptMachineId(fs, `${directory}/machine-id`, mac);
  const keys = `${directory}/ssh`;
  if (fs.lstat(keys) === undefined) await makeKeys({ fs, runner }, directory, keys, name);
  return { machineId, sshKeys: readKeys(fs, keys) };
}

/** The identity that was made before; undefined if it never was. */
export function keptIdentity(fs: ReadFileSystem, directory: BytePath): HostIdentity | undefined {
  const keys = `${directory}/ssh`;
  const machineId = readMachineId(fs, `${directory}/machine-id`);
  return machineId === undefined || fs.lstat(keys) === undefined
    ? undefined
    : { machineId, sshKeys: readKeys(fs, keys) };
}

/** Names of the files that an identity is read from, below its directory; what is missing is not among them. */
export function identityFiles(fs: ReadFileSystem, directory: BytePath): BytePath[] {
  const keys = `${directory}/ssh`;
  const names = fs.lstat(keys) === undefined ? [] : fs.readdir(keys);
  return ['machine-id', 'ssh', ...names.map((name) => `ssh/${name}`)];
}

/** The public ones of an identity's keys, `ssh-ed25519 AAAA... comment` each. */
export function publicKeys({ sshKeys }: HostIdentity): string[] {
  return [...sshKeys]
    .filter(([name]) => name.endsWith('.pub'))
    .map(([, bytes]) => Buffer.from(bytes).toString('utf8').trim());
}

/** Public ssh host keys that were made before, `ssh-ed25519 AAAA... comment` each; private ones are not read. */
export function keptPublicKeys(fs: FileSystem, directory: BytePath): string[] {
  const keys = `${directory}/ssh`;
  if (fs.lstat(keys) === undefined) return [];
  return fs
    .readdir(keys)
    .filter((name) => name.endsWith('.pub'))
    .map((name) =>
      Buffer.from(fs.readFile(`${keys}/${name}`))
        .toString('utf8')
        .trim(),
    );
}

/** The machine-id that initramfs-skel derives for a boot device (identity.sh): the same node with or without a host layer. */
export function derivedMachineId(mac: string): string {
  return sha256(`mkroot machine-id ${mac}\n`).slice(0, 32);
}

function keptMachineId(fs: FileSystem, path: BytePath, mac: string | undefined): string {
  const kept = readMachineId(fs, path);
  if (kept !== undefined) return kept;
  const made = mac === undefined ? randomBytes(16).toString('hex') : derivedMachineId(mac);
  fs.writeFile(path, `${made}\n`, 0o600);
  return made;
}

function readMachineId(fs: ReadFileSystem, path: BytePath): string | undefined {
  if (fs.lstat(path) === undefined) return undefined;
  const text = Buffer.from(fs.readFile(path)).toString('latin1').trim();
  return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
}

function readKeys(fs: ReadFileSystem, keys: BytePath): Map<BytePath, Uint8Array> {
  return new Map(fs.readdir(keys).map((file) => [file, fs.readFile(`${keys}/${file}`)]));
}

/** All keys at once or none: a directory that is renamed when it is whole. */
async function makeKeys(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  directory: BytePath,
  keys: BytePath,
  name: string,
): Promise<void> {
  const beside = fs.makeTemporaryDirectory(`${directory}/${UNFINISHED}`);
  try {
    for (const type of KEY_TYPES) {
      const file = Buffer.from(`${beside}/ssh_host_${type}_key`, 'latin1').toString('utf8');
      await runner.run({
        argv: ['ssh-keygen', '-q', '-t', type, '-N', '', '-C', `root@${name}`, '-f', file],
      });
    }
    fs.rename(beside, keys);
  } finally {
    fs.remove(beside);
  }
}
