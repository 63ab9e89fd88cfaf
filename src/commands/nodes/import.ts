import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { SightingFormat } from '../../inventory/decode-sightings.js';
import type { Site } from '../../inventory/load-inventory.js';
import type { Ports } from '../../ports/ports.js';

const FORMATS = ['dnsmasq.leases', 'dhcpd.leases', 'ethers'] as const;

/** Lines of a file that are told one by one: in a file of another kind every line is wrong. */
const MOST_TOLD = 10;

/** `mkroot nodes import`: MAC addresses of machines that were switched on. */
export default class NodesImport extends BaseCommand {
  static override summary = 'Take MAC addresses from lease files or ethers';

  static override description =
    'A machine becomes the node whose name it told; others get the names of --names in the order in which they were switched on. Without --write it only says what it would do. Rows go into the CSV file of nodes.yaml.';

  static override examples = [
    '<%= config.bin %> nodes import --from dnsmasq.leases /var/lib/misc/dnsmasq.leases',
    "<%= config.bin %> nodes import --from dhcpd.leases /var/lib/dhcp/dhcpd.leases --names 'n[001-016]' --write",
    "<%= config.bin %> nodes import --from ethers /etc/ethers --names 'n[129-132]' --group compute --ip 10.1.1.129 --write",
  ];

  static override args = {
    file: Args.string({ required: true, description: 'file to read' }),
  };

  static override flags = {
    site: BaseCommand.siteFlag,
    from: Flags.option({ options: FORMATS, required: true, description: 'what the file is' })(),
    names: Flags.string({
      description: 'nodes for machines that told no name, in turn; those with a MAC address are passed over',
      helpValue: 'NODES',
    }),
    group: Flags.string({
      description: 'group of nodes that are not in the inventory yet',
      helpValue: 'GROUP',
    }),
    ip: Flags.string({
      description:
        'first address for these, counted up; by default they keep the one that they were seen with',
      helpValue: 'ADDRESS',
    }),
    write: Flags.boolean({ description: 'write the rows' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(NodesImport);
    const ports = this.ports({ verbose: flags.verbose });
    const site = openSite(ports.fs, flags.site);
    if (!flags.write) return this.#import(ports, site, args.file, flags);
    const { withSiteLock } = await import('../../pipelines/site/site-lock.js');
    return withSiteLock(ports, site, this.interrupted, () => this.#import(ports, site, args.file, flags));
  }

  async #import(
    { fs, progress }: Ports,
    site: Site,
    file: string,
    flags: {
      readonly from: SightingFormat;
      readonly names?: string | undefined;
      readonly group?: string | undefined;
      readonly ip?: string | undefined;
      readonly write: boolean;
    },
  ): Promise<unknown> {
    const [{ loadInventory }, { planImport }, { decodeSightings }, { expandNodeSet }, { readText }] =
      await Promise.all([
        import('../../inventory/load-inventory.js'),
        import('../../inventory/import-nodes.js'),
        import('../../inventory/decode-sightings.js'),
        import('../../inventory/node-set.js'),
        import('../../decode/read-text.js'),
      ]);
    const inventory = loadInventory(fs, site);
    const { sightings, problems } = decodeSightings(flags.from, readText(fs, flags.from, file), file);
    const passedOver = problems.map(
      ({ position, message }) => `${position.file}:${position.line}: ${message}; passed over`,
    );
    const told =
      passedOver.length > MOST_TOLD
        ? [
            ...passedOver.slice(0, MOST_TOLD),
            `${file}: ${passedOver.length - MOST_TOLD} more lines like these`,
          ]
        : passedOver;
    if (sightings.length === 0 && problems.length > 0) {
      throw new MkrootError(
        `Cannot take machines from "${file}": nothing in it is to be used as ${flags.from}`,
        {
          exitCode: ExitCode.InvalidInput,
          details: told,
          hint: `Is it another kind of file? --from takes ${FORMATS.join(', ')}.`,
        },
      );
    }
    for (const line of told) progress.warn(line);
    if (sightings.length === 0) this.log(`${file}: no machines`);
    const set = flags.names === undefined ? { names: [] } : expandNodeSet(flags.names);
    if ('problem' in set) {
      throw new MkrootError(`Cannot use --names "${flags.names}": ${set.problem}`, {
        exitCode: ExitCode.Usage,
      });
    }
    const plan = planImport(inventory, sightings, {
      names: set.names,
      ...(flags.group === undefined ? {} : { group: flags.group }),
      ...(flags.ip === undefined ? {} : { firstAddress: flags.ip }),
    });
    for (const { name, mac, ip, group } of plan.nodes) {
      this.log(
        [
          name,
          mac,
          ...(ip === undefined ? [] : [ip]),
          ...(group === undefined ? [] : [`new in ${group}`]),
        ].join('  '),
      );
    }
    for (const { sighting, reason, conflict } of plan.passedOver) {
      const seen = [sighting.mac, sighting.ip, sighting.hostname].filter((one) => one !== undefined);
      const line = `${file}:${sighting.line}: ${seen.join(' ')}: ${reason}`;
      if (conflict) progress.warn(line);
      else progress.note(line);
    }
    const count = plan.nodes.length === 1 ? '1 node' : `${plan.nodes.length} nodes`;
    let files: string[] = [];
    if (flags.write && plan.nodes.length > 0) {
      const { writeImport } = await import('../../inventory/write-import.js');
      files = writeImport(fs, site, plan.nodes);
      this.log(`${count} written to ${files.join(' and ')}`);
    } else if (plan.nodes.length > 0) this.log(`${count}; nothing is written without --write`);
    else if (sightings.length > 0) this.log(`No node gets a MAC address from ${file}`);
    return { ...plan, problems, files };
  }
}
