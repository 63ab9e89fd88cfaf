import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';

/** `mkroot node remove NODE...`: takes nodes out of nodes.yaml and its CSV files. */
export default class NodeRemove extends BaseCommand {
  static override summary = 'Take nodes out of nodes.yaml and its CSV files';

  static override description =
    'Comments and everything else stay. One of a range such as n[001-128] is left to an editor. What is published stays until the next publish, and the keys of the node until mkroot gc.';

  static override examples = [
    '<%= config.bin %> node remove n129',
    "<%= config.bin %> node remove s005 'n[129-132]'",
  ];

  static override strict = false;

  static override args = {
    node: Args.string({ required: true, description: "nodes; several also in ClusterShell's syntax" }),
  };

  static override flags = { site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(NodeRemove);
    const ports = this.ports({ verbose: flags.verbose });
    const [{ removeNodes }, { withSiteLock }] = await Promise.all([
      import('../../inventory/remove-nodes.js'),
      import('../../pipelines/site/site-lock.js'),
    ]);
    const site = openSite(ports.fs, flags.site);
    const removed = await withSiteLock(ports, site, this.interrupted, () =>
      removeNodes(ports.fs, site, argv.map(String)),
    );
    const { names, files } = removed;
    this.log(
      `${names.length === 1 ? names[0] : `${names.length} nodes`} removed from ${files.join(' and ')}`,
    );
    const [whose, directory] = names.length === 1 ? ['its', names[0]] : ['their', 'NODE'];
    ports.progress.note(
      `What is published stays until the next mkroot publish; ${whose} keys in STATE/hosts/${directory} stay until mkroot gc`,
    );
    return removed;
  }
}
