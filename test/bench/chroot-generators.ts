import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { BenchRoot } from './bench-root.js';
import { type Measurement, measure } from './measure.js';

/** Where the bench's own directory is seen inside the root. */
const INSIDE = '/mnt';

/**
 * Runs a program of the root inside it and measures it. Its temporary files are in memory, which favours it: mkroot writes
 * to the disk.
 * @param output the file that it makes, below `directory`
 */
function measureInRoot(
  { path: root }: BenchRoot,
  argv: readonly string[],
  directory: string,
  output: string,
): Measurement {
  const setUp = [
    `mount -t proc proc '${root}/proc'`,
    `mount --rbind /sys '${root}/sys'`,
    `mount --rbind /dev '${root}/dev'`,
    ...['/run', '/tmp', '/var/tmp'].map((place) => `mount -t tmpfs tmpfs '${root}${place}'`),
    `mount --bind '${directory}' '${root}${INSIDE}'`,
  ].join('\n');
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  return measure(
    { setUp, argv: ['chroot', root, ...argv], env, output: `${directory}/${output}` },
    directory,
  );
}

/** How initramfs-tools is told what to put in. */
export interface InitramfsToolsSetting {
  readonly name: string;
  /** MODULES= of initramfs.conf(5). */
  readonly modules: 'list' | 'netboot';
  /** For MODULES=list: the modules; their dependencies come along. */
  readonly list?: readonly string[];
  /** A line that it writes into the kernel's log just before it hands over to the root's init. */
  readonly lastWords?: string;
}

/** Makes an initramfs with mkinitramfs(8) for a root over NFS; the result is DIRECTORY/NAME.img. */
export function mkinitramfs(
  root: BenchRoot,
  { name, modules, list = [], lastWords }: InitramfsToolsSetting,
  directory: string,
): Measurement {
  const configuration = `${directory}/${name}.conf`;
  mkdirSync(configuration, { recursive: true });
  execFileSync('cp', ['-a', `${root.path}/etc/initramfs-tools/.`, configuration]);
  const settings = readFileSync(`${configuration}/initramfs.conf`, 'utf8').replace(/^MODULES=.*$/m, '');
  writeFileSync(`${configuration}/initramfs.conf`, `${settings}\nMODULES=${modules}\nBOOT=nfs\n`);
  writeFileSync(`${configuration}/modules`, list.map((line) => `${line}\n`).join(''));
  if (lastWords !== undefined) {
    const script = `#!/bin/sh\ntest "$1" = prereqs && echo udev && exit 0\necho '<5>${lastWords}' >/dev/kmsg\n`;
    writeFileSync(`${configuration}/scripts/init-bottom/last-words`, script, { mode: 0o755 });
  }
  const output = `${name}.img`;
  const argv = ['mkinitramfs', '-d', `${INSIDE}/${name}.conf`, '-o', `${INSIDE}/${output}`, root.kernel];
  return measureInRoot(root, argv, directory, output);
}

/** Makes an initramfs with dracut(8), for any machine; the result is DIRECTORY/NAME.img. */
export function dracut(
  root: BenchRoot,
  { name, options }: { readonly name: string; readonly options: readonly string[] },
  directory: string,
): Measurement {
  const output = `${name}.img`;
  const argv = [
    'dracut',
    '--force',
    '--no-hostonly',
    ...options,
    '--kver',
    root.kernel,
    `${INSIDE}/${output}`,
  ];
  return measureInRoot(root, argv, directory, output);
}
