import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { requireRoot } from '../cli/require-root.js';
import { openSite } from '../cli/site.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';
import { shellQuote } from '../ports/process-runner.js';

/** `mkroot enter NAME [-- COMMAND]`: a shell or a command in the real stack of a node, a group or a recipe. */
export default class Enter extends BaseCommand {
  static override summary = 'Run a shell or a command in the stack of a node, a group or a recipe';

  static override description =
    "The image lies below, its layers over it, and what is written goes to a layer of its own: afterwards the changes become those of the overlay's directory, and its serial is counted up. Identities, caches, logs and temporary files are left out. A command that fails changes nothing. A node goes before a group of the same name, a group before a recipe; node:NAME, group:NAME and recipe:NAME are one of them for sure.";

  static override examples = [
    '<%= config.bin %> enter compute',
    '<%= config.bin %> enter n017 -- systemctl enable slurmd',
    '<%= config.bin %> enter recipe:compute --discard -- dpkg -l',
  ];

  static override strict = false;

  static override args = {
    name: Args.string({ description: 'node, group or recipe', required: true }),
  };

  static override flags = {
    state: BaseCommand.stateFlag,
    site: BaseCommand.siteFlag,
    layer: Flags.string({
      description: 'overlay of the group that takes the changes [default: the topmost]',
      helpValue: 'NAME',
    }),
    discard: Flags.boolean({ description: 'throw the changes away' }),
  };

  async run(): Promise<unknown> {
    const { argv, flags, args } = await this.parse(Enter);
    requireRoot('enter a stack', 'mounts and chroot');
    process.umask(0o022);
    const ports = this.ports({ verbose: flags.verbose });
    const [{ findStack }, { enterLayer }, { changeLines }] = await Promise.all([
      import('../pipelines/layers/enter-stack.js'),
      import('../pipelines/layers/enter-layer.js'),
      import('../layers/session-changes.js'),
    ]);
    const state = toBytePath(resolve(flags.state));
    const site = openSite(ports.fs, flags.site);
    const { TERM, LANG, COLORTERM } = process.env;
    const result = await enterLayer(ports, {
      stack: findStack(ports.fs, {
        name: args.name,
        site,
        recipes: site.recipes,
        state,
        ...(flags.layer === undefined ? {} : { layer: flags.layer }),
      }),
      state,
      command: argv.slice(1).map(String),
      terminal: !this.jsonEnabled(),
      env: { TERM, LANG, COLORTERM, debian_chroot: args.name },
      discard: flags.discard,
      pid: process.pid,
      commandLine: shellQuote(['mkroot', 'enter', ...this.argv]),
      signal: this.interrupted,
    });
    const { changes, kept, output } = result;
    for (const line of changeLines(changes)) this.logToStderr(line);
    for (const { path, template, keptAt } of kept?.conflicts ?? []) {
      ports.progress.warn(
        `"${displayPath(path)}" is made from ${template}, which is left as it is`,
        `The session's version lies at ${displayPath(keptAt)}; edit the template to match.`,
      );
    }
    const count = changes.changed.length + changes.deleted.length - (kept?.conflicts.length ?? 0);
    const counted = `${count} ${count === 1 ? 'change' : 'changes'}`;
    this.logToStderr(
      flags.discard
        ? `${counted} thrown away`
        : kept?.serial === undefined
          ? 'nothing has changed'
          : `${counted} kept in ${result.directory}, serial ${kept.serial}`,
    );
    return {
      changed: changes.changed.map(({ path, kind }) => ({ path: displayPath(path), kind })),
      deleted: changes.deleted.map(displayPath),
      leftOut: changes.leftOut.map(({ path, why }) => ({ path: displayPath(path), why })),
      conflicts: (kept?.conflicts ?? []).map(({ path, keptAt, template }) => ({
        path: displayPath(path),
        keptAt: displayPath(keptAt),
        template,
      })),
      serial: kept?.serial,
      directory: result.directory,
      output: Buffer.from(output).toString('utf8'),
    };
  }
}
