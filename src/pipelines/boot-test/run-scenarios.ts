import { ExitCode, MkrootError } from '../../errors.js';
import type { RootImage } from '../../images/root-image.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { prepareLabImage } from '../../stages/prepare-lab-image.js';
import { reserveLabDirectory } from '../../stages/reserve-lab-directory.js';
import type { BootReport } from '../../vm/boot-report.js';
import {
  type ImageTransport,
  type ImageTransportParts,
  imageTransportParts,
} from '../../vm/image-transport.js';
import { LAB_DISK, LAB_DISK_LABEL } from '../../vm/lab-network.js';
import { bootsOf, type Scenario, type ScenarioBoot } from '../../vm/scenario.js';
import { type ScenarioReport, scenarioReport } from '../../vm/scenario-report.js';
import { bootTest } from './boot-test.js';
import type { BootTestOptions } from './boot-test-options.js';

/** Scenarios that a root can be tested by, and for the others which of the files that they need it lacks. */
export interface FittingScenarios {
  readonly fitting: readonly Scenario[];
  readonly leftOut: readonly { readonly name: string; readonly lacks: string }[];
}

/**
 * Leaves out scenarios that are about programs which the root does not have.
 * @param named scenarios that were asked for by name, of which none is left out
 * @throws MkrootError NotFound if one of them needs what the root does not have
 */
export function fittingScenarios(
  fs: ReadFileSystem,
  root: BytePath,
  scenarios: readonly Scenario[],
  named: readonly string[],
): FittingScenarios {
  const inside = new Sysroot(fs, root);
  const judged = scenarios.map((scenario) => ({
    scenario,
    lacks: scenario.needs?.find((path) => inside.resolve(path) === undefined),
  }));
  const leftOut = judged.flatMap(({ scenario: { name }, lacks }) =>
    lacks === undefined ? [] : [{ name, lacks }],
  );
  const wrong = leftOut.find(({ name }) => named.includes(name));
  if (wrong !== undefined) {
    throw new MkrootError(`Cannot run the scenario "${wrong.name}": the root has no ${wrong.lacks}`, {
      exitCode: ExitCode.NotFound,
      hint: `It is about that program: boot an image that has it.`,
    });
  }
  return {
    fitting: judged.flatMap(({ scenario, lacks }) => (lacks === undefined ? [scenario] : [])),
    leftOut,
  };
}

/**
 * Runs scenarios one after the other, each boot in a lab of its own; `onReport` gets each scenario when it has ended. A boot
 * that fails ends its scenario, not the others. With `repeat` each scenario is run so many times in a row. Once an accelerator
 * had to be given up it is not tried again. What outlives a boot, and the root as one file, are in a directory that goes in the end.
 */
export async function runScenarios(
  ports: Ports,
  scenarios: readonly Scenario[],
  options: BootTestOptions & { readonly repeat?: number },
  onReport: (report: ScenarioReport) => void,
): Promise<readonly ScenarioReport[]> {
  const reports: ScenarioReport[] = [];
  const directory = reserveLabDirectory(ports, options.temporaryParent);
  let { accelerator } = options;
  const images = new LabImages(ports, options, `${directory}/image`);
  const { repeat = 1 } = options;
  const rounds = scenarios.flatMap((scenario) =>
    Array.from({ length: repeat }, (_, index) => ({ scenario, round: index + 1 })),
  );
  try {
    for (const { scenario, round } of rounds) {
      const boots: BootReport[] = [];
      const kept = `${directory}/kept-${scenario.name}-${round}`;
      ports.fs.mkdir(kept);
      for (const [index, boot] of bootsOf(scenario).entries()) {
        const turn = repeat === 1 ? '' : ` (${round} of ${repeat})`;
        ports.progress.note(`${scenario.name}${turn}: ${boot.title}`);
        const baseImage = await images.get(boot.transport ?? options.transport);
        await makeLabDisk(ports, `${kept}/${LAB_DISK}`, boot);
        const report = await bootTest(ports, {
          ...options,
          accelerator,
          scenario: boot,
          ...(boot.persistent === undefined && boot.disk === undefined ? {} : { kept }),
          ...(baseImage === undefined ? {} : { baseImage }),
          ...(boot.timeout === undefined ? {} : { timeoutMs: boot.timeout * 1000 }),
          ...(options.report === undefined
            ? {}
            : {
                report: `${options.report}/${scenario.name}-${repeat === 1 ? '' : `${round}-`}${index + 1}`,
              }),
        });
        boots.push(report);
        ({ accelerator } = report);
        if (report.result === 'fail') break;
      }
      const report = scenarioReport(scenario, boots);
      reports.push(report);
      onReport(report);
    }
    return reports;
  } finally {
    ports.fs.remove(directory);
  }
}

/** The root as one file, made at the first boot that wants it. */
class LabImages {
  readonly #made = new Map<ImageTransportParts['format'], RootImage>();

  constructor(
    private readonly ports: Ports,
    private readonly options: Pick<BootTestOptions, 'subject' | 'signal'>,
    private readonly directory: BytePath,
  ) {}

  async get(transport: ImageTransport | undefined): Promise<RootImage | undefined> {
    if (transport === undefined) return undefined;
    const { format } = imageTransportParts(transport);
    const { subject, signal } = this.options;
    this.ports.fs.mkdir(this.directory);
    const image =
      this.#made.get(format) ??
      (await prepareLabImage(
        this.ports,
        subject.root,
        format,
        this.directory,
        signal === undefined ? {} : { signal },
      ));
    this.#made.set(format, image);
    return image;
  }
}

/** An empty ext4, or nothing at all, unless the boot before left something. */
async function makeLabDisk(
  { fs, runner }: Ports,
  path: BytePath,
  { disk, blankDisk = false }: ScenarioBoot,
): Promise<void> {
  if (disk === undefined || fs.lstat(path) !== undefined) return;
  await runner.run({
    argv: blankDisk
      ? ['truncate', `--size=${disk}M`, path]
      : ['mkfs.ext4', '-q', '-F', '-L', LAB_DISK_LABEL, path, `${disk}m`],
  });
}
