import { ExitCode, MkrootError } from '../../errors.js';
import type { RootImage } from '../../images/root-image.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { BootSubject } from '../../stages/boot-test/prepare-lab-files.js';
import { prepareLabImage } from '../../stages/boot-test/prepare-lab-image.js';
import { requireLabTools, requireShapingTools } from '../../stages/boot-test/require-lab-tools.js';
import { writeStormReport } from '../../stages/boot-test/write-boot-report.js';
import { extrapolate, withPredictions } from '../../vm/judge-storms.js';
import { TFTP } from '../../vm/lab-config.js';
import type { StormPlace } from '../../vm/storm-model.js';
import type { Storm, StormReport, StormTransport } from '../../vm/storm-report.js';
import { chooseMachine } from './choose-machine.js';
import { inLab } from './in-lab.js';
import { knowInitrd } from './know-initrd.js';
import type { LabOptions } from './lab-options.js';
import { runStorm, type StormBoot, type StormLab } from './run-storm.js';
import { chooseTransports, isImage, stormBoot } from './storm-boot.js';

/** Storms, as the command line asks for them. */
export interface StormOptions extends LabOptions {
  /** What the report calls it: a recipe's name or a directory. */
  readonly image: string;
  readonly subject: BootSubject;
  /** All that the initrd can by default. */
  readonly transports?: readonly StormTransport[];
  /** How many nodes at once, one storm after the other. */
  readonly sizes: readonly number[];
  /** Links of the lab, and the processors of this machine. */
  readonly lab: StormPlace;
  /** For which head node it is extrapolated. */
  readonly elsewhere: StormPlace;
  readonly temporaryParent: BytePath;
  /** Path of Node.js, which runs the lab's HTTP server. */
  readonly nodeProgram: string;
}

/**
 * Boots copies of one diskless node at once, by each transport and in each number, and tells what a node costs its servers
 * and network; from that, how long many nodes take elsewhere. A storm that fails is a result, not an error.
 */
export async function stormTest(ports: Ports, options: StormOptions): Promise<StormReport> {
  const { fs } = ports;
  const chosen = chooseMachine(fs, { ...options, root: options.subject.root, network: 'lab' });
  requireLabTools(ports, chosen.type, true);
  requireShapingTools(ports);
  const transports = chooseTransports(fs, options.subject.initrd, options.transports);
  return inLab(
    ports,
    {
      ...options,
      what: 'the storm',
      makeLogs: () => makeLogDirectory(ports, options),
      write: writeStormReport,
    },
    async ({ directory, logs }) => {
      const startedAt = ports.clock.now().toISOString();
      const nic = options.nic ?? chosen.type.nic;
      const { segment } = await knowInitrd(
        ports,
        { subject: options.subject, nic },
        `${directory}/${TFTP.driverSegment}`,
      );
      const subject = { ...options.subject, ...segment };
      const lab: StormLab = { ...options, place: options.lab, chosen, nic };
      const storms: Storm[] = [];
      const accelerators = [...chosen.accelerators];
      const image = transports.some(isImage) ? await makeImage(ports, options, directory) : undefined;
      for (const transport of transports) {
        const boot = stormBoot(transport, subject, image, {
          console: chosen.type.console,
          kernelArguments: options.kernelArguments,
        });
        for (const size of options.sizes) {
          storms.push(await stormOrNext(ports, boot, size, lab, { accelerators, logs }));
        }
      }
      return {
        result: storms.every(({ result }) => result === 'pass') ? 'pass' : 'fail',
        image: options.image,
        startedAt,
        accelerator: accelerators[0]!,
        lab: options.lab,
        storms: withPredictions(storms),
        elsewhere: options.elsewhere,
        extrapolation: extrapolate(storms, options.elsewhere),
      };
    },
  );
}

/** An accelerator under which a guest stays silent is taken off the list, and the storm made again with the next one. */
async function stormOrNext(
  ports: Ports,
  boot: StormBoot,
  size: number,
  lab: StormLab,
  { accelerators, logs }: { readonly accelerators: StormAccelerators; readonly logs: BytePath },
): Promise<Storm> {
  for (;;) {
    const [accelerator, ...others] = accelerators;
    if (accelerator === undefined) {
      throw new MkrootError('Cannot boot: there is no accelerator to try', { exitCode: ExitCode.Internal });
    }
    const outcome = await runStorm(ports, boot, size, lab, {
      accelerator,
      logs: `${logs}/${boot.transport}-${size}`,
    });
    if ('storm' in outcome) return outcome.storm;
    if (others.length === 0) {
      throw new MkrootError(`Cannot boot a storm: ${outcome.silent}`, {
        exitCode: ExitCode.TestFailed,
        details: [`Logs: ${displayPath(logs)}`],
      });
    }
    accelerators.shift();
  }
}

type StormAccelerators = ReturnType<typeof chooseMachine>['accelerators'][number][];

/** The root as one file, packed as well as one that is published: its size is what is measured. */
async function makeImage(
  ports: Ports,
  { subject, signal }: StormOptions,
  directory: BytePath,
): Promise<RootImage> {
  ports.fs.mkdir(`${directory}/image`);
  return prepareLabImage(ports, subject.root, 'squashfs', `${directory}/image`, {
    effort: 'best',
    ...(signal === undefined ? {} : { signal }),
  });
}

function makeLogDirectory({ fs }: Ports, { logsParent }: StormOptions): BytePath {
  fs.mkdir(logsParent);
  return fs.makeTemporaryDirectory(`${logsParent}/storm-`);
}
