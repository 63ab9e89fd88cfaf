import { execFileSync } from 'node:child_process';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import { dracut, mkinitramfs } from './chroot-generators.js';
import { type Contender, interleaved, measure } from './measure.js';
import type { Comparison } from './report.js';

/** What each initramfs must hold to be able to do the job. */
const NEEDED = ['tg3', 'overlay', 'nfsv3'];

/** The initramfs of a diskless node with one kind of NIC, by everybody who can make one. */
export async function benchInitrd(context: BenchContext): Promise<Comparison[]> {
  const { directory } = context;
  const root = context.root();
  const output = `${directory}/mkroot.img`;
  const contenders: Contender[] = [
    {
      name: 'mkroot initrd --nic tg3',
      run: () => {
        const argv = mkrootArgv(
          context,
          ...['initrd', '--root', root.path, '--kernel', root.kernel, '--nic', 'tg3', '--output', output],
        );
        return measure({ argv, output }, directory);
      },
    },
    {
      name: 'initramfs-tools, list',
      remark: 'MODULES=list with tg3, overlay, nfs, nfsv3, nfsv4; BOOT=nfs: the leanest that it can be told',
      run: () =>
        mkinitramfs(
          root,
          { name: 'list', modules: 'list', list: ['tg3', 'overlay', 'nfs', 'nfsv3', 'nfsv4'] },
          directory,
        ),
    },
    {
      name: 'initramfs-tools, netboot',
      remark: 'MODULES=netboot, BOOT=nfs, and overlay: every NIC of the kernel',
      run: () => mkinitramfs(root, { name: 'netboot', modules: 'netboot', list: ['overlay'] }, directory),
    },
    {
      name: 'dracut, minimal',
      remark:
        'only its modules base, nfs, overlayfs, network-legacy and what they need; drivers tg3, overlay, nfs, nfsv3, nfsv4',
      run: () => dracut(root, { name: 'minimal', options: MINIMAL_DRACUT }, directory),
    },
    {
      name: 'dracut, generic NFS',
      remark: '--no-hostonly --add nfs, and the driver overlay: for any machine',
      run: () =>
        dracut(root, { name: 'generic', options: ['--add', 'nfs', '--add-drivers', 'overlay'] }, directory),
    },
  ];
  const results = await interleaved(contenders, { rounds: context.rounds ?? 5, warmUp: 1 });
  for (const name of ['mkroot', 'list', 'netboot', 'minimal', 'generic']) {
    requireModules(context, `${directory}/${name}.img`);
  }
  const [mkroot] = results;
  return [
    {
      title: 'initramfs for NFS, overlay and tg3',
      task: 'from process start to the finished file, on one Debian 13 root, files in the page cache, each tool with its own default compression (zstd).',
      results,
      targets: [
        { what: 'mkroot initrd, time', value: mkroot!.seconds, limit: 0.4, unit: ' s' },
        { what: 'mkroot initrd, peak memory', value: mkroot!.peakKiB / 1024, limit: 150, unit: ' MiB' },
        { what: 'mkroot initrd, size', value: mkroot!.bytes! / 1e6, limit: 3.5, unit: ' MB' },
      ],
    },
  ];
}

const MINIMAL_DRACUT = [
  '--modules',
  'base nfs overlayfs network-legacy',
  '--drivers',
  'tg3 overlay nfs nfsv3 nfsv4',
];

/** Nobody wins by leaving out what was asked for. */
function requireModules(context: BenchContext, initramfs: string): void {
  const [program, ...args] = mkrootArgv(context, 'inspect', initramfs);
  const listing = execFileSync(program!, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const missing = NEEDED.filter((name) => !new RegExp(`/${name}\\.ko(\\.\\w+)?\\b`).test(listing));
  if (missing.length > 0) throw new Error(`${initramfs} lacks the modules ${missing.join(', ')}`);
}
