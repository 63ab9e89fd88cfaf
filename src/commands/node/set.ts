import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import { ExitCode, MkrootError } from '../../errors.js';

/** `mkroot node set`: changes what a node boots in nodes.yaml, or its MAC address where that stands, and nothing else there. */
export default class NodeSet extends BaseCommand {
  static override summary = 'Change what a node boots, or its MAC address, and nothing else';

  static override description =
    "The value goes into the node's own entry, or into `overrides` for one of a range. A MAC address is changed where it stands, in nodes.yaml or its CSV file. Comments and everything else stay as they are.";

  static override examples = [
    '<%= config.bin %> node set n017 --image compute-bookworm',
    "<%= config.bin %> node set 'n[001-004]' --boot memtest",
    '<%= config.bin %> node set n017 --variable rack=r7',
    '<%= config.bin %> node set n017 --mac 52:54:00:12:34:56 --firmware uefi',
  ];

  static override args = {
    node: Args.string({ required: true, description: "name of a node, or several in ClusterShell's syntax" }),
  };

  static override flags = {
    site: BaseCommand.siteFlag,
    image: Flags.string({ description: 'image to boot', helpValue: 'IMAGE' }),
    generation: Flags.string({
      description: 'generation of the image to stay on, or current to follow what was built last',
      helpValue: 'ID',
    }),
    kernel: Flags.string({
      description: 'kernel of the image to boot: a release, or a glob such as 6.12.*',
      helpValue: 'RELEASE',
    }),
    boot: Flags.string({ description: 'what to boot: image, local or memtest', helpValue: 'WHAT' }),
    firmware: Flags.string({ description: 'bios or uefi', helpValue: 'FIRMWARE' }),
    'serial-console': Flags.string({ description: 'serial line, such as ttyS0,115200', helpValue: 'LINE' }),
    mac: Flags.string({
      description: 'MAC address of one node, as after a swap of its board',
      helpValue: 'MAC',
    }),
    variable: Flags.string({
      description: 'variable for templates; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(NodeSet);
    const values = [
      ...Object.entries({
        image: flags.image,
        generation: flags.generation,
        kernel: flags.kernel,
        boot: flags.boot,
        firmware: flags.firmware,
        serialConsole: flags['serial-console'],
      }).flatMap(([field, value]) => (value === undefined ? [] : [{ field, value }])),
      ...(flags.variable ?? []).map((text) => {
        const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
        if (name === undefined || value === undefined) {
          throw new MkrootError(`Cannot set the variable "${text}": it is not of the form NAME=VALUE`, {
            exitCode: ExitCode.Usage,
          });
        }
        return { field: `variables.${name}`, value };
      }),
    ];
    if (values.length === 0 && flags.mac === undefined) {
      throw new MkrootError(`Cannot change ${args.node}: no value is given`, {
        exitCode: ExitCode.Usage,
        hint: 'Say what to change, for example: --image NAME',
      });
    }
    const ports = this.ports({ verbose: flags.verbose });
    const [{ setNode }, { withSiteLock }] = await Promise.all([
      import('../../inventory/set-node.js'),
      import('../../pipelines/site/site-lock.js'),
    ]);
    const site = openSite(ports.fs, flags.site);
    const { changed, entry } = await withSiteLock(ports, site, this.interrupted, () =>
      setNode(ports.fs, site, args.node, {
        values,
        ...(flags.mac === undefined ? {} : { mac: flags.mac }),
      }),
    );
    this.log(
      changed.length === 0
        ? `${args.node} was so already`
        : `${changed.length === 1 ? changed[0] : `${changed.length} nodes`} changed, in ${entry}`,
    );
    return { changed, entry };
  }
}
