/** What went over a device since it was made, by the device's own count. */
export interface Traffic {
  /** From the head node's side to the node. */
  readonly bytesToNode: number;
  readonly framesToNode: number;
  readonly bytesFromNode: number;
  readonly framesFromNode: number;
}

/** A process and the processor time that it has used. */
export interface ProcessTime {
  readonly pid: number;
  /** Its name, as the kernel has it: at most 15 bytes. */
  readonly name: string;
  /** User and system time of all of its threads. */
  readonly cpuSeconds: number;
}

/** USER_HZ: the unit of times in /proc/PID/stat on every architecture that Linux runs on here. */
const TICKS_PER_SECOND = 100;

/**
 * Reads /proc/PID/net/dev (proc(5)): traffic by the device's name. What a tap device transmits is what the node receives.
 */
export function parseNetDev(text: string): ReadonlyMap<string, Traffic> {
  const found = new Map<string, Traffic>();
  for (const line of text.split('\n')) {
    const match = /^\s*([^\s:]+):\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, name = '', rest = ''] = match;
    const fields = rest.trim().split(/\s+/).map(Number);
    if (fields.length < 16 || fields.some((field) => !Number.isFinite(field))) continue;
    found.set(name, {
      bytesFromNode: fields[0]!,
      framesFromNode: fields[1]!,
      bytesToNode: fields[8]!,
      framesToNode: fields[9]!,
    });
  }
  return found;
}

/** Reads /proc/PID/stat (proc(5)); the name may have blanks and brackets in it. Undefined if it is no such line. */
export function parseProcessStat(text: string): ProcessTime | undefined {
  const match = /^(\d+) \((.*)\) \S (.*)$/s.exec(text.trimEnd());
  if (match === null) return undefined;
  const [, pid, name = '', rest = ''] = match;
  // Fields 14 and 15 of the line are utime and stime; `rest` starts with the fourth.
  const fields = rest.split(' ').map(Number);
  const [user, system] = [fields[10], fields[11]];
  if (user === undefined || system === undefined) return undefined;
  if (!Number.isFinite(user) || !Number.isFinite(system)) return undefined;
  return { pid: Number(pid), name, cpuSeconds: (user + system) / TICKS_PER_SECOND };
}
