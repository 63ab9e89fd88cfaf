import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { hostNetwork } from '../cli/host-network.js';
import { requireRoot } from '../cli/require-root.js';
import { toBytePath } from '../ports/byte-path.js';
import { shellQuote } from '../ports/process-runner.js';

/** `mkroot serve`: the whole head node in the foreground. */
export default class Serve extends BaseCommand {
  static override summary = 'Serve what was published: DHCP, TFTP, HTTP and NFS, in the foreground';

  static override description =
    'Starts the real servers with the configuration that mkroot publish has written, keeps them running and ends them all on Ctrl-C. Needs dnsmasq, and an NFS server: the one of the kernel, or nfs-ganesha. See docs/serve.md.';

  static override examples = [
    '<%= config.bin %> serve --interface br0',
    '<%= config.bin %> serve --interface br0 --json',
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
    json: Flags.boolean({ description: 'say what happens as lines of JSON', helpGroup: 'GLOBAL' }),
    site: BaseCommand.siteFlag,
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Serve);
    requireRoot('serve', 'ports below 1024, mounts');
    process.umask(0o022);
    const ports = { ...this.ports({ verbose: flags.verbose }), network: hostNetwork() };
    const [{ serveSite }, { eventText }] = await Promise.all([
      import('../pipelines/serve-site.js'),
      import('../serving/serve-event.js'),
    ]);
    await serveSite(ports, {
      state: toBytePath(resolve(flags.state)),
      interfaces: flags.interface ?? [],
      ...(flags.nfs === undefined ? {} : { nfs: flags.nfs }),
      ...(flags['http-port'] === undefined ? {} : { httpPort: flags['http-port'] }),
      pid: process.pid,
      command: shellQuote(['mkroot', 'serve', ...this.argv]),
      signal: this.interrupted,
      onEvent: (event) => {
        const at = ports.clock.now().toISOString();
        process.stdout.write(
          flags.json ? `${JSON.stringify({ at, ...event })}\n` : `${at.slice(11, 19)} ${eventText(event)}\n`,
        );
      },
    });
  }
}
