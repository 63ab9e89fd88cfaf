import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { hostPorts } from '../../src/cli/host-ports.js';
import { chooseMachine } from '../../src/pipelines/boot-test/choose-machine.js';
import { runStorm, type StormBoot, type StormLab } from '../../src/pipelines/boot-test/run-storm.js';
import { stormBoot } from '../../src/pipelines/boot-test/storm-boot.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import type { Ports } from '../../src/ports/ports.js';
import { Sysroot } from '../../src/rootfs/sysroot.js';
import { placeSelfCheck } from '../../src/stages/place-self-check.js';
import { prepareLabImage } from '../../src/stages/prepare-lab-image.js';
import { costOf, requestsOf } from '../../src/vm/judge-storms.js';
import { LAB } from '../../src/vm/lab-network.js';
import type { Storm } from '../../src/vm/storm-report.js';
import { SilentProgress } from '../support/silent-progress.js';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import { dracut, mkinitramfs } from './chroot-generators.js';
import { type Contender, interleaved, measure } from './measure.js';
import type { Comparison } from './report.js';

/** Mbit/s of the node's link: narrow enough that bytes cost time, as in a cluster where many share an uplink. */
const LIMIT = 100;

const TIMEOUT_MS = 900_000;

/** As in the comparison of initramfs. */
const DRACUT = ['--add', 'nfs', '--add-drivers', 'overlay'];

/**
 * The same root from power-on to multi-user, over a link of a fixed width: by every transport of mkroot, and by the
 * initramfs of initramfs-tools and dracut. What counts are bytes and requests, which no load of this machine changes.
 */
export async function benchStorm(context: BenchContext): Promise<Comparison[]> {
  const ports: Ports = { ...hostPorts(), progress: new SilentProgress() };
  const boots = await makeBoots(ports, context);
  const [root] = boots.map(({ subject }) => subject.root);
  const chosen = chooseMachine(ports.fs, {
    image: 'bench',
    root: root!,
    network: 'lab',
    accelerator: 'tcg',
    hostArchitecture: 'amd64',
  });
  const lab: StormLab = {
    place: { uplinkMbit: LIMIT, nodeMbit: LIMIT, serverCpus: 2 },
    chosen,
    nic: chosen.type.nic,
    memory: 1024,
    timeoutMs: TIMEOUT_MS,
    shippedFiles: toBytePath(`${context.repository}/qemu`),
    nodeProgram: process.execPath,
    temporaryParent: toBytePath(context.directory),
  };
  const seen = new Map<string, Storm>();
  const results = await interleaved(
    boots.map(
      (boot): Contender => ({
        name: boot.transport,
        run: async () => {
          const logs = toBytePath(`${context.directory}/${boot.transport.replaceAll(/\W+/g, '-')}`);
          const outcome = await runStorm(ports, boot, 1, lab, { accelerator: 'tcg', logs });
          if (!('storm' in outcome)) throw new Error(`${boot.transport}: ${outcome.silent}`);
          const { storm } = outcome;
          if (storm.seconds === undefined) throw new Error(`${boot.transport}: ${storm.reason}`);
          seen.set(boot.transport, storm);
          const { seconds, bytes, serverCpuSeconds } = costOf(storm);
          return { seconds, bytes, cpuSeconds: serverCpuSeconds, peakKiB: 0 };
        },
      }),
    ),
    { rounds: context.rounds ?? 3 },
  );
  return [
    {
      title: 'boot from power-on to multi-user',
      task: `one virtual machine (QEMU, TCG) over a link of ${LIMIT} Mbit/s each way, the same Debian root; the size is what went to the node on the wire, the processor time that of all servers.`,
      results: results.map((result) => ({ ...result, remark: remarkOf(seen.get(result.name)) })),
      targets: [],
    },
  ];
}

function remarkOf(storm: Storm | undefined): string {
  if (storm === undefined) return '';
  const [node] = storm.nodes;
  const frames = (node?.framesToNode ?? 0) + (node?.framesFromNode ?? 0);
  const phases = (node?.phases ?? []).map(
    ({ phase, bytesToNode }) => `${phase} ${(bytesToNode / 1e6).toFixed(1)} MB`,
  );
  return `${requestsOf(storm).toFixed(0)} requests over NFS and HTTP, ${frames} frames; ${phases.join(', ')}`;
}

async function makeBoots(ports: Ports, context: BenchContext): Promise<StormBoot[]> {
  const { directory } = context;
  const root = context.root();
  // The others have no layer that could bring the unit which reports what was counted, so it lies in the root of all.
  const copy = toBytePath(`${directory}/generation/root`);
  mkdirSync(`${directory}/generation`);
  execFileSync('cp', ['-a', '--reflink=auto', root.path, copy]);
  const shippedFiles = toBytePath(`${context.repository}/qemu/storm`);
  placeSelfCheck(ports.fs, copy, [new Sysroot(ports.fs, copy)], ['base'], {
    hostname: LAB.hostname,
    modules: [],
    reportPort: '/dev/ttyS1',
    shippedFiles,
  });
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
  const image = await prepareLabImage(ports, copy, toBytePath(`${directory}/generation`), undefined, 'best');
  const how = { console: 'ttyS0,115200', kernelArguments: [] };
  const foreign = (name: string, file: string, words: string): StormBoot => ({
    transport: name,
    subject: { ...subject, initrd: toBytePath(`${directory}/${file}`) },
    commandLine: `console=ttyS0,115200 panic=1 ip=dhcp ${words}`,
  });
  return [
    ...(['nfs-3', 'nfs-4.1', 'squashfs-nfs', 'squashfs-http'] as const).map((transport) => {
      const boot = stormBoot(transport, subject, image, how);
      return { ...boot, transport: `mkroot, ${transport}` };
    }),
    foreign(
      'initramfs-tools, netboot',
      'netboot.img',
      `root=/dev/nfs ro nfsroot=${LAB.server}:/base,vers=3,tcp,nolock`,
    ),
    foreign(
      'dracut, generic NFS',
      'dracut.img',
      `root=nfs:${LAB.server}:/base:ro,vers=3,nolock rd.neednet=1`,
    ),
  ];
}
