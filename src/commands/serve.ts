import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { hostNetwork } from '../cli/host-network.js';
import { LiveScreen } from '../cli/live-screen.js';
import { requireRoot } from '../cli/require-root.js';
import { openSite } from '../cli/site.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** Lines below the table that say what happened last. */
const NEWS_LINES = 5;

/** `mkroot serve`: the whole head node in the foreground. */
export default class Serve extends BaseCommand {
  static override summary = 'Serve what was published: DHCP, TFTP, HTTP and NFS, in the foreground';

  static override description =
    'Starts the real servers with the configuration that mkroot publish has written, keeps them running and ends them all on Ctrl-C. Needs dnsmasq, and an NFS server: the one of the kernel, or nfs-ganesha. See docs/serve.md.';

  static override examples = [
    '<%= config.bin %> serve --interface br0',
    '<%= config.bin %> serve --interface br0 --json',
    '<%= config.bin %> serve --print-units /etc/systemd/system',
  ];

  // Not oclif's own --json, which is for one result at the end.
  static override enableJsonFlag = false;

  static override flags = {
    interface: Flags.string({
      description:
        'interface on which DHCP is answered; may be repeated; by default those that were published',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    dhcp: Flags.option({
      description: 'who answers DHCP and TFTP: dnsmasq, started by mkroot, or none if somebody else does',
      options: ['dnsmasq', 'none'] as const,
      default: 'dnsmasq' as const,
    })(),
    nfs: Flags.option({
      description:
        "NFS server: the kernel's where there is one, else nfs-ganesha; none if somebody else serves NFS",
      options: ['kernel', 'ganesha', 'none'] as const,
    })(),
    'http-port': Flags.integer({
      description: 'port for files over HTTP; by default that of the published URL, else 8080',
      min: 1,
      max: 65_535,
      helpValue: 'PORT',
    }),
    'force-dhcp': Flags.boolean({
      description: 'answer DHCP although another server does; without it nobody else may',
    }),
    'print-units': Flags.string({
      description: 'write systemd units that do the same into this directory, and serve nothing',
      helpValue: 'DIR',
    }),
    json: Flags.boolean({ description: 'say what happens as lines of JSON', helpGroup: 'GLOBAL' }),
    site: BaseCommand.siteFlag,
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Serve);
    const unitDirectory = flags['print-units'];
    if (unitDirectory !== undefined) {
      const { writeUnits } = await import('../pipelines/serve/write-units.js');
      const written = await writeUnits(this.ports(), {
        state: toBytePath(resolve(flags.state)),
        directory: toBytePath(resolve(unitDirectory)),
        ...(flags.nfs === undefined ? {} : { nfs: flags.nfs }),
        mkroot: [process.execPath, resolve(process.argv[1] ?? '')],
      });
      for (const path of written) this.log(displayPath(path));
      return;
    }
    requireRoot('serve', 'ports below 1024, mounts');
    process.umask(0o022);
    const ports = { ...this.ports({ verbose: flags.verbose }), network: hostNetwork() };
    const [{ serveSite }, { eventText }, { newsLines }, { boardText }] = await Promise.all([
      import('../pipelines/serve/serve-site.js'),
      import('../serving/serve-event.js'),
      import('../serving/node-table.js'),
      import('../pipelines/serve/status-text.js'),
    ]);
    const screen = process.stdout.isTTY && !flags.json ? new LiveScreen(process.stdout) : undefined;
    const news: string[] = [];
    try {
      await serveSite(ports, {
        state: toBytePath(resolve(flags.state)),
        site: openSite(ports.fs, flags.site),
        interfaces: flags.interface ?? [],
        dhcp: flags.dhcp === 'dnsmasq',
        ...(flags.nfs === undefined ? {} : { nfs: flags.nfs }),
        ...(flags['http-port'] === undefined ? {} : { httpPort: flags['http-port'] }),
        forceDhcp: flags['force-dhcp'],
        ...this.worker,
        onEvent: (event) => {
          const at = ports.clock.now().toISOString();
          const line = `${at.slice(11, 19)} ${eventText(event)}`;
          news.push(line);
          if (news.length > NEWS_LINES) news.shift();
          if (flags.json) process.stdout.write(`${JSON.stringify({ at, ...event })}\n`);
          else if (screen?.isOpen !== true) process.stdout.write(`${line}\n`);
        },
        onView: ({ nodes, unknown }) => {
          if (screen === undefined) return;
          const { columns, lines } = screen;
          const last = newsLines(news, { columns, lines });
          const size = { columns, lines: lines - last.length - 1, now: ports.clock.now() };
          screen.draw([...boardText(nodes, unknown, size), '', ...last]);
        },
      });
    } finally {
      screen?.close();
    }
  }
}
