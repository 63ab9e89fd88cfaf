/** One thing that the self-check looked at inside the guest. */
export interface SelfCheck {
  readonly name: string;
  readonly passed: boolean;
  /** What was found, or what is wrong. */
  readonly detail: string;
}

/** What came over the second serial port so far. */
export interface SelfCheckReport {
  /** The check has started, which it does at multi-user. */
  readonly begun: boolean;
  /** Nothing more will come. */
  readonly ended: boolean;
  readonly checks: readonly SelfCheck[];
}

/**
 * Reads the report of qemu/self-check/self-check.sh: `name=pass detail`, `name=fail detail`, between `begin=` and `end=`.
 * A last line without its newline is still on the way and left out. Other lines are noise of the port.
 */
export function parseSelfCheckReport(text: string): SelfCheckReport {
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\r$/, ''));
  return {
    begun: lines.some((line) => line.startsWith('begin=')),
    ended: lines.some((line) => line.startsWith('end=')),
    checks: lines.flatMap((line) => {
      const match = /^([\w.-]+)=(pass|fail)(?: (.*))?$/.exec(line);
      if (match === null) return [];
      const [, name = '', verdict, detail = ''] = match;
      return [{ name, passed: verdict === 'pass', detail: detail.trim() }];
    }),
  };
}

/** Names of the checks that a node must have reported; without one of them there is no pass. */
export function selfCheckNames(modules: readonly string[]): string[] {
  return [
    'root-is-overlay',
    'layers-in-order',
    'base-is-read-only',
    'writing-works',
    'hostname',
    'no-failed-units',
    ...modules.map((module) => `module-${module}`),
  ];
}

/**
 * Names of the checks that a node of a cluster test must have reported.
 * @param clusterLayers how many layers it shares with others
 * @param persistent directories that outlive its reboots
 */
export function clusterCheckNames(clusterLayers: number, persistent: readonly string[]): string[] {
  const cluster = Array.from({ length: clusterLayers }, (_, index) =>
    index === 0 ? 'layer-cluster' : `layer-cluster-${index + 1}`,
  );
  return [
    ...selfCheckNames([]),
    'layer-base',
    ...cluster,
    'layer-host',
    'ssh-host-keys',
    'machine-id',
    ...persistent.map((path) => `persistent${path.replaceAll('/', '-')}`),
  ];
}
