import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { recipeSearch } from '../cli/recipe-search.js';
import { requireRoot } from '../cli/require-root.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** `mkroot build RECIPE`: a recipe becomes an immutable generation of a root tree. */
export default class Build extends BaseCommand {
  static override summary = 'Build the root of a recipe';

  static override description =
    'Makes a root tree, its kernel and a manifest, and publishes them as the current generation of the image. Work whose inputs have not changed is not done again.';

  static override examples = [
    '<%= config.bin %> build compute',
    '<%= config.bin %> build ./my-recipe.yaml --state /srv/mkroot',
    '<%= config.bin %> build compute --plan',
  ];

  static override args = {
    recipe: Args.string({
      required: true,
      description: "name of a recipe of the site or of mkroot's own, or path of a recipe file",
    }),
  };

  static override flags = {
    site: BaseCommand.siteFlag,
    state: BaseCommand.stateFlag,
    plan: Flags.boolean({
      description: 'only say which stages are cached, which would run, and what differs',
    }),
    force: Flags.boolean({ description: 'run every stage, whatever is cached' }),
    backend: Flags.option({
      options: ['mmdebstrap', 'debootstrap'] as const,
      description: 'program that makes the first tree [default: mmdebstrap if installed]',
    })(),
    wait: Flags.boolean({
      allowNo: true,
      default: true,
      description: 'wait for another build in the same state directory to end',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Build);
    const ports = this.ports({ verbose: flags.verbose });
    const search = recipeSearch(ports.fs, flags.site);
    const [{ loadRecipe }, { buildRoot, planRoot }] = await Promise.all([
      import('../recipe/load-recipe.js'),
      import('../pipelines/root/build-root.js'),
    ]);
    const request = {
      recipe: loadRecipe(ports.fs, args.recipe, search),
      state: toBytePath(resolve(flags.state)),
      force: flags.force,
      wait: flags.wait,
      hostArchitecture: search.hostArchitecture,
      mkroot: this.config.version,
      ...this.worker,
      ...(flags.backend === undefined ? {} : { backend: flags.backend }),
    };
    if (flags.plan) {
      const lines = await planRoot(ports, request);
      for (const { stage, key, action, reason } of lines) {
        this.log(`${action.padEnd(6)}  ${stage.padEnd(18)} ${key.slice(0, 12)}`);
        for (const line of reason) this.log(`          ${line}`);
      }
      return { plan: lines };
    }
    requireRoot(
      'build a root',
      'owners, device nodes, chroot',
      'Run it with sudo; `mkroot build --plan` needs no rights.',
    );
    // Files of the root get the modes that packages expect, not what the caller's umask leaves of them.
    process.umask(0o022);
    const { generation, manifest, built } = await buildRoot(ports, request);
    const { sizes, packages, kernels } = manifest;
    this.log(
      [
        `${manifest.name} ${generation.id}${built ? '' : ' (nothing has changed)'}`,
        `  root      ${displayPath(generation.root)}`,
        `  kernel    ${kernels[0]?.release ?? ''}`,
        `  packages  ${packages.length}`,
        `  size      ${(sizes.rootBytes / 1e6).toFixed(0)} MB in ${sizes.rootEntries} entries`,
      ].join('\n'),
    );
    return {
      built,
      name: manifest.name,
      generation: generation.id,
      directory: displayPath(generation.directory),
      root: displayPath(generation.root),
      kernel: displayPath(generation.kernel),
      kernelRelease: kernels[0]?.release,
      key: manifest.key,
      packages: packages.length,
      sizes,
      stages: manifest.stages,
    };
  }
}
