import type { RootImage } from '../../images/root-image.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { joinSegments } from '../../stages/boot-test/join-segments.js';
import { placeIpxe } from '../../stages/boot-test/place-ipxe.js';
import type { ExpectedNode } from '../../stages/boot-test/place-self-check.js';
import { type LabFiles, prepareLabFiles } from '../../stages/boot-test/prepare-lab-files.js';
import { prepareLabImage } from '../../stages/boot-test/prepare-lab-image.js';
import { type ServiceVerb, startLabServices } from '../../stages/boot-test/start-lab-services.js';
import { imageTransportParts } from '../../vm/image-transport.js';
import { TFTP } from '../../vm/lab-config.js';
import type { LabNamespace } from '../../vm/lab-namespace.js';
import { LAB, LAB_DISK, LAB_DISK_BEFORE } from '../../vm/lab-network.js';
import type { Machine, OtherNic } from '../../vm/qemu-argv.js';
import type { ScenarioBoot } from '../../vm/scenario.js';
import type { BootTest } from './boot-test-machine.js';
import { type KnownInitrd, knowInitrd } from './know-initrd.js';
import { labCommandLine } from './lab-command-line.js';
import { scenarioServers } from './scenario-servers.js';

/** A lab that waits for its node. */
export interface RunningLab {
  readonly directory: BytePath;
  readonly files: LabFiles;
  readonly initrd: KnownInitrd;
  readonly logs: BytePath;
  readonly enter: (argv: readonly string[]) => [string, ...string[]];
  readonly listenToDhcpLog: (listener: ((line: string) => void) | undefined) => void;
  readonly problem: () => string | undefined;
  /** A step of a scenario, such as `nfs stop`. */
  readonly toServers: (step: string) => Promise<void>;
  readonly endServers: () => void;
  readonly direct: Machine['direct'];
}

/** Lays out the files of a lab and starts its servers; in QEMU's own network there are none to start. */
export async function startLab(
  ports: Ports,
  options: BootTest,
  {
    directory,
    logs,
    namespace,
  }: { directory: BytePath; logs: BytePath; namespace: LabNamespace | undefined },
): Promise<RunningLab> {
  const initrd = await knowInitrd(ports, options, `${directory}/${TFTP.driverSegment}`);
  const expected: ExpectedNode = {
    hostname: options.scenario?.hostname ?? LAB.hostname,
    modules: initrd.modules,
    reportPort: options.chosen.type.reportPort,
    shippedFiles: `${options.shippedFiles}/self-check`,
    files: {
      ...options.scenario?.files,
      ...(options.scenario?.persistent === undefined
        ? {}
        : { '/etc/mkroot/persistent': options.scenario.persistent }),
    },
    ...(options.kept === undefined ? {} : { kept: options.kept }),
    ...(options.scenario?.guest === undefined ? {} : { guestScript: options.scenario.guest }),
  };
  const baseImage = await baseImageFor(ports, options, directory);
  const commandLine = labCommandLine(options, baseImage, options.chosen.type.console);
  const httpBoot = options.chosen.firmware === 'uefi-http';
  const biosFiles = prepareLabFiles(
    ports.fs,
    directory,
    {
      ...options.subject,
      ...initrd.segment,
      ...(baseImage === undefined ? {} : { image: directoryOf(baseImage.path) }),
    },
    namespace === undefined ? undefined : expected,
    commandLine,
  );
  const files =
    options.chosen.uefi === undefined
      ? biosFiles
      : placeIpxe(ports.fs, biosFiles, { commandLine, http: httpBoot });
  const fetched =
    options.transport !== undefined && imageTransportParts(options.transport).http ? baseImage : undefined;
  if (fetched !== undefined) {
    const name = fetched.path.slice(fetched.path.lastIndexOf('/'));
    ports.fs.symlink(fetched.path, `${files.tftpRoot}${name}`);
  }
  const overHttp = httpBoot || fetched !== undefined;
  let dhcpListener: ((line: string) => void) | undefined;
  const services =
    namespace === undefined
      ? undefined
      : await startLabServices(ports, namespace, files, {
          logs,
          onDhcpLine: (line) => dhcpListener?.(line),
          furtherTaps: nicsOf(options.scenario).map(({ tap, place }) => ({ device: tap, place })),
          ...scenarioServers(options, overHttp ? files.tftpRoot : undefined),
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        });
  return {
    directory,
    files,
    initrd,
    logs,
    enter: (argv) => namespace?.enter(argv) ?? nonEmpty(argv),
    listenToDhcpLog: (listener) => {
      dhcpListener = listener;
    },
    problem: () => {
      const name = services?.dead();
      return name === undefined ? undefined : `${name}, a server of the lab, ended; see ${logs}/${name}.log`;
    },
    toServers: async (step) => {
      const [name, verb] = step.split(' ') as ['nfs' | 'dhcp' | 'http', ServiceVerb];
      await services?.control(name, verb);
    },
    endServers: () => services?.end(),
    direct: options.chosen.direct
      ? {
          kernel: files.kernel.path,
          initrd: joinSegments(ports.fs, `${directory}/direct.img`, [
            files.initrd,
            ...(files.driverSegment === undefined ? [] : [files.driverSegment]),
          ]),
          commandLine,
        }
      : undefined,
  };
}

/** The root as one file, if the transport wants it: the one that is there, else one that goes with the lab. */
async function baseImageFor(
  ports: Ports,
  { transport, baseImage, subject, signal }: BootTest,
  directory: BytePath,
): Promise<RootImage | undefined> {
  if (transport === undefined) return undefined;
  if (baseImage !== undefined) return baseImage;
  ports.fs.mkdir(`${directory}/image`);
  return prepareLabImage(
    ports,
    subject.root,
    imageTransportParts(transport).format,
    `${directory}/image`,
    signal === undefined ? {} : { signal },
  );
}

function directoryOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The NICs beside the one that the node boots from. */
export function nicsOf(
  scenario: ScenarioBoot | undefined,
): (OtherNic & { readonly place: 'lab' | 'elsewhere' })[] {
  const { nics = ['lab'], bootNic = 1 } = scenario ?? {};
  return nics.flatMap((place, index) =>
    index + 1 === bootNic
      ? []
      : [
          {
            mac: `52:54:00:77:01:0${index + 1}`,
            tap: `other${index + 1}`,
            place,
            slot: index + 1 < bootNic ? ('before' as const) : ('behind' as const),
          },
        ],
  );
}

/**
 * Files of the disks that a scenario's node has, in the order in which it finds them.
 * @param kept directory that lasts through the boots of the scenario
 */
export function disksOf(scenario: ScenarioBoot | undefined, kept: string | undefined): string[] {
  if (kept === undefined) return [];
  return [
    ...(scenario?.diskBefore === undefined ? [] : [`${kept}/${LAB_DISK_BEFORE}`]),
    ...(scenario?.disk === undefined ? [] : [`${kept}/${LAB_DISK}`]),
  ];
}

function nonEmpty(argv: readonly string[]): [string, ...string[]] {
  const [program = '', ...rest] = argv;
  return [program, ...rest];
}
