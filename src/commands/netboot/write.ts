import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { checkHttpRoot, httpRootFlag } from '../../cli/http-root-flag.js';
import { openSite } from '../../cli/site.js';
import { displayPath, toBytePath } from '../../ports/byte-path.js';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** `mkroot netboot write DIR`: boot files and the configuration of every server, from the inventory. */
export default class NetbootWrite extends BaseCommand {
  static override summary = 'Write boot files and the configuration of every server from the inventory';

  static override description =
    'Writes to DIR and nowhere else: tftp/ for boot loaders, etc/ for DHCP, NFS and administration. Only files that it wrote before are changed or removed. See docs/netboot.md.';

  static override examples = [
    '<%= config.bin %> netboot write /srv/netboot --diff',
    '<%= config.bin %> netboot write /srv/netboot --interface br0',
  ];

  static override args = {
    directory: Args.string({ description: 'directory of the tree', required: true }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ description: 'show which files would change, and change nothing' }),
    diff: Flags.boolean({ description: 'show what would change in them, line by line, and change nothing' }),
    force: Flags.boolean({ description: 'overwrite files that somebody else made or changed' }),
    interface: Flags.string({
      description: 'interface on which DHCP is answered; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    server: Flags.string({
      description: 'server of the inventory that the tree is for; by default the first that nodes boot from',
      helpValue: 'NAME',
    }),
    'http-root': httpRootFlag('URL under which HTTP serves DIR/tftp, for iPXE; by default it takes TFTP'),
    site: BaseCommand.siteFlag,
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(NetbootWrite);
    const ports = this.ports({ verbose: flags.verbose });
    const { planNetbootTree, writeNetbootTree } = await import(
      '../../pipelines/publish/write-netboot-tree.js'
    );
    const directory = toBytePath(resolve(args.directory));
    const plan = planNetbootTree(ports, {
      site: openSite(ports.fs, flags.site),
      state: toBytePath(resolve(flags.state)),
      directory,
      interfaces: flags.interface ?? [],
      ...(flags.server === undefined ? {} : { server: flags.server }),
      ...(flags['http-root'] === undefined ? {} : { httpRoot: checkHttpRoot(flags['http-root']) }),
    });
    for (const warning of plan.warnings) ports.progress.warn(warning);
    const written = !flags['dry-run'] && !flags.diff;
    if (written) {
      const state = toBytePath(resolve(flags.state));
      const missing = await writeNetbootTree(ports, plan, { state, force: flags.force });
      for (const what of missing) ports.progress.warn(what);
    }
    const { fileDifferences } = await import('../../pipelines/publish/file-differences.js');
    const lines = plan.changes.flatMap((change) => {
      const note = change.conflict === undefined || written ? '' : `: ${change.conflict}`;
      const differences = flags.diff ? fileDifferences(ports.fs, plan, change) : [];
      return [
        `${SIGNS[change.change]} ${displayPath(change.path)}${note}`,
        ...differences.map((line) => `  ${line}`),
      ];
    });
    // At once: a call for each of sixty thousand lines takes longer than all the rest.
    if (lines.length > 0) this.log(lines.join('\n'));
    this.log(
      `${displayPath(directory)}: ${plan.changes.length} ${written ? 'written or removed' : 'to change'}, ${plan.unchanged} as they were`,
    );
    return {
      directory: displayPath(directory),
      written,
      unchanged: plan.unchanged,
      warnings: plan.warnings,
      changes: plan.changes.map(({ path, change, conflict }) => ({
        path: displayPath(path),
        change,
        ...(conflict === undefined ? {} : { conflict }),
      })),
    };
  }
}
