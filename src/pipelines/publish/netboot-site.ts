import { basename } from 'node:path/posix';
import { ExitCode, MkrootError } from '../../errors.js';
import { onlyFirmware } from '../../inventory/firmware-problem.js';
import { parseIpv4 } from '../../inventory/ipv4.js';
import type { Node, Server } from '../../inventory/node.js';
import { keptPublicKeys } from '../../layers/host-identity.js';
import { currentLayer, layerVersions } from '../../layers/write-layer.js';
import { type DhcpNetwork, namedBootFiles } from '../../netboot/dhcp-service.js';
import type { BootParameters } from '../../netboot/kernel-command-line.js';
import type { BootImage, NetbootNode, NetbootSite, NodeBoot } from '../../netboot/netboot-site.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';
import { planDriverInitrd } from '../initrd/driver-initrd.js';
import type { LayerComposer } from '../layers/compose-layers.js';
import { ownPersistent, sharedPersistent } from '../layers/persistent-paths.js';
import { hostDirectory, sharedLayerDirectory } from '../layers/state-directories.js';
import { type NodeBase, nodeBase } from './node-base.js';
import { findNodeImage, imageKey } from './node-image.js';
import { requireSameArchitecture } from './require-same-architecture.js';
import { topDirectory, writableTopPlace } from './writable-top.js';

/** What the inventory does not say about the server that a tree is for. */
export interface NetbootServerOptions {
  /** Name of the server in the inventory; by default the first one that nodes boot from. */
  readonly server?: string;
  /** Interfaces on which it answers DHCP. */
  readonly interfaces: readonly string[];
  /** Absolute path of the TFTP root. */
  readonly tftpRoot: string;
  /** URL under which HTTP serves the TFTP root. */
  readonly httpRoot?: string;
}

/** A site for the renderers, the images that its nodes boot, and what the user should know. */
export interface PreparedSite {
  readonly site: NetbootSite;
  /** Each once. */
  readonly images: readonly PublishedImage[];
}

/** Where the parts of a node's root are. */
export interface NodeSources {
  image(node: Node): PublishedImage;
  /** The layer that it shares with others; undefined if it has none. */
  shared(node: Node): BytePath | undefined;
  /** The layer of its own; undefined if it has none. */
  host(node: Node): BytePath | undefined;
  /** Its public ssh host keys; none as long as they were not made. */
  publicKeys(node: Node): readonly string[];
}

/** Where the boot loaders fetch kernels and initrds of a generation, below the TFTP root. */
export function bootDirectory(name: string, generation: string): BytePath {
  return `images/${name}/${generation}`;
}

/** Where the boot loaders fetch an image's kernel and initrd, below the TFTP root. */
export function bootImage({
  name,
  generation,
  further,
  initrd,
}: Pick<PublishedImage, 'name' | 'generation' | 'further' | 'initrd'>): BootImage {
  const generationDirectory = bootDirectory(name, generation);
  const directory = further === undefined ? generationDirectory : `${generationDirectory}/${further}`;
  return {
    name,
    generation,
    ...(further === undefined ? {} : { release: further }),
    kernel: `${directory}/vmlinuz`,
    initrds: [`${directory}/${basename(initrd)}`],
  };
}

