import type { BytePath } from '../ports/byte-path.js';
import { anyOf } from './path-pattern.js';

/** Paths where secrets live, as far as packages of Debian put them there; see {@link matchesPath}. */
export const SECRET_PATHS = [
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/ipsec.secrets',
  '/etc/krb5*.keytab',
  '/etc/krb5kdc/**',
  '/etc/munge/munge.key',
  '/etc/pki/tls/private/**',
  '/etc/security/opasswd',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/slurm/jwt_hs256.key',
  '/etc/slurm/slurm.key',
  '/etc/ssh/ssh_host_*_key',
  '/etc/ssl/private/**',
  '/etc/wireguard/**',
  '/root/.aws/credentials',
  '/root/.kube/config',
  '/root/.netrc',
  '/root/.pgpass',
  '/root/.ssh/id_*',
  '/home/*/.ssh/id_*',
  '/var/lib/sss/secrets/**',
];

/** Paths that tell one node from another. */
const IDENTITY_PATHS = [
  '/etc/hostname',
  '/etc/machine-id',
  '/etc/ssh/ssh_host_*_key',
  '/etc/ssh/ssh_host_*_key.pub',
  '/var/lib/dbus/machine-id',
  '/var/lib/systemd/random-seed',
];

/** What secrets look like, and what each is. Account lines: only a hash is a secret, `*` and `!` are none. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----/, 'a private key'],
  [/^PuTTY-User-Key-File-/m, 'a private key'],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]{20}/, 'a private key of age'],
  [/^\s*PrivateKey\s*=\s*[A-Za-z0-9+/]{43}=/m, 'a private key of WireGuard'],
  [/\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}|glpat-[A-Za-z0-9_-]{20})/, 'an access token'],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, 'an access key of AWS'],
  [/\bxox[abprs]-[0-9A-Za-z-]{20,}/, 'an access token of Slack'],
  [/^[a-z_][a-z0-9_.-]*:!?\$[0-9a-z]{1,8}\$[^:\s]{8,}/im, 'a password hash'],
  [/\$(1|5|6|y|gy|2[aby]|7)\$[./A-Za-z0-9=,$]{1,40}\$[./A-Za-z0-9]{22,}/, 'a password hash'],
];

/** Something of each of them: most texts have none of it, and one look does. */
const HINT_OF_SECRET =
  /-----BEGIN |PuTTY-|AGE-SECRET|PrivateKey|gh[pousr]_|github_pat_|glpat-|A[KS]IA|xox|\$/;

/** How much of a file is looked at, in bytes: keys and password files are small. */
export const LOOKED_AT = 1 << 20;

/** Whether secrets live at this path. A public key (.pub) is none. */
export function isSecretPath(path: BytePath): boolean {
  return !path.endsWith('.pub') && isSecret(path);
}

/** Whether this path tells one node from another. */
export function isIdentityPath(path: BytePath): boolean {
  return isIdentity(path);
}

const isSecret = anyOf(SECRET_PATHS);
const isIdentity = anyOf(IDENTITY_PATHS);

/** What secret a file's bytes contain, or undefined. */
export function secretIn(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, LOOKED_AT)).toString(
    'latin1',
  );
  if (!HINT_OF_SECRET.test(text)) return undefined;
  return SECRET_TEXTS.find(([pattern]) => pattern.test(text))?.[1];
}
