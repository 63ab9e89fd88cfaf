import { ExitCode, MkrootError } from '../../errors.js';
import type { Inventory } from '../../inventory/inventory.js';
import type { Node } from '../../inventory/node.js';
import type { ImageLocation, NfsLocation } from '../../netboot/kernel-command-line.js';
import type { PublishedImage } from '../../stages/find-published-image.js';

/** Where the root of a node comes from, and from which servers its layers. */
export interface NodeBase {
  readonly base: NfsLocation | ImageLocation;
  /** Servers for the layers, where they are not those of the base. */
  readonly layers: { readonly server?: string };
  /** The NFS servers, for what has to name them. */
  readonly server: { readonly server?: string };
}

/** Path of an image's root.squashfs below the TFTP root, which HTTP serves, too. */
export function servedSquashfs(name: string, generation: string): string {
  return `images/${name}/${generation}/root.squashfs`;
}

/**
 * What a node's transport comes to.
 * @param httpRoot URL under which HTTP serves the TFTP root.
 * @throws MkrootError NotFound if the image was not made into one file; InvalidInput without a URL for HTTP.
 */
export function nodeBase(
  node: Node,
  { root, name, generation, squashfs }: PublishedImage,
  inventory: Inventory,
  httpRoot: string | undefined,
): NodeBase {
  const { protocol } = node.transport;
  const given = node.transport.servers?.map((server) => inventory.servers.get(server)!.address);
  const nfs = given?.join('+') ?? node.servers.nfs[0]?.address;
  const server = nfs === undefined ? {} : { server: nfs };
  if (protocol === 'nfs') return { base: { ...server, path: root }, layers: {}, server };
  if (node.transport.pointers) throw noPointers(node);
  if (squashfs === undefined) {
    throw new MkrootError(
      `Cannot boot "${node.name}" by ${protocol}: generation ${generation} of "${name}" has no root.squashfs`,
      {
        exitCode: ExitCode.NotFound,
        hint: `Make it first: mkroot squash ${name} --generation ${generation}`,
      },
    );
  }
  const { path, sha256, size } = squashfs;
  const image = { sha256, size };
  if (protocol === 'squashfs-nfs') return { base: { ...server, path, image }, layers: {}, server };
  const url = httpUrl(node, httpRoot);
  return {
    base: {
      server: given?.join('+') ?? url.hostname,
      httpPort: url.port === '' ? 80 : Number(url.port),
      path: `${url.pathname.replace(/\/*$/, '')}/${servedSquashfs(name, generation)}`,
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

function httpUrl({ name }: Node, httpRoot: string | undefined): URL {
  if (httpRoot?.startsWith('http://') && URL.canParse(httpRoot)) return new URL(httpRoot);
  throw new MkrootError(
    `Cannot boot "${name}" by squashfs-http: ${httpRoot === undefined ? 'no HTTP server is known' : `"${httpRoot}" is no http:// URL`}`,
    {
      exitCode: ExitCode.InvalidInput,
      hint: 'Say under which URL the boot files are served, as in: mkroot publish --http-root http://10.1.0.1:8080/',
    },
  );
}
