import { Args } from '@oclif/core';
import { renderChain } from '../archive/explain.js';
import { describeReason } from '../archive/reason.js';
import { BaseCommand } from '../cli/base-command.js';
import { askWhy } from '../pipelines/initrd/ask-why.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** `mkroot why INITRD PATH`: what brought a file into an initramfs. */
export default class Why extends BaseCommand {
  static override summary =
    'Say why a file is in an initramfs, up to the recipe line or option that wanted it';

  static override examples = ['<%= config.bin %> why initrd.img libphy.ko'];

  static override args = {
    initrd: Args.string({ description: 'initramfs made by mkroot initrd', required: true }),
    path: Args.string({ description: 'path in it, or the last part of one', required: true }),
  };

  async run(): Promise<unknown> {
    const { args } = await this.parse(Why);
    const answers = askWhy(this.ports().fs, toBytePath(args.initrd), toBytePath(args.path));
    for (const { chains } of answers) {
      for (const chain of chains) this.log(renderChain(chain));
    }
    return answers.map(({ path, chains }) => ({
      path: displayPath(path),
      chains: chains.map((chain) =>
        chain.map(({ entry, reason }) => ({
          path: displayPath(entry.path),
          reason,
          text: describeReason(reason),
        })),
      ),
    }));
  }
}
