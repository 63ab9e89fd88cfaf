import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { codeDigest } from '../cli/code-digest.js';
import { checkHttpRoot, httpRootFlag } from '../cli/http-root-flag.js';
import { PUBLISH_FLAGS } from '../cli/publish-flags.js';
import { requireRoot } from '../cli/require-root.js';
import { openSite } from '../cli/site.js';
import { toBytePath } from '../ports/byte-path.js';

/** `mkroot publish`: what nodes boot from now on becomes what the site says. */
export default class Publish extends BaseCommand {
  static override summary = 'Publish what the site says: layers, boot files and server configuration';

  static override description =
    'New generations and layers lie beside the old ones, and boot files are replaced one by one, each in one step: running nodes keep what they have, others boot the new state. Nothing is written if the linter finds an error. See docs/publish.md.';

  static override examples = [
    '<%= config.bin %> publish --dry-run',
    "<%= config.bin %> publish --only 'n[001-004]'",
    '<%= config.bin %> publish --interface br0',
  ];

  static override flags = {
    diff: Flags.boolean({ description: 'show what would change in files, line by line, and change nothing' }),
    files: Flags.boolean({ description: 'name every boot file that changes' }),
    only: Flags.string({
      description: 'nodes (n[001-004]) or a group; all others boot as before, for a trial; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    interface: Flags.string({
      description: 'interface on which DHCP is answered; may be repeated; remembered',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    server: Flags.string({
      description: 'server of the inventory that the tree is for; by default the first that nodes boot from',
      helpValue: 'NAME',
    }),
    'http-root': httpRootFlag('URL under which HTTP serves STATE/netboot/tftp, for iPXE; remembered'),
    ...PUBLISH_FLAGS,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Publish);
    const ports = this.ports({ verbose: flags.verbose });
    const [{ planPublish }, { publish }, { publishReport }] = await Promise.all([
      import('../pipelines/publish/plan-publish.js'),
      import('../pipelines/publish/apply-publish.js'),
      import('../pipelines/publish/publish-report.js'),
    ]);
    const request = {
      site: openSite(ports.fs, flags.site),
      state: toBytePath(resolve(flags.state)),
      code: codeDigest(ports.fs),
      startThread: ports.startThread,
      ...(flags.only === undefined ? {} : { only: flags.only }),
      ...(flags.interface === undefined ? {} : { interfaces: flags.interface }),
      ...(flags.server === undefined ? {} : { server: flags.server }),
      ...(flags['http-root'] === undefined ? {} : { httpRoot: checkHttpRoot(flags['http-root']) }),
    };
    const dry = flags['dry-run'] || flags.diff;
    if (!dry) requireRoot('publish', 'owners, keys and whiteouts');
    const plan = dry
      ? planPublish(ports.fs, request)
      : await publish(ports, request, {
          force: flags.force,
          processors: availableParallelism(),
          ...this.worker,
        });
    const { files, diff } = flags;
    const report = publishReport(ports.fs, plan, { files, diff, published: !dry, state: request.state });
    for (const warning of report.warnings) ports.progress.warn(warning);
    for (const line of report.lines) this.log(line);
    return this.jsonEnabled() ? report.json() : undefined;
  }
}
