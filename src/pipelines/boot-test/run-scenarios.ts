import { ExitCode, MkrootError } from '../../errors.js';
import type { RootImage } from '../../images/root-image.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { prepareLabImage } from '../../stages/boot-test/prepare-lab-image.js';
import { reserveLabDirectory } from '../../stages/boot-test/reserve-lab-directory.js';
import type { BootReport } from '../../vm/boot-report.js';
import {
  type ImageTransport,
  type ImageTransportParts,
  imageTransportParts,
} from '../../vm/image-transport.js';
import { LAB_DISK, LAB_DISK_BEFORE, LAB_DISK_LABEL } from '../../vm/lab-network.js';
import { bootsOf, type Scenario, type ScenarioBoot } from '../../vm/scenario.js';
import { type ScenarioReport, scenarioReport } from '../../vm/scenario-report.js';
import { atOnce } from './at-once.js';
import { bootTest } from './boot-test.js';
import type { BootTestOptions } from './boot-test-options.js';
import { namedProgress } from './named-progress.js';

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

/** Scenarios, as the command line asks for them. */
export interface RunScenariosOptions extends BootTestOptions {
  /** Each so many times. */
  readonly repeat: number;
  /** So many at the same time, rounds of one counted. */
  readonly jobs: number;
  /** Of this machine. */
  readonly processors: number;
}

/** One run of a scenario. */
interface Round {
  readonly scenario: Scenario;
  /** Counted from 1. */
  readonly round: number;
}

/** What the boots of a run share. */
interface Shared {
  readonly ports: Ports;
  readonly options: RunScenariosOptions;
  readonly directory: BytePath;
  readonly images: LabImages;
  /** Once one had to be given up it is not tried again. */
  accelerator: BootTestOptions['accelerator'];
}

/**
 * Runs scenarios, several at the same time, each boot in a lab of its own; `onReport` gets each when it has ended, and what comes back is in
 * the order of the scenarios, each with its rounds. A boot that fails ends its scenario, not the others. With several at the same time
 * the longest are begun first, lines of progress name their scenario, and where they are more than processors each boot has as much more
 * time as it has less of a processor. What outlives a boot, and the root as one file, are in a directory that goes in the end.
 */
export async function runScenarios(
  ports: Ports,
  scenarios: readonly Scenario[],
  options: RunScenariosOptions,
  onReport: (report: ScenarioReport) => void,
): Promise<readonly ScenarioReport[]> {
  const { repeat, jobs, signal } = options;
  const directory = reserveLabDirectory(ports, options.temporaryParent);
  const shared: Shared = {
    ports,
    options,
    directory,
    images: new LabImages(ports, options.subject, `${directory}/image`),
    accelerator: options.accelerator,
  };
  const rounds: Round[] = scenarios.flatMap((scenario) =>
    Array.from({ length: repeat }, (_, index) => ({ scenario, round: index + 1 })),
  );
  const begun = jobs === 1 ? rounds : longestFirst(rounds, options.timeoutMs / 1000);
  try {
    const reports = await atOnce(begun, { what: 'the scenarios', jobs, signal }, async (round, stop) => {
      const report = await runRound(shared, round, stop);
      ports.progress.aside(() => onReport(report));
      return report;
    });
    return rounds.map((round) => reports[begun.indexOf(round)]!);
  } finally {
    ports.fs.remove(directory);
  }
}

/** How long one takes is not known; that it may take long is, from its limit. */
function longestFirst(rounds: readonly Round[], usualSeconds: number): Round[] {
  const most = ({ scenario }: Round) =>
    bootsOf(scenario).reduce((sum, { timeout = usualSeconds }) => sum + timeout, 0);
  return [...rounds].sort((a, b) => most(b) - most(a));
}

async function runRound(
  shared: Shared,
  { scenario, round }: Round,
  signal: AbortSignal,
): Promise<ScenarioReport> {
  const { options, directory, images } = shared;
  const { repeat, jobs, processors } = options;
  const turn = repeat === 1 ? '' : ` (${round} of ${repeat})`;
  const { progress } = shared.ports;
  const ports = {
    ...shared.ports,
    progress: jobs === 1 ? progress : namedProgress(progress, `${scenario.name}${turn}`),
  };
  const kept = `${directory}/kept-${scenario.name}-${round}`;
  ports.fs.mkdir(kept);
  const boots: BootReport[] = [];
  for (const [index, boot] of bootsOf(scenario).entries()) {
    progress.note(`${scenario.name}${turn}: ${boot.title}`);
    const baseImage = await images.get(boot.transport ?? options.transport, signal);
    await makeLabDisk(ports, `${kept}/${LAB_DISK}`, boot);
    if (boot.diskBefore !== undefined) {
      await makeLabDisk(ports, `${kept}/${LAB_DISK_BEFORE}`, { disk: boot.diskBefore, blankDisk: true });
    }
    const report = await bootTest(ports, {
      ...options,
      signal,
      accelerator: shared.accelerator,
      scenario: boot,
      ...((boot.persistent ?? boot.disk ?? boot.diskBefore) === undefined ? {} : { kept }),
      ...(baseImage === undefined ? {} : { baseImage }),
      timeoutMs:
        (boot.timeout === undefined ? options.timeoutMs : boot.timeout * 1000) *
        Math.max(1, jobs / processors),
      ...(options.report === undefined
        ? {}
        : { report: `${options.report}/${scenario.name}-${repeat === 1 ? '' : `${round}-`}${index + 1}` }),
    });
    boots.push(report);
    if (report.fallback !== undefined) shared.accelerator = report.accelerator;
    if (report.result === 'fail') break;
  }
  return scenarioReport(scenario, boots);
}

/** The root as one file, made at the first boot that wants it; others that want it meanwhile wait. */
class LabImages {
  readonly #made = new Map<ImageTransportParts['format'], Promise<RootImage>>();

  constructor(
    private readonly ports: Ports,
    private readonly subject: BootTestOptions['subject'],
    private readonly directory: BytePath,
  ) {}

  async get(transport: ImageTransport | undefined, signal: AbortSignal): Promise<RootImage | undefined> {
    if (transport === undefined) return undefined;
    const { format } = imageTransportParts(transport);
    this.ports.fs.mkdir(this.directory);
    const image =
      this.#made.get(format) ??
      prepareLabImage(this.ports, this.subject.root, format, this.directory, { signal });
    this.#made.set(format, image);
    return image;
  }
}

/** An empty ext4, or nothing at all, unless the boot before left something. */
async function makeLabDisk(
  { fs, runner }: Ports,
  path: BytePath,
  { disk, blankDisk = false }: Pick<ScenarioBoot, 'disk' | 'blankDisk'>,
): Promise<void> {
  if (disk === undefined || fs.lstat(path) !== undefined) return;
  await runner.run({
    argv: blankDisk
      ? ['truncate', `--size=${disk}M`, path]
      : ['mkfs.ext4', '-q', '-F', '-L', LAB_DISK_LABEL, path, `${disk}m`],
  });
}
