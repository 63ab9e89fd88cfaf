import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { requireRoot } from '../../cli/require-root.js';
import { openSite } from '../../cli/site.js';
import { displayPath, toBytePath } from '../../ports/byte-path.js';

/** `mkroot node instantiate NAME...`: host layers, each with an identity that is made once and kept. */
export default class NodeInstantiate extends BaseCommand {
  static override summary = 'Make the host layers of nodes: name, machine-id, ssh host keys, network';

  static override description =
    'Identities are made once and kept in STATE/hosts/NAME/identity; the layer lies beside it. Without changes in the site nothing is written.';

  static override examples = [
    '<%= config.bin %> node instantiate n017',
    '<%= config.bin %> node instantiate compute "s[1-4]"',
  ];

  static override strict = false;

  static override args = {
    name: Args.string({ description: 'nodes (n[001-128]) and groups', required: true }),
  };

  static override flags = { state: BaseCommand.stateFlag, site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(NodeInstantiate);
    requireRoot('make host layers', 'owners and keys');
    const ports = this.ports({ verbose: flags.verbose });
    const [{ openComposer, findTargets, nodesOf }, { instantiateNodes }, { findingLines }] =
      await Promise.all([
        import('../../pipelines/layers/open-composer.js'),
        import('../../pipelines/layers/write-layers.js'),
        import('../../pipelines/layers/layer-findings.js'),
      ]);
    const composer = openComposer(ports.fs, openSite(ports.fs, flags.site), toBytePath(resolve(flags.state)));
    const nodes = nodesOf(composer, findTargets(composer, argv.map(String)));
    const layers = await instantiateNodes(ports, composer, nodes, this.worker);
    for (const { name, layer, changed, findings } of layers) {
      for (const line of findings.flatMap(findingLines)) this.logToStderr(line);
      this.log(`${name}  ${displayPath(layer)}${changed ? '' : '  nothing has changed'}`);
    }
    return layers.map(({ name, layer, changed, contents, findings }) => ({
      name,
      layer: displayPath(layer),
      changed,
      digest: contents.digest,
      findings,
    }));
  }
}
