/**
 * Bytes of a report; a longer one is none. It names each layer of the node: mount(2) takes some 170 of them, with paths of 100 bytes and
 * more. What else initramfs-skel/lib/mkroot/report.sh writes has 2 KiB at most.
 */
export const REPORT_LIMIT = 65_536;

/** Port on which reports are received unless another one is named: unassigned at IANA, below the range of outgoing ports. */
export const REPORT_PORT = 7752;

/** What a node says about its boot. Everything in it is a claim: anybody on the network can send one. */
export interface NodeReport {
  /** Id of the boot, another one after each start of the kernel; empty if the kernel has none. */
  readonly boot: string;
  /** Empty if it does not know its name yet. */
  readonly node: string;
  /** Lower case with colons; 8 bytes, the port's GUID, of an InfiniBand device. */
  readonly mac: string;
  readonly ip: string;
  readonly image: string;
  readonly generation: string;
  readonly firmware: 'bios' | 'uefi';
  /** Seconds since the kernel started. */
  readonly uptime: number;
  /** Of a stage: reached, or something failed in it. Of the whole node: up, or about to go down. */
  readonly state: 'ok' | 'failed' | 'up' | 'down';
  /** With `ok` and `failed`. */
  readonly stage?: { readonly number: number; readonly name: string };
  /** The line that the console shows behind the stage's name; empty for `up` and `down`. */
  readonly detail: string;
  /** Where the base and the layers come from, as /run/mkroot/boot has it; empty before they are mounted. */
  readonly base: string;
  readonly layers: string;
}

/** What each field may hold. */
const FIELDS: Readonly<Record<string, RegExp>> = {
  'mkroot-report': /^1$/,
  boot: /^([0-9a-f-]{36})?$/,
  node: /^([A-Za-z0-9][A-Za-z0-9.-]{0,63})?$/,
  mac: /^[0-9a-f]{2}(:[0-9a-f]{2}){5}((:[0-9a-f]{2}){2})?$/,
  ip: /^\d{1,3}(\.\d{1,3}){3}$/,
  image: /^[A-Za-z0-9._+-]{0,64}$/,
  generation: /^[A-Za-z0-9._+-]{0,64}$/,
  firmware: /^(bios|uefi)$/,
  uptime: /^\d{1,9}(\.\d{1,3})?$/,
  stage: /^\d{2}$/,
  name: /^[a-z-]{1,20}$/,
  state: /^(ok|failed|up|down)$/,
  detail: /^/,
  base: /^/,
  layers: /^/,
};

const STATES: Readonly<Record<string, NodeReport['state']>> = {
  ok: 'ok',
  failed: 'failed',
  up: 'up',
  down: 'down',
};

/**
 * Reads a report: lines KEY=VALUE of printable ASCII, in any order, each key once; keys of later versions are left out.
 * Undefined for anything else: what comes from the network is never an error.
 */
export function parseNodeReport(bytes: Uint8Array): NodeReport | undefined {
  if (bytes.length > REPORT_LIMIT) return undefined;
  const text = Buffer.from(bytes).toString('latin1').replace(/\n$/, '');
  if (!/^[ -~\n]*$/.test(text)) return undefined;
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(0, equals));
    const value = line.slice(equals + 1);
    if (equals < 0 || values.has(key)) return undefined;
    if (Object.hasOwn(FIELDS, key) && !FIELDS[key]!.test(value)) return undefined;
    values.set(key, value);
  }
  const field = (key: string) => values.get(key) ?? '';
  const state = STATES[field('state')];
  const isStage = state === 'ok' || state === 'failed';
  const needed = ['mkroot-report', 'mac', 'ip', 'firmware', 'uptime', ...(isStage ? ['stage', 'name'] : [])];
  if (state === undefined || needed.some((key) => !values.has(key))) return undefined;
  return {
    boot: field('boot'),
    node: field('node'),
    mac: field('mac'),
    ip: field('ip'),
    image: field('image'),
    generation: field('generation'),
    firmware: field('firmware') === 'uefi' ? 'uefi' : 'bios',
    uptime: Number(field('uptime')),
    state,
    ...(isStage ? { stage: { number: Number(field('stage')), name: field('name') } } : {}),
    detail: field('detail'),
    base: field('base'),
    layers: field('layers'),
  };
}

/**
 * What a node runs on, as `mkroot gc` reads it in STATE/booted/NODE: lines KEY=VALUE like those of the node's own
 * /run/mkroot/boot. Undefined as long as it has not mounted its base.
 */
export function bootedFacts(report: NodeReport): string | undefined {
  if (report.base === '') return undefined;
  const { boot, image, generation, mac, ip, node, base, layers } = report;
  const facts = { boot, image, generation, mac, ip, hostname: node, base, layers };
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
