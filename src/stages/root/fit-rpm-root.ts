import type { RpmPart } from '../../recipe/rpm-recipe.js';
import type { RootWriter } from '../../rootfs/root-writer.js';

const PLAIN = { mode: 0o644, uid: 0, gid: 0 };

/** Init scripts of EL 8 and before that take network file systems or the network itself away at shutdown. */
const HARMFUL_SCRIPTS = ['netfs', 'network'];

/** What a root of rpm packages needs to be different on a node without a disk, and what the installation leaves behind. */
export function fitToDisklessNode(writer: RootWriter, { selinux }: Pick<RpmPart, 'selinux'>): void {
  setSelinux(writer, selinux);
  for (const name of HARMFUL_SCRIPTS) {
    if (!writer.sysroot.isFile(`/etc/rc.d/init.d/${name}`)) continue;
    writer.symlink('/dev/null', `/etc/systemd/system/${name}.service`); // masked, see systemctl(1)
  }
  for (const directory of ['/var/cache/dnf', '/var/cache/yum', '/var/cache/libdnf5'])
    writer.remove(directory);
  for (const name of writer.sysroot.list('/var/log')) {
    if (/^(dnf|dnf5|yum|hawkey)(\.|$)/.test(name)) writer.remove(`/var/log/${name}`);
  }
  writer.remove('/var/cache/ldconfig/aux-cache');
  writer.remove('/etc/.pwd.lock');
}

/** A policy would be loaded by init, and find a root whose files carry no labels: overlay and NFS do not transport them. */
function setSelinux(writer: RootWriter, selinux: RpmPart['selinux']): void {
  const path = '/etc/selinux/config';
  if (!writer.sysroot.isFile(path)) return;
  const text = Buffer.from(writer.sysroot.readFile(path)).toString('utf8');
  const line = `SELINUX=${selinux}`;
  writer.file(
    path,
    /^SELINUX=/m.test(text) ? text.replace(/^SELINUX=.*$/m, line) : `${text.replace(/\n?$/, '\n')}${line}\n`,
    PLAIN,
  );
}
