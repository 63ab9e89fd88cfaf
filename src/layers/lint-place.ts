import type { BytePath } from '../ports/byte-path.js';
import { followLinks } from './follow-links.js';
import { type LayerEntry, parentPath } from './layer-entry.js';
import type { LayerRuleId } from './layer-rules.js';
import type { LayerView } from './layer-view.js';
import { anyOf } from './path-pattern.js';
import { isSecretPath } from './secrets.js';

/** What a rule found: the rule, what is the case, and the line of the file if there is one. */
export type Report = (rule: LayerRuleId, what: string, line?: number) => void;

/** Names that editors, patch, package managers and version control leave. */
const LEFTOVERS =
  /(~|\.(bak|orig|rej|swp|swo|tmp|rpm(save|new|orig)|dpkg-(old|new|dist|tmp)|ucf-(old|new|dist)))$|^\.#|^#.*#$|^(\.DS_Store|Thumbs\.db|\.git|\.svn|\.hg|\.bzr)$/;

/** Directories in which a program reads names of one form only, and passes over the others in silence. */
const READ_DIRECTORIES: readonly (readonly [directory: RegExp, names: RegExp, who: string])[] = [
  [/^\/etc\/cron\.(d|hourly|daily|weekly|monthly)$/, /^[A-Za-z0-9_-]+$/, 'cron of Debian'],
  [/^\/etc\/sudoers\.d$/, /^[^.]*[^.~]$/, 'sudo'],
  [
    /^\/etc\/(sysctl|tmpfiles|sysusers|modules-load|modprobe|binfmt)\.d$/,
    /\.conf$/,
    'the program of this directory',
  ],
  [/^\/etc\/(ld\.so\.conf\.d|ssh\/sshd?_config\.d|NetworkManager\/conf\.d)$/, /\.conf$/, 'its program'],
  [/^\/etc\/profile\.d$/, /\.(sh|csh)$/, 'the login shell'],
  [/^\/etc\/udev\/rules\.d$/, /\.rules$/, 'udev'],
  [/^\/etc\/exports\.d$/, /\.exports$/, 'exportfs'],
  [/^\/etc\/apt\/(sources\.list|apt\.conf|preferences)\.d$/, /^(?!.*\.(txt|md)$)/, 'apt'],
  [/^\/etc\/systemd\/network$/, /\.(network|netdev|link)$/, 'systemd-networkd'],
];

/** Files of which their programs say nothing more than that they do not take them. */
const REFUSED_MODES = (
  [
    [['/etc/sudoers', '/etc/sudoers.d/*'], 0o022, 'sudo ignores it'],
    [['/root/.ssh', '/root/.ssh/authorized_keys'], 0o022, 'sshd ignores the keys'],
    [['/home/*/.ssh', '/home/*/.ssh/authorized_keys'], 0o022, 'sshd ignores the keys'],
    [['/etc/crontab', '/etc/cron.d/*'], 0o022, 'cron ignores it'],
    [['/etc/logrotate.conf', '/etc/logrotate.d/*'], 0o022, 'logrotate ignores it'],
    [['/etc/NetworkManager/system-connections/*'], 0o077, 'NetworkManager ignores it'],
    [['/etc/ssh/ssh_host_*_key'], 0o077, 'sshd does not start with it'],
    [['/etc/munge/munge.key'], 0o077, 'munged does not start with it'],
  ] as const
).map(([paths, bits, who]) => ({ isMeant: anyOf(paths), bits, who }));

const PROGRAMS = /^(\/usr(\/local)?)?\/s?bin$|^\/etc\/(init\.d|cron\.(hourly|daily|weekly|monthly))$/;

/** Directories of systemd's units, in the order in which they are looked up; see systemd.unit(5). */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** What is wrong with the place of an entry, whatever is in it. */
export function lintPlace(entry: LayerEntry, merged: LayerView, shared: boolean, report: Report): void {
  const { path, kind, mode } = entry;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const directory = parentPath(path);
  const leftover = LEFTOVERS.test(name);
  if (leftover) report('leftover-file', 'nodes have no use for it');
  if (shared && path === '/etc/resolv.conf' && kind === 'file') {
    report('fixed-resolv-conf', 'what DHCP says about name servers is not used');
  }
  if (/^\/(var\/lib\/(dpkg|rpm)|usr\/(lib\/sysimage|share)\/rpm)\//.test(path) && kind === 'file') {
    report('package-database', 'it hides that of the image, or a part of it');
  }
  if (/^\/(boot|(usr\/)?lib\/modules)\/./.test(path) && kind === 'file') {
    report('kernel-in-layer', 'nodes boot the kernel and the modules of their image');
  }
  if (kind === 'file' || kind === 'symlink') {
    const passedOver = READ_DIRECTORIES.find(([where]) => where.test(directory));
    const [, names, who = ''] = passedOver ?? [];
    const foreign = who.endsWith('Debian') && merged.entry('/var/lib/dpkg') === undefined;
    if (names !== undefined && !names.test(name) && !/^README|^\./.test(name) && !leftover && !foreign) {
      report('name-passed-over', `${who} passes over names like this`);
    }
  }
  if (kind === 'file' && PROGRAMS.test(directory) && (mode & 0o111) === 0 && !leftover) {
    report('not-executable', 'nobody may execute it');
  }
  if (kind === 'file' || kind === 'directory') lintRefusedMode(entry, shared, report);
}

function lintRefusedMode({ path, mode, uid }: LayerEntry, shared: boolean, report: Report): void {
  // What everybody may write, or a secret that everybody may read, is a matter of other rules.
  if ((mode & 0o002) !== 0 || (isSecretPath(path) && (shared || (mode & 0o004) !== 0))) return;
  for (const { isMeant, bits, who } of REFUSED_MODES) {
    // Most have neither: what they are need not be asked.
    if (((mode & bits) === 0 && uid === 0) || !isMeant(path)) continue;
    if ((mode & bits) !== 0) {
      report('mode-refused', `its mode is ${mode.toString(8).padStart(4, '0')}: ${who}`);
    }
    if (uid !== 0 && path.startsWith('/etc/')) report('mode-refused', `it belongs to ${uid}: ${who}`);
  }
}

/**
 * The unit that a name below /etc/systemd/system is about, if no directory of units has it: what a link in .wants enables, or
 * a drop-in changes. Units that generators make (mounts, swaps) are none of these.
 */
export function missingUnit(path: BytePath, merged: LayerView): string | undefined {
  const enabled = /^\/(?:etc|usr\/lib)\/systemd\/system\/[^/]+\.(?:wants|requires|upholds)\/([^/]+)$/.exec(
    path,
  );
  const changed = /^\/(?:etc|usr\/lib)\/systemd\/system\/([^/]+)\.d\/[^/]+\.conf$/.exec(path);
  const unit = enabled?.[1] ?? changed?.[1];
  if (unit === undefined || !/[^-]\.(service|socket|timer|target|path)$/.test(unit)) return undefined;
  const template = unit.replace(/@[^@]+(\.[a-z]+)$/, '@$1');
  const found = UNIT_DIRECTORIES.some((directory) =>
    [unit, template].some((name) => followLinks(merged, `${directory}/${name}`) !== undefined),
  );
  return found ? undefined : unit;
}
