import { availableParallelism, tmpdir } from 'node:os';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { STORM_FLAGS, stormSizes } from '../cli/storm-flags.js';
import { bootTransport, stormTransports, TRANSPORT_FLAGS } from '../cli/transport-flag.js';
import { ExitCode, MkrootError } from '../errors.js';
import { imageNameOf } from '../images/image-name.js';
import { lastBuiltImage } from '../images/image-store.js';
import { bootTest } from '../pipelines/boot-test/boot-test.js';
import type { BootTestOptions } from '../pipelines/boot-test/boot-test-options.js';
import type { ClusterTestOptions } from '../pipelines/boot-test/cluster-test-options.js';
import type { StormOptions } from '../pipelines/boot-test/storm-test.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { Ports } from '../ports/ports.js';
import { architectureOfHost } from '../recipe/debian-architecture.js';
import type { BootSubject } from '../stages/boot-test/prepare-lab-files.js';
import { findPublishedImage } from '../stages/publish/find-published-image.js';
import type { AcceleratorChoice } from '../vm/accelerator.js';
import type { BootReport } from '../vm/boot-report.js';
import { bootSummary } from '../vm/boot-summary.js';
import type { ClusterReport } from '../vm/cluster-report.js';
import type { EmulatedNic } from '../vm/emulated-nic.js';
import { BOOT_FIRMWARE } from '../vm/firmware.js';
import type { ScenarioReport } from '../vm/scenario-report.js';
import type { StormReport } from '../vm/storm-report.js';

/** The directory qemu/ of the package: lab files that travel into the node. */
const SHIPPED_FILES = fileURLToPath(new URL('../../qemu', import.meta.url));

/** The program that this command is run by. */
const EXECUTABLE = fileURLToPath(new URL('../../bin/mkroot.js', import.meta.url));

/** Options that are about one image, not about nodes that are published. */
const WITHOUT_NODES = ['root', 'kernel', 'initrd', 'driver-segment', 'nic', 'scenario'] as const;

/** Seconds from power-on to power-off, of one node and of several that share the processors. */
const [TIMEOUT, TIMEOUT_OF_SEVERAL] = [300, 900] as const;

/** `mkroot qemu-test`: boots an image over PXE in a virtual machine and tells how it went. */
export default class QemuTest extends BaseCommand {
  static override summary = 'Boot an image over PXE in QEMU and check the node from inside';

  static override description = `
The lab has its own network, mount and process namespaces: a bridge with DHCP, TFTP and NFS servers, and a diskless PC whose
firmware (iPXE) loads PXELINUX, the published kernel and the published initrd. Nothing of it touches the host's network or
stays behind. See docs/qemu-test.md.`;

  /** Made from the flags it would be one line of all of them, with gaps where some need or exclude others. */
  static override usage = [
    '<%= command.id %> [RECIPE] [--scenario NAME... [--repeat N] [--jobs N]] [OPTION...]',
    '<%= command.id %> --root DIR --kernel FILE --initrd FILE [OPTION...]',
    '<%= command.id %> --nodes NUMBER|NAMES [--group NAME,...] [--during COMMAND...] [OPTION...]',
    '<%= command.id %> [RECIPE] --storm N,... [OPTION...]',
  ];

  static override examples = [
    '<%= config.bin %> <%= command.id %> compute',
    '<%= config.bin %> <%= command.id %> compute --report ./boot-report',
    '<%= config.bin %> <%= command.id %> --root ./root --kernel ./vmlinuz --initrd ./initrd.img',
    '<%= config.bin %> <%= command.id %> compute --net user',
    '<%= config.bin %> <%= command.id %> compute --scenario all',
    '<%= config.bin %> <%= command.id %> --nodes 4 --group compute,storage',
    '<%= config.bin %> <%= command.id %> compute --storm 2,4,8 --uplink 10000',
  ];

  static override args = {
    recipe: Args.string({
      description: 'image that `mkroot build` made, by the name of its recipe; the last one by default',
    }),
  };

