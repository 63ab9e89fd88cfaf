import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { codeDigest } from '../cli/code-digest.js';
import { PUBLISH_FLAGS } from '../cli/publish-flags.js';
import { requireRoot } from '../cli/require-root.js';
import { openSite } from '../cli/site.js';
import { toBytePath } from '../ports/byte-path.js';

/** `mkroot rollback IMAGE`: nodes of an image boot an older generation of it. */
export default class Rollback extends BaseCommand {
  static override summary = 'Let the nodes of an image boot an older generation of it';

  static override description =
    'The generation becomes the current one, and the nodes that follow it are published on it; pinned nodes and other images stay as they are. Running nodes change when they boot. See docs/publish.md.';

  static override examples = [
    '<%= config.bin %> rollback compute',
    '<%= config.bin %> rollback compute --to 20261120T041500Z-1a2b3c4d',
  ];

  static override args = { image: Args.string({ required: true, description: 'name of the image' }) };

  static override flags = {
    to: Flags.string({
      description: 'generation; by default the newest before the current one',
      helpValue: 'ID',
    }),
    ...PUBLISH_FLAGS,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Rollback);
    const ports = this.ports({ verbose: flags.verbose });
    const [{ rollbackTarget }, { planPublish }, { publish }, { publishReport }] = await Promise.all([
      import('../pipelines/publish/roll-back.js'),
      import('../pipelines/publish/plan-publish.js'),
      import('../pipelines/publish/apply-publish.js'),
      import('../pipelines/publish/publish-report.js'),
    ]);
    const state = toBytePath(resolve(flags.state));
    const rollback = rollbackTarget(ports.fs, state, args.image, flags.to);
    const request = {
      site: openSite(ports.fs, flags.site),
      state,
      code: codeDigest(ports.fs),
      startThread: ports.startThread,
      rollback,
    };
    const dry = flags['dry-run'];
    if (!dry) requireRoot('roll back', 'it publishes');
    const plan = dry
      ? planPublish(ports.fs, request)
      : await publish(ports, request, {
          force: flags.force,
          processors: availableParallelism(),
          ...this.worker,
        });
    const report = publishReport(ports.fs, plan, { files: false, diff: false, published: !dry, state });
    for (const warning of report.warnings) ports.progress.warn(warning);
    this.log(`${rollback.image}: ${rollback.from} to ${rollback.generation}`);
    for (const line of report.lines) this.log(line);
    return this.jsonEnabled() ? { ...rollback, ...report.json() } : undefined;
  }
}
