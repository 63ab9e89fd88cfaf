import { ExitCode, MkrootError } from '../../errors.js';
import { ROOT_IMAGE_FORMATS, type RootImageFormat, rootImageName } from '../../images/root-image.js';
import type { Inventory } from '../../inventory/inventory.js';
import type { Node } from '../../inventory/node.js';
import type { ImageLocation, NfsLocation } from '../../netboot/kernel-command-line.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';

/** Where the root of a node comes from, and from which servers its layers. */
export interface NodeBase {
  readonly base: NfsLocation | ImageLocation;
  /** Servers for the layers, where they are not those of the base. */
  readonly layers: { readonly server?: string };
  /** The NFS servers, for what has to name them. */
  readonly server: { readonly server?: string };
}

/** Path of an image's root as one file below the TFTP root, which HTTP serves, too. */
export function servedRootImage(name: string, generation: string, format: RootImageFormat): string {
  return `images/${name}/${generation}/${rootImageName(format)}`;
}

/** The file system of the file that a transport is about; undefined for one that has no file. */
export function rootFormat(protocol: Node['transport']['protocol']): RootImageFormat | undefined {
  return ROOT_IMAGE_FORMATS.find((format) => protocol.startsWith(`${format}-`));
}

/**
 * What a node's transport comes to.
 * @param httpRoot URL under which HTTP serves the TFTP root.
 * @throws MkrootError NotFound if the image was not made into one file; InvalidInput without a URL for HTTP.
 */
export function nodeBase(
  node: Node,
  { root, name, generation, files }: PublishedImage,
  inventory: Inventory,
  httpRoot: string | undefined,
): NodeBase {
  const { protocol } = node.transport;
  const given = node.transport.servers?.map((server) => inventory.servers.get(server)!.address);
  const nfs = given?.join('+') ?? node.servers.nfs[0]?.address;
  const server = nfs === undefined ? {} : { server: nfs };
  const format = rootFormat(protocol);
  if (format === undefined) return { base: { ...server, path: root }, layers: {}, server };
  if (node.transport.pointers) throw noPointers(node);
  const file = files[format];
  if (file === undefined) {
    throw new MkrootError(
      `Cannot boot "${node.name}" by ${protocol}: generation ${generation} of "${name}" has no ${rootImageName(format)}`,
      {
        exitCode: ExitCode.NotFound,
        hint: `Make it first: mkroot squash ${name} --generation ${generation}${format === 'squashfs' ? '' : ` --format ${format}`}`,
      },
    );
  }
  const { path, sha256, size } = file;
  const image = { sha256, size };
  if (protocol.endsWith('-nfs')) return { base: { ...server, path, image }, layers: {}, server };
  const url = httpUrl(node, httpRoot);
  return {
    base: {
      server: given?.join('+') ?? url.hostname,
      httpPort: url.port === '' ? 80 : Number(url.port),
      path: `${url.pathname.replace(/\/*$/, '')}/${servedRootImage(name, generation, format)}`,
      image,
    },
    layers: server,
    server,
  };
}

/** A pointer file in a host layer names a directory. */
function noPointers({ name, transport: { protocol } }: Node): MkrootError {
  return new MkrootError(`Cannot boot "${name}" by ${protocol} with pointers: its root is no directory`, {
    exitCode: ExitCode.InvalidInput,
    hint: 'Leave "pointers" out of its transport.',
  });
}

function httpUrl({ name, transport: { protocol } }: Node, httpRoot: string | undefined): URL {
  if (httpRoot?.startsWith('http://') && URL.canParse(httpRoot)) return new URL(httpRoot);
  throw new MkrootError(
    `Cannot boot "${name}" by ${protocol}: ${httpRoot === undefined ? 'no HTTP server is known' : `"${httpRoot}" is no http:// URL`}`,
    {
      exitCode: ExitCode.InvalidInput,
      hint: 'Say under which URL the boot files are served, as in: mkroot publish --http-root http://10.1.0.1:8080/',
    },
  );
}
