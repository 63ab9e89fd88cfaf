import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { requireRoot } from '../../cli/require-root.js';
import { openSite } from '../../cli/site.js';
import { displayPath, toBytePath } from '../../ports/byte-path.js';

/** `mkroot node create NAME`: a node in nodes.yaml, and its host layer. */
export default class NodeCreate extends BaseCommand {
  static override summary = 'Add a node to nodes.yaml and make its host layer';

  static override description =
    'Without --ip it gets the next free address behind those of its group. Comments and everything else in nodes.yaml stay as they are. Nothing is added to it if the node does not fit, or if its host layer cannot be made (--no-layer).';

  static override examples = [
    '<%= config.bin %> node create n129 --group compute --mac 52:54:00:12:34:56',
    "<%= config.bin %> node create 'n[129-132]' --group compute",
    '<%= config.bin %> node create s005 --group storage --ip 10.1.2.5 --no-layer',
  ];

  static override args = {
    node: Args.string({
      required: true,
      description: "name of the node, or several in ClusterShell's syntax",
    }),
  };

  static override flags = {
    state: BaseCommand.stateFlag,
    site: BaseCommand.siteFlag,
    group: Flags.string({ description: 'its group; not needed if there is only one', helpValue: 'GROUP' }),
    ip: Flags.string({ description: 'its address, or that of the first', helpValue: 'ADDRESS' }),
    network: Flags.string({ description: 'network to take a free address of', helpValue: 'NAME' }),
    mac: Flags.string({
      description: 'its MAC address; for several nodes one each, in their order',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'MAC',
    }),
    image: Flags.string({ description: 'image to boot, if not that of its group', helpValue: 'IMAGE' }),
    layer: Flags.boolean({
      description: 'make the host layer at once; otherwise the next publish does',
      default: true,
      allowNo: true,
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(NodeCreate);
    if (flags.layer) {
      requireRoot('make host layers', 'owners and keys', 'Run it with sudo, or with --no-layer.');
    }
    const ports = this.ports({ verbose: flags.verbose });
    const [{ createNodes }, { findingLines }] = await Promise.all([
      import('../../pipelines/layers/create-node.js'),
      import('../../pipelines/layers/layer-findings.js'),
    ]);
    const created = await createNodes(
      ports,
      {
        site: openSite(ports.fs, flags.site),
        state: toBytePath(resolve(flags.state)),
        names: args.node,
        macs: flags.mac ?? [],
        layers: flags.layer,
        ...(flags.group === undefined ? {} : { group: flags.group }),
        ...(flags.ip === undefined ? {} : { ip: flags.ip }),
        ...(flags.network === undefined ? {} : { network: flags.network }),
        ...(flags.image === undefined ? {} : { image: flags.image }),
      },
      this.worker,
    );
    const layers = new Map(created.layers.map((layer) => [layer.name, layer]));
    for (const [index, name] of created.names.entries()) {
      const layer = layers.get(name);
      for (const line of (layer?.findings ?? []).flatMap(findingLines)) this.logToStderr(line);
      const place = layer === undefined ? '' : `  ${displayPath(layer.layer)}`;
      this.log(`${name}  ${created.addresses[index]}  ${created.group}${place}`);
    }
    return created.names.map((name, index) => {
      const layer = layers.get(name);
      return {
        name,
        ip: created.addresses[index],
        group: created.group,
        ...(layer === undefined ? {} : { layer: displayPath(layer.layer), findings: layer.findings }),
      };
    });
  }
}
