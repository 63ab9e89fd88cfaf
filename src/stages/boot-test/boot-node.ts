import { parseStageLine } from '../../netboot/boot-stages.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { silenceOf } from '../../vm/accelerator.js';
import { plainConsoleLine } from '../../vm/console-text.js';
import {
  type BootEvent,
  DhcpLogReader,
  eventFromConsole,
  type Milestone,
  type ServedFiles,
} from '../../vm/milestones.js';
import { BOOT_NETWORK, type Machine, MONITOR_SWITCH, qemuArgv } from '../../vm/qemu-argv.js';
import { parseSelfCheckReport, type SelfCheck, type SelfCheckReport } from '../../vm/self-check-report.js';
import { Timeline } from '../../vm/timeline.js';

/** How often the machine is looked at between the lines that it prints. */
const POLL_MS = 100;

/** After a failure, how long to wait for what the node still has to say about it. */
const LAST_WORDS_MS = 1_500;

/** How long QEMU may take to end after the kernel has said "Power down". */
const POWER_OFF_MS = 20_000;

/** Lines of the console that are kept for the error message. */
const CONSOLE_TAIL = 25;

/** How one boot went. */
export interface BootAttempt {
  readonly timeline: Timeline;
  readonly selfCheck: SelfCheckReport;
  /** Why the boot was given up, in words; undefined if its goal was reached and the machine ended by itself. */
  readonly problem: string | undefined;
  /** The guest never came to its kernel, which another accelerator may mend. */
  readonly silent: boolean;
  /** The last lines of the console, without escape sequences. */
  readonly consoleTail: readonly string[];
  /** Milliseconds from power-on to the end, whatever that was. */
  readonly endedMs: number;
}

/** Whoever says what is done to a machine while it runs. */
export interface Director {
  /** Hears a line of the console. */
  line(text: string): void;
  /** Hears a line of the DHCP server's log. */
  dhcpLine?(text: string): void;
  /** What is to be done now, if anything; asking counts as doing it. */
  due(nowMs: number, checks: readonly SelfCheck[]): string | undefined;
  /** All that is expected was seen. */
  readonly complete: boolean;
}

/** What is done to a boot from outside. */
export interface Direction {
  readonly director: Director;
  /**
   * How the boot is to end: at its last milestone; by the machine resetting itself; when all that is expected was seen. On the way to
   * the latter two a failure that the node tells is none.
   */
  readonly end: 'milestone' | 'reset' | 'seen';
  /** Does a step to the servers, such as `nfs stop`. */
  readonly toServers: (step: string) => Promise<void>;
}

/** What boots, and what is watched. */
export interface BootNodeOptions {
  readonly machine: Machine;
  /** Puts the command into the lab's namespaces. */
  readonly enter: (argv: readonly string[]) => [string, ...string[]];
  readonly served: ServedFiles;
  /** Milestones up to the goal; the machine is stopped when the last one is reached, unless that is its power-off. */
  readonly milestones: readonly Milestone[];
  /** Milliseconds for the whole boot. */
  readonly timeoutMs: number;
  /** File for the console. */
  readonly consoleLog: BytePath;
  /** Hands over the function that wants the lines of dnsmasq's log while this machine runs. */
  readonly listenToDhcpLog: (listener: ((line: string) => void) | undefined) => void;
  /** A reason outside the machine for which waiting is pointless, such as a server that ended. */
  readonly labProblem: () => string | undefined;
  /** A milestone's title or what the node complains about, and when. */
  readonly onNews: (what: string, atMs: number) => void;
  /** Each milestone as it is reached, the first time. */
  readonly onReached?: (milestone: Milestone, atMs: number) => void;
  readonly direction?: Direction;
  readonly signal?: AbortSignal;
}

