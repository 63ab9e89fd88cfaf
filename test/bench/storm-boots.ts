import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import type { StormBoot } from '../../src/pipelines/boot-test/run-storm.js';
import { stormBoot } from '../../src/pipelines/boot-test/storm-boot.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import type { Ports } from '../../src/ports/ports.js';
import { Sysroot } from '../../src/rootfs/sysroot.js';
import { placeSelfCheck } from '../../src/stages/boot-test/place-self-check.js';
import { prepareLabImage } from '../../src/stages/boot-test/prepare-lab-image.js';
import { LAB } from '../../src/vm/lab-network.js';
import { WITHOUT_IDLE_MODULES } from '../support/idle-modules.js';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import type { BenchRoot } from './bench-root.js';
import { dracut, mkinitramfs } from './chroot-generators.js';
import { measure } from './measure.js';

/** The transports of mkroot that are compared; NFS 4.2 is on the wire what 4.1 is. */
export const COMPARED = ['nfs-3', 'nfs-4.1', 'squashfs-nfs', 'squashfs-http'] as const;

/** What mkroot's boots are called, by their transport. */
export function nameOf(transport: (typeof COMPARED)[number]): string {
  return `mkroot, ${transport}`;
}

/** As in the comparison of initramfs. */
const DRACUT = ['--add', 'nfs', '--add-drivers', 'overlay'];

/** The lab’s NFS server has no UDP, which mount.nfs would try first to find mountd. */
const OVER_TCP = 'vers=3,nolock,proto=tcp,mountproto=tcp';

/** The same root, booted by every transport of mkroot, and by the initramfs of initramfs-tools and dracut over NFS 3. */
export async function stormBoots(ports: Ports, context: BenchContext): Promise<readonly StormBoot[]> {
  const { directory } = context;
  const root = context.root();
  const copy = copyOfRoot(ports, context, root);
  const initrd = toBytePath(`${directory}/mkroot.img`);
  const wanted = ['--nic', 'e1000', '--transport', 'squashfs-http', '--output', initrd];
  measure(
    { argv: mkrootArgv(context, 'initrd', '--root', root.path, '--kernel', root.kernel, ...wanted) },
    directory,
  );
  mkinitramfs(root, { name: 'netboot', modules: 'netboot', list: ['overlay'] }, directory);
  dracut(root, { name: 'dracut', options: DRACUT }, directory);
  // dracut lets nobody else read it, and dnsmasq serves as root what everybody may read.
  chmodSync(`${directory}/dracut.img`, 0o644);
  const kernel = toBytePath(`${root.path}/boot/vmlinuz-${root.kernel}`);
  const subject = { root: copy, kernel, initrd };
  const image = await prepareLabImage(ports, copy, 'squashfs', toBytePath(`${directory}/generation`), {
    effort: 'best',
  });
  const how = { console: 'ttyS0,115200', kernelArguments: [WITHOUT_IDLE_MODULES] };
  const foreign = (name: string, file: string, words: string): StormBoot => ({
    transport: name,
    subject: { ...subject, initrd: toBytePath(`${directory}/${file}`) },
    commandLine: `console=ttyS0,115200 panic=1 ip=dhcp ${words} ${WITHOUT_IDLE_MODULES}`,
  });
  return [
    ...COMPARED.map((transport) => ({
      ...stormBoot(transport, subject, image, how),
      transport: nameOf(transport),
    })),
    foreign(
      'initramfs-tools, netboot',
      'netboot.img',
      `root=/dev/nfs ro nfsroot=${LAB.server}:/base,vers=3,tcp,nolock`,
    ),
    foreign('dracut, generic NFS', 'dracut.img', `root=nfs:${LAB.server}:/base:ro,${OVER_TCP} rd.neednet=1`),
  ];
}

/**
 * What is exported and packed: the root without the initramfs that its own kernel package made, which no root of mkroot has,
 * and with the unit that reports what was counted, for which the others have no layer.
 */
function copyOfRoot(ports: Ports, { directory, repository }: BenchContext, root: BenchRoot) {
  const copy = toBytePath(`${directory}/generation/root`);
  mkdirSync(`${directory}/generation`);
  execFileSync('cp', ['-a', '--reflink=auto', root.path, copy]);
  for (const name of readdirSync(`${copy}/boot`).filter((one) => one.startsWith('initrd.img'))) {
    rmSync(`${copy}/boot/${name}`);
  }
  placeSelfCheck(ports.fs, copy, [new Sysroot(ports.fs, copy)], ['base'], {
    hostname: LAB.hostname,
    modules: [],
    reportPort: '/dev/ttyS1',
    shippedFiles: toBytePath(`${repository}/qemu/storm`),
  });
  return copy;
}