/** Turns nodes of the inventory, images and layers into what the netboot tree is rendered from. */
export function prepareNetbootSite(
  composer: LayerComposer,
  options: NetbootServerOptions,
  sources: NodeSources,
  nodes: readonly Node[] = composer.values.nodes,
): PreparedSite {
  const { inventory, state } = composer.site;
  const server = servingServer(composer, options.server);
  requireSameArchitecture(nodes, (node) => sources.image(node));
  const images = new Map<string, PublishedImage>();
  const told = { true: server.address, false: undefined };
  const report = typeof inventory.report === 'string' ? inventory.report : told[`${inventory.report}`];
  const taken = new Set(composer.values.nodes.flatMap(({ name, ip }) => [name, ip]));
  const site: NetbootSite = {
    ...(inventory.domain === undefined ? {} : { domain: inventory.domain }),
    ...(inventory.bootLoader === undefined ? {} : { bootFiles: namedBootFiles[inventory.bootLoader] }),
    networks: [...inventory.networks.values()].map((network): DhcpNetwork => {
      const { name, address, prefix, range, gateway, mtu } = network;
      return {
        name,
        subnet: `${address}/${prefix}`,
        ...(range === undefined ? {} : { range }),
        ...(gateway === undefined ? {} : { gateway }),
        ...(mtu === undefined ? {} : { mtu }),
        dns: inventory.dns,
        // DHCP has no names for time servers.
        ntp: inventory.ntp.filter((text) => parseIpv4(text) !== undefined),
      };
    }),
    nodes: nodes.map((node): NetbootNode => {
      const { name, mac, ip, group, variables, architecture } = node;
      const firmware = node.firmware ?? onlyFirmware(architecture);
      const own = sources.host(node);
      const image = sources.image(node);
      images.set(image.initrd, image);
      const sshHostKeys = sources.publicKeys(node);
      return {
        name,
        ...(mac === undefined ? {} : { mac }),
        address: ip,
        groups: [group],
        variables,
        ...(sshHostKeys.length === 0 ? {} : { sshHostKeys }),
        ...(firmware === undefined ? {} : { firmware }),
        architecture,
        boot: nodeBoot(node, image, sources, {
          state,
          report,
          ...nodeBase(node, image, inventory, options.httpRoot),
        }),
        directories: [
          ...(own === undefined
            ? []
            : [{ path: layerVersions(hostDirectory(state, name)), access: 'ro' as const }]),
          ...ownPersistent(node, server, state),
          ...topDirectory(node, server, state),
        ],
      };
    }),
    hosts: [...inventory.servers.values()]
      .filter(({ name, address }) => !taken.has(name) && !taken.has(address))
      .map(({ name, address }) => ({ name, address })),
    server: {
      address: server.address,
      interfaces: options.interfaces,
      tftpRoot: options.tftpRoot,
      ...(options.httpRoot === undefined ? {} : { httpRoot: options.httpRoot }),
    },
    directories: [
      { path: `${state}/images`, access: 'ro' },
      ...(nodes.some((node) => sources.shared(node) !== undefined)
        ? [{ path: `${state}/layers`, access: 'ro' as const }]
        : []),
      ...sharedPersistent(nodes, server),
    ],
  };
  return { site, images: [...images.values()] };
}

function nodeBoot(
  node: Node,
  image: PublishedImage,
  sources: NodeSources,
  {
    state,
    report,
    base,
    layers,
    server,
  }: NodeBase & {
    readonly state: BytePath;
    readonly report: string | undefined;
  },
): NodeBoot {
  const { serialConsole, transport } = node;
  const top = writableTopPlace(node, state);
  const shared = sources.shared(node);
  const host = sources.host(node);
  const parameters: BootParameters = {
    ...(serialConsole === undefined
      ? {}
      : { consoles: ['tty0', `${serialConsole.device},${serialConsole.baud}n8`] }),
    base,
    ...(shared === undefined ? {} : { cluster: [{ ...layers, path: shared }] }),
    // Without a base on the command line nothing else names the server.
    ...(host === undefined ? {} : { host: { ...(transport.pointers ? server : layers), path: host } }),
    ...(transport.pointers && host !== undefined
      ? { pointers: true, roots: { ...server, path: state } }
      : {}),
    ...(transport.nfsVersion === undefined ? {} : { nfsVersion: transport.nfsVersion }),
    ...(transport.options === undefined ? {} : { nfsOptions: transport.options }),
    ...(node.disk === undefined ? {} : { disk: node.disk }),
    ...(top === undefined ? {} : { top }),
    hostname: node.name,
    ...(node.mtu === undefined ? {} : { mtu: node.mtu }),
    ...(node.vlan === undefined ? {} : { vlan: node.vlan }),
    ...(report === undefined ? {} : { report }),
    extra: node.kernelArguments,
  };
  return {
    image: bootImage(image),
    parameters,
    default: node.boot,
    menu: node.menu,
    timeout: node.menuTimeout,
    // Boot loaders number the ports of PCs; a board's own UART is the kernel's business.
    ...(serialConsole?.device.startsWith('ttyS')
      ? { serial: { port: serialConsole.port, baud: serialConsole.baud } }
      : {}),
  };
}

