import { parseSidecar, sidecarPath } from '../../archive/sidecar.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import { displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';
import { topPrograms } from '../initrd/plan-initrd.js';
import { rootFormat } from './node-base.js';

/** What a setting of a node asks of its initrd. */
interface Need {
  /** How the node boots, for messages: by squashfs-http. */
  readonly setting: string;
  readonly modules: readonly string[];
  /** Their names without directory. */
  readonly programs: readonly string[];
  /** Option of `mkroot initrd` that brings it, with its value. */
  readonly option: readonly ['transport' | 'top', string];
}

/** What an initrd has, by name. */
interface Contents {
  readonly modules: ReadonlySet<string>;
  readonly programs: ReadonlySet<string>;
}

/**
 * A node whose root is one file needs an initrd that can mount it, and one that writes to a disk or into an image an initrd that can
 * check it. One that another program made is let through.
 * @throws MkrootError InvalidInput that names node, image, and what the initrd lacks.
 */
export function requireInitrds(
  fs: ReadFileSystem,
  nodes: readonly Node[],
  imageOf: (node: Node) => PublishedImage,
): void {
  const known = new Map<string, Contents | undefined>();
  const contentsOf = (image: PublishedImage) => {
    if (!known.has(image.initrd)) known.set(image.initrd, readContents(fs, image));
    return known.get(image.initrd);
  };
  for (const node of nodes) {
    for (const { setting, modules, programs, option } of needsOf(node)) {
      const image = imageOf(node);
      const contents = contentsOf(image);
      if (contents === undefined) continue;
      const missing = [
        ...modules.filter((name) => !contents.modules.has(name)),
        ...programs.filter((name) => !contents.programs.has(name)),
      ];
      if (missing.length === 0) continue;
      const [name, value] = option;
      throw new MkrootError(
        `Cannot boot "${node.name}" ${setting}: the initrd of "${image.name}" ${image.generation} has no ${missing.join(', ')}`,
        {
          exitCode: ExitCode.InvalidInput,
          hint: `Make it anew: mkroot initrd ${image.name} --${name} ${value} (in the recipe: initrd: {${name}s: [${value}]})`,
        },
      );
    }
  }
}

function needsOf({ transport: { protocol }, writableTop: { kind }, disk }: Node): Need[] {
  const format = rootFormat(protocol);
  return [
    ...(format === undefined
      ? []
      : [
          {
            setting: `by ${protocol}`,
            modules: [format, 'loop'],
            programs: [],
            option: ['transport', protocol],
          } as const,
        ]),
    ...(kind === 'tmpfs' ? [] : [topNeed(kind, `with a writable top of kind ${kind}`)]),
    // Without consent it only says what it would do.
    ...(disk?.consent === undefined ? [] : [topNeed('partitions', `with a disk that it partitions`)]),
  ];
}

/** Each is an ext4 in a file or on a disk. */
function topNeed(top: string, setting: string): Need {
  return {
    setting,
    modules: ['ext4', ...(top === 'image' ? ['loop'] : [])],
    programs: topPrograms(top).map(baseName),
    option: ['top', top],
  };
}

/** Undefined if nobody knows. */
function readContents(
  fs: ReadFileSystem,
  { initrd, ownInitrd = initrd }: PublishedImage,
): Contents | undefined {
  // One with further drivers has all that the image's own has.
  const path = [initrd, ownInitrd].map(sidecarPath).find((sidecar) => fs.lstat(sidecar) !== undefined);
  if (path === undefined) return undefined;
  const text = Buffer.from(fs.readFile(path)).toString('utf8');
  const { modules, builtins, entries } = parseSidecar(text, displayPath(path));
  const programs = entries.filter((entry) => entry.kind !== 'directory' && /(^|\/)s?bin\//.test(entry.path));
  return {
    modules: new Set([...modules, ...builtins]),
    programs: new Set(programs.map((entry) => baseName(entry.path))),
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
