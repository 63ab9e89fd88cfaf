import { MkrootError } from '../errors.js';

/** What units of a head node are made from. Programs and paths are absolute. */
export interface UnitOptions {
  /** argv that starts mkroot. */
  readonly mkroot: readonly string[];
  /** Directory with generations and what was published. */
  readonly state: string;
  readonly dnsmasq: string;
  /** dnsmasq keeps the rights of root: others may not enter the directories of the boot files. */
  readonly dnsmasqAsRoot: boolean;
  readonly nfs: NfsUnit;
  readonly systemctl: string;
}

/** Which server answers NFS, and the program that starts it or tells it of exports. */
export type NfsUnit =
  | { readonly server: 'kernel' | 'ganesha'; readonly program: string }
  | { readonly server: 'none' };

type UnitFile = readonly [name: string, text: string];

/** By server, its service and the file whose change it has to be told of, below STATE/netboot/etc. */
const NFS = {
  kernel: { service: 'mkroot-exports.service', file: 'exports' },
  ganesha: { service: 'mkroot-ganesha.service', file: 'ganesha/ganesha.conf' },
} as const;

/** Where exports of the kernel's server are linked to; exports(5). */
const EXPORTS_LINK = '/etc/exports.d/mkroot.exports';

/**
 * systemd units (systemd.unit(5)) for a head node in production, by file name: DHCP and TFTP, NFS, mkroot's own part (HTTP and
 * reports), what tells servers of a publish, and a target that wants them all.
 * @throws MkrootError for a path that no unit can hold.
 */
export function systemdUnits(options: UnitOptions): ReadonlyMap<string, string> {
  const { state, systemctl, nfs } = options;
  const etc = `${state}/netboot/etc`;
  const served: readonly UnitFile[] = [
    dnsmasqUnit(options, etc),
    [
      'mkroot-http.service',
      service('Boot files over HTTP, and reports of diskless nodes', [
        `ExecStart=${command([...options.mkroot, 'serve', '--dhcp', 'none', '--nfs', 'none', '--state', state])}`,
      ]),
    ],
    ...(nfs.server === 'none' ? [] : [nfsUnit(nfs.server, nfs.program, etc)]),
  ];
  const followed: readonly UnitFile[] = [
    ...changeUnits('mkroot-dnsmasq-changed', `${etc}/dnsmasq.conf`, [
      ...[systemctl, 'try-restart', 'mkroot-dnsmasq.service'],
    ]),
    ...(nfs.server === 'none'
      ? []
      : changeUnits('mkroot-nfs-changed', `${etc}/${NFS[nfs.server].file}`, [
          ...[systemctl, 'try-reload-or-restart', NFS[nfs.server].service],
        ])),
  ];
  const wanted = [...served, ...followed]
    .map(([name]) => name)
    .filter((name) => !name.endsWith('-changed.service'))
    .sort();
  const target = `[Unit]\nDescription=Head node of a diskless cluster\nWants=${wanted.join(' ')}\n\n[Install]\nWantedBy=multi-user.target\n`;
  return new Map<string, string>([['mkroot-head.target', target], ...served, ...followed]);
}

function dnsmasqUnit({ dnsmasq, dnsmasqAsRoot }: UnitOptions, etc: string): UnitFile {
  const argv = [
    ...[dnsmasq, '--keep-in-foreground', `--conf-file=${etc}/dnsmasq.conf`],
    ...['--dhcp-leasefile=/var/lib/mkroot-dnsmasq/leases', '--pid-file=', '--log-facility=-'],
    ...(dnsmasqAsRoot ? ['--user=root'] : []),
  ];
  return [
    'mkroot-dnsmasq.service',
    service('DHCP and TFTP for diskless nodes', [
      `ExecStart=${command(argv)}`,
      'StateDirectory=mkroot-dnsmasq',
    ]),
  ];
}

function nfsUnit(server: 'kernel' | 'ganesha', program: string, etc: string): UnitFile {
  const { service: name, file } = NFS[server];
  const configuration = `${etc}/${file}`;
  if (server === 'ganesha') {
    return [
      name,
      service(
        'NFS for diskless nodes',
        [
          'RuntimeDirectory=ganesha',
          'StateDirectory=nfs/ganesha',
          `ExecStart=${command([program, '-F', '-f', configuration, '-L', 'STDOUT', '-p', '/run/ganesha/mkroot.pid'])}`,
          'ExecReload=/bin/kill -HUP $MAINPID',
          'LimitNOFILE=1048576',
        ],
        ['Requires=rpcbind.service', 'After=rpcbind.service'],
      ),
    ];
  }
  return [
    name,
    `[Unit]
Description=NFS exports for diskless nodes
PartOf=mkroot-head.target
Requires=nfs-server.service
After=nfs-server.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mkdir -p /etc/exports.d
ExecStart=${command(['/bin/ln', '-sfn', configuration, EXPORTS_LINK])}
ExecStart=${command([program, '-ra'])}
ExecReload=${command([program, '-ra'])}
ExecStop=${command(['/bin/rm', '-f', EXPORTS_LINK])}
ExecStop=${command([program, '-ra'])}
`,
  ];
}

/** A path unit that watches a file, and the service that it starts; systemd.path(5) sees a file that is renamed to the name. */
function changeUnits(name: string, file: string, argv: readonly string[]): readonly UnitFile[] {
  return [
    [
      `${name}.path`,
      `[Unit]\nDescription=Watch ${escaped(file)}\nPartOf=mkroot-head.target\n\n[Path]\nPathChanged=${escaped(file)}\n`,
    ],
    [
      `${name}.service`,
      `[Unit]\nDescription=Tell a server of what was published\n\n[Service]\nType=oneshot\nExecStart=${command(argv)}\n`,
    ],
  ];
}

function service(description: string, lines: readonly string[], unitLines: readonly string[] = []): string {
  return `[Unit]
Description=${description}
PartOf=mkroot-head.target
Wants=network-online.target
After=network-online.target
${unitLines.map((line) => `${line}\n`).join('')}
[Service]
${lines.join('\n')}
Restart=always
RestartSec=2
`;
}

/** A command line: words in quotes where they need some, specifiers and variables escaped; systemd.service(5), "Command lines". */
function command(argv: readonly string[]): string {
  return argv
    .map((word) => {
      const text = escaped(word).replaceAll('$', '$$$$');
      return /^[\w@+=:,./%$-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
    })
    .join(' ');
}

function escaped(text: string): string {
  if (/[\\\x00-\x1f\x7f]/.test(text)) {
    throw new MkrootError(
      `Cannot write "${text}" to a systemd unit: it holds a backslash or a control character`,
    );
  }
  return text.replaceAll('%', '%%');
}