/** Current generations, or those that nodes are pinned to, and layers that were written. A node boots without one that was not, so the user is told. */
export class SourcesOnDisk implements NodeSources {
  readonly #images = new Map<string, PublishedImage>();
  readonly #missing = { shared: new Set<string>(), host: new Set<string>(), drivers: new Set<string>() };
  readonly #places = new Map<string, BytePath | undefined>();

  constructor(
    private readonly fs: FileSystem,
    private readonly composer: LayerComposer,
  ) {}

  image(node: Node): PublishedImage {
    const key = imageKey(node, node.generation);
    let found = this.#images.get(key);
    if (found === undefined) {
      const image = findNodeImage(this.fs, this.#state, node, node.generation);
      const wanted = planDriverInitrd(this.fs, image, node);
      if (wanted?.there === false) this.#missing.drivers.add(node.name);
      found = wanted?.there ? wanted.image : image;
      this.#images.set(key, found);
    }
    return found;
  }

  shared(node: Node): BytePath | undefined {
    const { composer } = this;
    if (composer.overlaysOf(node.group).length === 0) return undefined;
    const name = composer.layerName(node.group, node.image);
    const place = this.#find(sharedLayerDirectory(this.#state, name));
    if (place === undefined) this.#missing.shared.add(name);
    return place;
  }

  host(node: Node): BytePath | undefined {
    const place = this.#find(hostDirectory(this.#state, node.name));
    if (place === undefined) this.#missing.host.add(node.name);
    return place;
  }

  publicKeys({ name }: Node): readonly string[] {
    return keptPublicKeys(this.fs, `${hostDirectory(this.#state, name)}/identity`);
  }

  warnings(): string[] {
    const { shared, host, drivers } = this.#missing;
    const few = (names: ReadonlySet<string>) =>
      [...names].slice(0, 5).join(', ') + (names.size > 5 ? ` and ${names.size - 5} more` : '');
    return [
      ...(shared.size === 0
        ? []
        : [`The overlays of ${few(shared)} were never written: mkroot overlay write`]),
      ...(host.size === 0
        ? []
        : [`These nodes have no layer of their own: ${few(host)} (mkroot node instantiate)`]),
      ...(drivers.size === 0
        ? []
        : [`The initrd for ${few(drivers)} lacks drivers of nodes.yaml: mkroot publish makes it`]),
    ];
  }

  get #state(): BytePath {
    return this.composer.site.state;
  }

  #find(directory: BytePath): BytePath | undefined {
    if (!this.#places.has(directory)) {
      this.#places.set(directory, currentLayer(this.fs, directory)?.layer);
    }
    return this.#places.get(directory);
  }
}

/**
 * The server that a tree is for: by name, or the first one that nodes boot from.
 * @throws MkrootError NotFound.
 */
export function servingServer({ site: { inventory }, values }: LayerComposer, name?: string): Server {
  const { servers, file } = inventory;
  if (name !== undefined) {
    const server = servers.get(name);
    if (server !== undefined) return server;
    throw new MkrootError(`Cannot find the server "${name}": ${file} has ${[...servers.keys()].join(', ')}`, {
      exitCode: ExitCode.NotFound,
    });
  }
  const first = values.nodes[0]?.servers;
  const server = first?.tftp[0] ?? first?.dhcp[0] ?? [...servers.values()][0];
  if (server === undefined) {
    throw new MkrootError(`Cannot write boot files: ${file} has no server that nodes could boot from`, {
      hint: 'Add one to cluster.servers with its address and its roles.',
    });
  }
  return server;
}
