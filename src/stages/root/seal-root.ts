import type { Stage } from '../../engine/stage.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import type { BuildEnvironment } from './build-environment.js';
import { changeRoot } from './root-layers.js';

const PLAIN = { mode: 0o644, uid: 0, gid: 0 };

/**
 * Last, whatever came before: what must be one node's own is not in the root that all share, and nothing of the build is
 * left in it.
 */
export function sealRoot(environment: BuildEnvironment): Stage {
  return {
    name: 'seal-root',
    title: 'Sealing the root',
    version: 3,
    options: {},
    files: [],
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        const writer = new RootWriter(context.ports.fs, tree.hostPath);
        // machine-id(5): with an empty file the node gets an id of its own, and it is not a "first boot", which would apply
        // presets anew and so undo what the recipe enabled or disabled, and ask questions on the console.
        writer.file('/etc/machine-id', '', { ...PLAIN, mode: 0o444 });
        sealHostKeys(writer);
        writer.remove('/var/lib/systemd/random-seed');
        writer.remove('/var/lib/dbus/machine-id');
        for (const directory of ['/run', '/tmp']) writer.empty(directory);
        sealFstab(writer);
        for (const directory of ['/etc', '/var']) writer.file(`${directory}/.updated`, UP_TO_DATE, PLAIN);
      }),
  };
}

/**
 * systemd-update-done.service(8): newer than /usr, it says that the package manager has done what ldconfig.service,
 * systemd-journal-catalog-update.service and others would do again on every boot of every node, into the memory above the root.
 */
const UP_TO_DATE = '# Written by mkroot: what is made from /usr was made when the image was built.\n';

/** Keys that every node had would be no secret. sshd gets its own at boot, unless a host layer brings them. */
function sealHostKeys(writer: RootWriter): void {
  for (const name of writer.sysroot.list('/etc/ssh')) {
    if (/^ssh_host_.*key(\.pub)?$/.test(name)) writer.remove(`/etc/ssh/${name}`);
  }
  const units = '/lib/systemd/system';
  const makesItsOwn = writer.sysroot.isFile(`${units}/sshd-keygen.service`); // since Debian 13
  if (makesItsOwn || !writer.sysroot.isFile(`${units}/ssh.service`)) return;
  writer.file('/etc/systemd/system/ssh.service.d/mkroot-host-keys.conf', MAKE_HOST_KEYS, PLAIN);
}

/** ssh-keygen -A makes the keys that are missing. It has to come before the unit's own check of the configuration. */
const MAKE_HOST_KEYS = `[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
`;

/** /init mounts the root; a line for "/" makes systemd-remount-fs try to remount an overlay, and fail. */
function sealFstab(writer: RootWriter): void {
  const path = '/etc/fstab';
  const text = writer.sysroot.isFile(path) ? Buffer.from(writer.sysroot.readFile(path)).toString('utf8') : '';
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*[^#\s]\S*\s+\/\s/.test(line) && !/UNCONFIGURED/.test(line));
  writer.file(path, lines.join('\n'), PLAIN);
}