/** Switches a machine on and watches it until it reaches its goal, gives up, falls silent or runs out of time. */
export async function bootNode(ports: Ports, options: BootNodeOptions): Promise<BootAttempt> {
  const { runner, fs, clock } = ports;
  const { machine, milestones, served, direction, signal } = options;
  const timeline = new Timeline(milestones);
  const consoleTail: string[] = [];
  const dhcpLog = new DhcpLogReader(served);
  fs.remove(machine.secondSerial);
  fs.writeFile(options.consoleLog, '');

  const started = clock.monotonicMs();
  const now = () => clock.monotonicMs() - started;
  const note = (event: BootEvent | undefined) => {
    if (event === undefined || !timeline.add(event, now()) || event.kind === 'failure') return;
    if (event.kind === 'trouble') {
      options.onNews(event.detail, now());
      return;
    }
    const milestone = milestones.find(({ id }) => id === event.id);
    if (milestone === undefined) return;
    options.onReached?.(milestone, now());
    options.onNews(milestone.title, now());
  };

  const qemu = await runner.start({
    argv: options.enter(qemuArgv(machine)),
    logFile: options.consoleLog,
    ...(machine.monitor ? { input: 'pipe' as const } : {}),
    onLine: (line) => {
      direction?.director.line(line);
      const text = plainConsoleLine(line);
      if (text.trim() !== '') consoleTail.push(text.trimEnd());
      if (consoleTail.length > CONSOLE_TAIL) consoleTail.shift();
      note(eventFromConsole(line, served, parseStageLine));
    },
  });
  options.listenToDhcpLog((line) => {
    direction?.director.dhcpLine?.(line);
    note(dhcpLog.read(line));
  });
  let exit: { code: number | undefined; stderr: string } | undefined;
  const exited = qemu.exited.then(({ exitCode, stderr }) => {
    exit = { code: exitCode, stderr };
  });

  const end = direction?.end ?? 'milestone';
  // A machine that is to reset itself has no last milestone: its end is that QEMU ends.
  const goal = end === 'milestone' ? milestones.at(-1)?.id : undefined;
  let problem: string | undefined;
  let silent = false;
  try {
    for (let failedAt: number | undefined; ; ) {
      eventsFromSelfCheck(readSelfCheck(ports, machine.secondSerial)).forEach(note);
      if (direction !== undefined) {
        const { checks } = readSelfCheck(ports, machine.secondSerial);
        const step = direction.director.due(now(), checks);
        if (step !== undefined) {
          options.onNews(step, now());
          const command = monitorCommand(step, machine);
          if (command === undefined) await direction.toServers(step);
          else qemu.write(`${MONITOR_SWITCH}${command}\n${MONITOR_SWITCH}`);
        }
      }
      if (exit !== undefined) {
        problem =
          end === 'reset' && exit.code === 0 && !timeline.has('power-off')
            ? undefined
            : problemOfEnd(timeline, goal, exit);
        silent = exit.code !== 0 && !timeline.has('firmware-dhcp');
        break;
      }
      if (goal !== 'power-off' && goal !== undefined && timeline.has(goal)) break;
      if (end === 'seen' && direction?.director.complete) break;
      failedAt ??= timeline.failure === undefined ? undefined : now();
      if (failedAt !== undefined && end === 'milestone' && now() - failedAt > LAST_WORDS_MS) {
        problem = timeline.failure;
        break;
      }
      problem = options.labProblem() ?? outOfTime(timeline, now(), options.timeoutMs);
      if (problem !== undefined) break;
      if (machine.accelerator === 'kvm') {
        problem = silenceOf({
          nowMs: now(),
          firmwareAtMs: timeline.at('firmware-dhcp'),
          initrdAtMs: machine.direct === undefined ? timeline.at('tftp-initrd') : 0,
          kernelAtMs: timeline.at('kernel'),
        });
        silent = problem !== undefined;
        if (silent) break;
      }
      await Promise.race([clock.sleep(POLL_MS, signal), exited]);
    }
  } finally {
    options.listenToDhcpLog(undefined);
    if (exit === undefined) qemu.kill('SIGKILL');
    await exited;
  }
  const selfCheck = readSelfCheck(ports, machine.secondSerial);
  return { timeline, selfCheck, problem, silent, consoleTail, endedMs: now() };
}

/** Steps that QEMU's monitor does, by its commands; `quit` ends the machine without the guest noticing. */
const MONITOR_COMMANDS: Readonly<Record<string, string>> = {
  'press power': 'system_powerdown',
  'cut power': 'quit',
  'press ctrl-alt-delete': 'sendkey ctrl-alt-delete',
};

/** A step that is done by QEMU's monitor, as its command; undefined for one that is done to the servers. */
function monitorCommand(step: string, { otherNics = [] }: Machine): string | undefined {
  const link = /^link (\d) (up|down)$/.exec(step);
  if (link === null) return MONITOR_COMMANDS[step];
  const before = otherNics.filter(({ slot }) => slot === 'before').map(({ tap }) => tap);
  const behind = otherNics.filter(({ slot }) => slot === 'behind').map(({ tap }) => tap);
  const network = [...before, BOOT_NETWORK, ...behind][Number(link[1]) - 1] ?? BOOT_NETWORK;
  return `set_link ${network} ${link[2] === 'up' ? 'on' : 'off'}`;
}

function readSelfCheck({ fs }: Ports, path: BytePath): SelfCheckReport {
  const text = fs.lstat(path) === undefined ? '' : Buffer.from(fs.readFile(path)).toString('utf8');
  return parseSelfCheckReport(text);
}

/** Milestones that the report of the self-check stands for: it starts at multi-user. */
function eventsFromSelfCheck({ begun, ended, checks }: SelfCheckReport): BootEvent[] {
  const passed = checks.filter((check) => check.passed).length;
  return [
    ...(begun ? [{ kind: 'milestone', id: 'multi-user', detail: '' } as const] : []),
    ...(ended
      ? [{ kind: 'milestone', id: 'self-check', detail: `${passed} of ${checks.length} pass` } as const]
      : []),
  ];
}

function outOfTime(timeline: Timeline, nowMs: number, timeoutMs: number): string | undefined {
  const poweredOff = timeline.at('power-off');
  if (poweredOff !== undefined && nowMs - poweredOff > POWER_OFF_MS) {
    return `the machine still ran ${POWER_OFF_MS / 1000} s after its kernel said "Power down"`;
  }
  if (nowMs <= timeoutMs) return undefined;
  const trouble = timeline.trouble === undefined ? '' : `; ${timeline.trouble}`;
  return `it did not come within ${Math.round(timeoutMs / 1000)} s${trouble}`;
}

function problemOfEnd(
  timeline: Timeline,
  goal: string | undefined,
  { code, stderr }: { code: number | undefined; stderr: string },
): string | undefined {
  if (timeline.failure !== undefined) return timeline.failure;
  if (code !== 0) {
    const how = code === undefined ? 'was ended by a signal' : `ended with exit code ${code}`;
    return `QEMU ${how}: ${
      stderr
        .trim()
        .replace(/^qemu-system-\w+: /, '')
        .split('\n')[0]
    }`;
  }
  return goal !== undefined && timeline.has(goal)
    ? undefined
    : 'the machine reset itself or was switched off';
}