  static override flags = {
    state: BaseCommand.stateFlag,
    root: Flags.string({
      description: 'root directory to boot instead of a built image',
      helpValue: 'DIR',
      dependsOn: ['kernel', 'initrd'],
    }),
    kernel: Flags.string({ description: 'kernel to boot instead of the image’s', helpValue: 'FILE' }),
    initrd: Flags.string({ description: 'initrd to boot instead of the image’s', helpValue: 'FILE' }),
    'driver-segment': Flags.string({
      description: 'cpio segment with the emulated NIC’s driver, loaded after the initrd',
      helpValue: 'FILE',
    }),
    nic: Flags.string({
      description:
        'module that the initrd must have and the root must load; default: what the initrd was made for',
      helpValue: 'MODULE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    net: Flags.option({
      options: ['lab', 'user'] as const,
      description: 'lab: everything, as root; user: DHCP, TFTP and /init only, without privileges',
      default: 'lab' as const,
    })(),
    accel: Flags.option({
      options: ['auto', 'kvm', 'tcg'] as const,
      description: 'auto: KVM, and TCG if the guest stays silent under KVM',
      default: 'auto' as const,
    })(),
    'emulated-nic': Flags.option({
      options: ['e1000', 'virtio_net'] as const,
      description: 'NIC of the virtual machine; default: e1000, for arm64 virtio_net',
    })(),
    ...TRANSPORT_FLAGS,
    memory: Flags.integer({ description: 'memory of the node in MiB', default: 1024, min: 128 }),
    cpus: Flags.integer({ description: 'processors of the node; 2 with KVM, 1 without by default', min: 1 }),
    timeout: Flags.integer({
      description: 'seconds from power-on to power-off; 300 by default, with --nodes 900',
      min: 1,
      helpValue: 'SECONDS',
    }),
    append: Flags.string({
      description: 'further words for the kernel’s command line',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'WORD',
    }),
    report: Flags.string({
      description: 'directory for logs, timeline.json and report.html',
      helpValue: 'DIR',
    }),
    scenario: Flags.string({
      description: 'run this scenario of qemu/scenarios, or all, instead of a plain boot',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    nodes: Flags.string({
      description: 'boot this many nodes of the site at once, or these (n[001-003]), from what is published',
      helpValue: 'NUMBER|NAMES',
      exclusive: [...WITHOUT_NODES],
    }),
    group: Flags.string({
      description: 'groups that the nodes are taken from, evenly; all by default',
      helpValue: 'NAME,',
      delimiter: ',',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['nodes'],
    }),
    firmware: Flags.option({
      options: BOOT_FIRMWARE,
      description:
        'what the machine boots by: bios by default; uefi-http: UEFI HTTP boot; of nodes: as nodes.yaml says, else bios',
      exclusive: ['storm'],
    })(),
    during: Flags.string({
      description:
        'shell command that is run once all nodes are up; then they boot again; may be repeated (see docs/qemu-test.md)',
      helpValue: 'COMMAND',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['nodes'],
    }),
    'write-state': Flags.boolean({
      description: 'what nodes report and keep goes to STATE itself, as with real nodes, not to a copy',
      dependsOn: ['nodes'],
    }),
    ...STORM_FLAGS,
    site: BaseCommand.siteFlag,
    repeat: Flags.integer({
      description: 'run each scenario so many times, and tell how long their ends took',
      dependsOn: ['scenario'],
      min: 1,
      helpValue: 'N',
    }),
    jobs: Flags.integer({
      description: 'run so many scenarios at the same time; half the processors by default',
      dependsOn: ['scenario'],
      min: 1,
      helpValue: 'N',
    }),
    keep: Flags.boolean({ description: 'keep the lab’s files and logs after a success too' }),
  };

  async run(): Promise<BootReport | ClusterReport | StormReport | readonly ScenarioReport[]> {
    const { args, flags } = await this.parse(QemuTest);
    const ports = this.ports({ verbose: flags.verbose });
    const state = toBytePath(resolve(flags.state));
    if (flags.nodes !== undefined) {
      if (args.recipe !== undefined || flags.net === 'user') {
        const what = args.recipe ?? '--net user';
        throw new MkrootError(`Cannot boot "${what}" with --nodes: nodes boot what is published for them`, {
          exitCode: ExitCode.Usage,
        });
      }
      if (flags.firmware === 'uefi-http') {
        throw new MkrootError('Cannot boot nodes by uefi-http: what they boot by is bios or uefi', {
          exitCode: ExitCode.Usage,
          hint: 'A single image can: leave --nodes out.',
        });
      }
      return this.#cluster(ports, state, flags.site, {
        nodes: flags.nodes,
        groups: flags.group ?? [],
        ...(flags.firmware === undefined ? {} : { firmware: flags.firmware }),
        accelerator: flags.accel,
        hostArchitecture: architectureOfHost(process.arch),
        ...(flags['emulated-nic'] === undefined ? {} : { nic: flags['emulated-nic'] }),
        memory: flags.memory,
        ...(flags.cpus === undefined ? {} : { cpus: flags.cpus }),
        timeoutMs: (flags.timeout ?? TIMEOUT_OF_SEVERAL) * 1000,
        kernelArguments: flags.append ?? [],
        during: flags.during ?? [],
        writeState: flags['write-state'],
        ...(flags.report === undefined ? {} : { report: toBytePath(resolve(flags.report)) }),
        keep: flags.keep,
        logsParent: `${state}/boot-tests`,
        shippedFiles: toBytePath(SHIPPED_FILES),
        mkroot: [process.execPath, EXECUTABLE],
        signal: this.interrupted,
      });
    }
    // Before an image is looked for, which is no use to a storm that cannot be.
    const sizes = flags.storm === undefined ? undefined : stormSizes(flags.storm);
    if (sizes !== undefined && flags.net === 'user') {
      throw new MkrootError('Cannot boot a storm with --net user: QEMU’s own network has one node', {
        exitCode: ExitCode.Usage,
      });
    }
    const { image, subject } = this.#subject(ports.fs, state, args.recipe, flags);
    const options: BootTestOptions = {
      image,
      subject,
      ...(flags.nic === undefined ? {} : { modules: flags.nic }),
      network: flags.net,
      accelerator: flags.accel satisfies AcceleratorChoice,
      hostArchitecture: architectureOfHost(process.arch),
      ...(flags['emulated-nic'] === undefined ? {} : { nic: flags['emulated-nic'] satisfies EmulatedNic }),
      ...(flags.storm === undefined
        ? bootTransport(flags.transport ?? [], flags.nfsvers)
        : { nfsVersion: '3' }),
      ...(flags.firmware === undefined ? {} : { firmware: flags.firmware }),
      memory: flags.memory,
      nodeProgram: process.execPath,
      ...(flags.cpus === undefined ? {} : { cpus: flags.cpus }),
      timeoutMs: (flags.timeout ?? TIMEOUT) * 1000,
      ...(flags.report === undefined ? {} : { report: toBytePath(resolve(flags.report)) }),
      keep: flags.keep,
      logsParent: `${state}/boot-tests`,
      temporaryParent: toBytePath(tmpdir()),
      shippedFiles: toBytePath(SHIPPED_FILES),
      kernelArguments: flags.append ?? [],
      signal: this.interrupted,
    };
    if (sizes !== undefined) {
      const serverCpus = availableParallelism();
      return this.#storms(ports, {
        ...options,
        nodeProgram: process.execPath,
        ...(flags.transport === undefined ? {} : { transports: stormTransports(flags.transport) }),
        sizes,
        lab: {
          uplinkMbit: flags['lab-uplink'],
          nodeMbit: flags['node-limit'],
          serverCpus,
          emulatorCpus: serverCpus,
        },
        elsewhere: {
          uplinkMbit: flags.uplink,
          nodeMbit: flags['node-limit'],
          serverCpus: flags['server-cpus'],
        },
        timeoutMs: (flags.timeout ?? TIMEOUT_OF_SEVERAL) * 1000,
      });
    }
    if (flags.scenario !== undefined) return this.#scenarios(ports, options, flags.scenario, flags);
    const report = await bootTest(ports, options);
    for (const line of bootSummary(report)) this.log(line);
    if (report.result === 'fail') process.exitCode = ExitCode.TestFailed;
    return report;
  }

  async #cluster(
    ports: Ports,
    state: string,
    site: string,
    options: ClusterTestOptions,
  ): Promise<ClusterReport> {
    const [{ openSite }, { openComposer }, { clusterTest }, { clusterSummary }] = await Promise.all([
      import('../cli/site.js'),
      import('../pipelines/layers/open-composer.js'),
      import('../pipelines/boot-test/cluster-test.js'),
      import('../vm/cluster-summary.js'),
    ]);
    const composer = openComposer(ports.fs, openSite(ports.fs, site), state);
    const report = await clusterTest(ports, composer, options);
    for (const line of clusterSummary(report, process.stdout.columns || undefined)) this.log(line);
    if (report.result === 'fail') process.exitCode = ExitCode.TestFailed;
    return report;
  }

  async #storms(ports: Ports, options: StormOptions): Promise<StormReport> {
    const [{ stormTest }, { stormSummary }] = await Promise.all([
      import('../pipelines/boot-test/storm-test.js'),
      import('../vm/storm-summary.js'),
    ]);
    const report = await stormTest(ports, options);
    for (const line of stormSummary(report)) this.log(line);
    if (report.result === 'fail') process.exitCode = ExitCode.TestFailed;
    return report;
  }

  async #scenarios(
    ports: Ports,
    options: BootTestOptions,
    names: readonly string[],
    { repeat = 1, jobs: wantedJobs }: { repeat?: number | undefined; jobs?: number | undefined },
  ): Promise<readonly ScenarioReport[]> {
    const [
      { loadScenarios },
      { fittingScenarios, runScenarios },
      { scenarioJobs },
      { bootsOf },
      { repeatSummary, scenarioSummary },
    ] = await Promise.all([
      import('../vm/load-scenarios.js'),
      import('../pipelines/boot-test/run-scenarios.js'),
      import('../pipelines/boot-test/scenario-jobs.js'),
      import('../vm/scenario.js'),
      import('../vm/scenario-report.js'),
    ]);
    const scenarios = loadScenarios(ports.fs, `${options.shippedFiles}/scenarios`, names);
    const { fitting, leftOut } = fittingScenarios(ports.fs, options.subject.root, scenarios, names);
    for (const { name, lacks } of leftOut) {
      ports.progress.note(`${name}: left out, for the root has no ${lacks}`);
    }
    const processors = availableParallelism();
    const memory = Math.max(options.memory, ...fitting.flatMap(bootsOf).map((boot) => boot.memory ?? 0));
    const jobs = scenarioJobs(ports, { jobs: wantedJobs, processors, memory });
    const how = { ...options, repeat, jobs, processors };
    const reports = await runScenarios(ports, fitting, how, (report) => {
      for (const line of scenarioSummary(report)) this.log(line);
    });
    if (repeat > 1) for (const line of repeatSummary(reports)) this.log(line);
    const failed = reports.filter(({ result }) => result === 'fail');
    this.log(`${reports.length - failed.length} of ${reports.length} scenarios pass`);
    if (failed.length > 0) process.exitCode = ExitCode.TestFailed;
    return reports;
  }

  #subject(
    fs: FileSystem,
    state: string,
    recipe: string | undefined,
    flags: {
      root: string | undefined;
      kernel: string | undefined;
      initrd: string | undefined;
      'driver-segment': string | undefined;
    },
  ): { image: string; subject: BootSubject } {
    const given = (path: string | undefined) => (path === undefined ? undefined : toBytePath(resolve(path)));
    const segment = given(flags['driver-segment']);
    const driverSegment = segment === undefined ? {} : { driverSegment: segment };
    const [root, kernel, initrd] = [given(flags.root), given(flags.kernel), given(flags.initrd)];
    if (root !== undefined && kernel !== undefined && initrd !== undefined) {
      if (recipe !== undefined) {
        throw new MkrootError(`Cannot boot "${recipe}" and --root at once`, { exitCode: ExitCode.Usage });
      }
      return { image: basename(root), subject: { root, kernel, initrd, ...driverSegment } };
    }
    const image = recipe === undefined ? lastBuiltImage(fs, state) : imageNameOf(recipe);
    if (image === undefined) {
      throw new MkrootError(
        `Cannot make a boot test: no image was named, and none was built in ${displayPath(state)}`,
        {
          exitCode: ExitCode.Usage,
          hint: 'Build one first: mkroot build compute. Or boot any root: mkroot qemu-test --root DIR --kernel FILE --initrd FILE',
        },
      );
    }
    const published = findPublishedImage(fs, state, image);
    return {
      image,
      subject: {
        root: published.root,
        kernel: kernel ?? published.kernel,
        initrd: initrd ?? published.initrd,
        ...driverSegment,
      },
    };
  }
}
