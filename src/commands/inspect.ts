import { Args, Flags } from '@oclif/core';
import { listingLine } from '../archive/listing.js';
import { allRecords } from '../archive/segments.js';
import { BaseCommand } from '../cli/base-command.js';
import {
  type Inspection,
  inspectInitrd,
  inspectionAsJson,
  summary,
} from '../pipelines/initrd/inspect-initrd.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';

/** `mkroot inspect`: what is in an initramfs, ours or another tool's. */
export default class Inspect extends BaseCommand {
  static override summary = 'List what is in an initramfs, whoever made it';

  static override description =
    `Shows each segment (microcode, bare and compressed archives, appended ones) with its offset, compression and sizes,
its entries as ls -l does, and where the bytes are. With --extract it unpacks all segments in order, as the kernel would; nothing
is written outside of that directory.`;

  static override examples = [
    '<%= config.bin %> inspect /boot/initrd.img-$(uname -r)',
    '<%= config.bin %> inspect compute.initrd --extract /tmp/initrd',
  ];

  static override args = {
    initrd: Args.string({ required: true, description: 'an initramfs, whoever made it' }),
  };

  static override flags = {
    extract: Flags.string({ description: 'unpack into this new or empty directory', helpValue: 'DIR' }),
  };

  async run(): Promise<ReturnType<typeof inspectionAsJson>> {
    const { args, flags } = await this.parse(Inspect);
    const inspection = await inspectInitrd(this.ports(flags), {
      image: toBytePath(args.initrd),
      isRoot: process.geteuid?.() === 0,
      ...(flags.extract === undefined ? {} : { extractTo: toBytePath(flags.extract) }),
    });
    if (!this.jsonEnabled()) for (const line of linesOf(inspection)) this.log('%s', line);
    return inspectionAsJson(inspection);
  }
}

function* linesOf({ segments, extraction }: Inspection): Generator<string> {
  for (const [index, segment] of segments.entries()) {
    const records = allRecords([segment]);
    const packing =
      segment.compression === 'none'
        ? `not compressed, ${segment.packedSize} bytes`
        : `${segment.compression}, ${segment.packedSize} bytes, unpacked ${segment.unpackedSize}`;
    yield `# segment ${index + 1} at byte ${segment.offset}: ${packing}, ${records.length} entries${segment.isMicrocode ? ', microcode' : ''}`;
    for (const warning of segment.warnings) yield `# warning: ${warning}`;
    for (const record of records) yield listingLine(record);
  }
  yield '# bytes by directory';
  for (const { path, bytes, files } of summary(segments)) {
    yield `# ${String(bytes).padStart(10)} ${String(files).padStart(6)} files  ${path}`;
  }
  if (extraction === undefined) return;
  yield `# extracted ${extraction.entries} entries`;
  for (const { path, why } of extraction.skipped) yield `# skipped ${displayPath(path)}: ${why}`;
}
