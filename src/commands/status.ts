import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { LiveScreen } from '../cli/live-screen.js';
import type { SiteStatus } from '../pipelines/serve/node-status.js';
import { toBytePath } from '../ports/byte-path.js';
import type { Clock } from '../ports/clock.js';

/** How often --watch looks. */
const WATCH_MS = 1_000;

/** `mkroot status`: what the nodes are doing. */
export default class Status extends BaseCommand {
  static override summary = 'Show what the nodes are doing: what they booted, how far they are, what failed';

  static override description =
    'Reads what mkroot serve has seen and what nodes have reported; works while nobody serves, too, with what was known last. See docs/serve.md.';

  static override examples = [
    '<%= config.bin %> status',
    "<%= config.bin %> status 'n[001-016]' --watch",
    '<%= config.bin %> status --failed --json',
  ];

  static override args = {
    nodes: Args.string({ description: "names in ClusterShell's syntax; all by default" }),
  };

  static override flags = {
    group: Flags.string({ description: 'only nodes of this group', helpValue: 'GROUP' }),
    failed: Flags.boolean({ description: 'only nodes whose boot failed, or which go on trying' }),
    watch: Flags.boolean({ description: 'go on, and show what changes until Ctrl-C' }),
    state: BaseCommand.stateFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Status);
    const ports = this.ports({ verbose: flags.verbose });
    const [{ nodeStatus }, { statusText }] = await Promise.all([
      import('../pipelines/serve/node-status.js'),
      import('../pipelines/serve/status-text.js'),
    ]);
    const read = () =>
      nodeStatus(ports, {
        state: toBytePath(resolve(flags.state)),
        ...(args.nodes === undefined ? {} : { names: args.nodes }),
        ...(flags.group === undefined ? {} : { group: flags.group }),
        failed: flags.failed,
      });
    if (flags.watch && !this.jsonEnabled()) {
      await this.#watch(ports.clock, read, (status, size) =>
        statusText(status, { ...size, now: ports.clock.now() }),
      );
      return undefined;
    }
    const status = await read();
    const columns = process.stdout.isTTY ? process.stdout.columns : 1000;
    this.log(statusText(status, { columns, now: ports.clock.now() }).join('\n'));
    return asData(status);
  }

  /** On a terminal the screen is drawn anew, elsewhere the table is printed whenever it has changed. */
  async #watch(
    clock: Clock,
    read: () => Promise<SiteStatus>,
    text: (status: SiteStatus, size: { columns: number; lines?: number }) => string[],
  ): Promise<void> {
    const screen = process.stdout.isTTY ? new LiveScreen(process.stdout) : undefined;
    let printed = '';
    try {
      while (!this.interrupted.aborted) {
        const status = await read();
        if (screen !== undefined) {
          screen.draw(text(status, { columns: screen.columns, lines: screen.lines }));
        } else if (JSON.stringify(status) !== printed) {
          printed = JSON.stringify(status);
          this.log(`${text(status, { columns: 1000 }).join('\n')}\n`);
        }
        await clock.sleep(WATCH_MS, this.interrupted).catch((error: unknown) => {
          if (!this.interrupted.aborted) throw error;
        });
      }
    } finally {
      screen?.close();
    }
  }
}

function asData({ serving, at, rows, unknown }: SiteStatus) {
  return {
    serving,
    at: at ?? null,
    nodes: rows.map(({ known: { name, group, address, mac, image, generation }, state }) => {
      const { node: _node, booted, ...rest } = state;
      return {
        name,
        group,
        address,
        mac: mac ?? null,
        published: { image, generation },
        booted: booted ?? null,
        ...rest,
      };
    }),
    unknown,
  };
}
