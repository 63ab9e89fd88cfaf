import { suggestion } from '../../decode/nearest-name.js';
import { type Problem, problemReport } from '../../decode/problem.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Inventory } from '../../inventory/inventory.js';
import type { Node } from '../../inventory/node.js';
import { Allowances } from '../../layers/allowances.js';
import type { HostIdentity } from '../../layers/host-identity.js';
import { type HostFacts, hostLayer } from '../../layers/host-layer.js';
import { layerManifest } from '../../layers/layer-manifest.js';
import { LAYER_RULES, type LayerFinding } from '../../layers/layer-rules.js';
import { LayerTree } from '../../layers/layer-tree.js';
import { type LayerView, StackView } from '../../layers/layer-view.js';
import { lintImage } from '../../layers/lint-image.js';
import { lintLayer } from '../../layers/lint-layer.js';
import type { TemplateVariables } from '../../layers/overlay-templates.js';
import { type Overlay, readOverlay } from '../../layers/read-overlay.js';
import { renderOverlay } from '../../layers/render-overlay.js';
import { settleLayer } from '../../layers/settle-layer.js';
import { findLayerVersion } from '../../layers/write-layer.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type BaseRoot, openBase } from './open-base.js';
import { persistentList } from './persistent-paths.js';
import { TemplateValues } from './template-variables.js';

/** A site and the state directory that its images are in. */
export interface LayerSite {
  readonly inventory: Inventory;
  /** Absolute path of the site's directory. */
  readonly directory: BytePath;
  /** Put before a path below the site to name it for the user: empty, or ending in a slash. */
  readonly label: string;
  readonly state: BytePath;
  /** Generations to lie on instead of the current ones, by image. */
  readonly generations?: ReadonlyMap<string, string>;
}

/** A layer that is put together, and what the linter says about it. */
export interface ComposedLayer {
  readonly tree: LayerTree;
  readonly base: BaseRoot;
  /** The overlays in it, the lowest first. */
  readonly overlays: readonly Overlay[];
  readonly findings: readonly LayerFinding[];
}

/** The layer that all nodes of a group share that boot the same image. */
export interface SharedLayer extends ComposedLayer {
  readonly group: string;
  /** Name of the layer: that of the group, followed by `@IMAGE` for nodes that boot another image than their group. */
  readonly name: string;
}

/** A node's own layer, above the shared one. */
export interface HostLayer extends ComposedLayer {
  readonly node: Node;
  readonly shared: SharedLayer;
  /** Whether it may depend on nodes besides this one: a template asks for the list of all. */
  readonly readsNodes: boolean;
}

/** Directories of a site for host layers: one for every node, one for each. */
export const HOST_OVERLAYS = 'hosts';

/** The overlay in {@link HOST_OVERLAYS} that every host layer is made from, as the Hopeless paper's template-minimal. */
export const HOST_TEMPLATE = 'template';

/** Puts layers together from a site. Overlays are read, and shared layers made, once. */
export class LayerComposer {
  readonly values: TemplateValues;
  readonly #overlays = new Map<string, Overlay>();
  readonly #bases = new Map<string, BaseRoot>();
  readonly #shared = new Map<string, SharedLayer>();
  readonly #sharedNamesOf = new Map<string, ReadonlySet<string>>();
  readonly #pointers = new Map<SharedLayer, string>();
  #hosts: ReadonlySet<string> | undefined;
  readonly #allowances = new Allowances();
  /** Overlays with problems, and whether some could not be read at all; only with {@link tell}. */
  readonly #spoilt = new Set<Overlay>();
  readonly #unread = new Set<string>();

  /**
   * @param tell is told the problems of overlays, whose layers are then put together as far as that goes, to be linted and
   *   never to be written. Without it the first layer that has some ends in an error.
   */
  constructor(
    private readonly fs: ReadFileSystem,
    readonly site: LayerSite,
    values = new TemplateValues(site.inventory),
    private readonly tell?: (problems: readonly Problem[]) => void,
  ) {
    this.values = values;
  }

  /** The same site on another generation of an image. */
  onGeneration(image: string, generation: string): LayerComposer {
    const generations = new Map([...(this.site.generations ?? []), [image, generation]]);
    return new LayerComposer(this.fs, { ...this.site, generations }, this.values, this.tell);
  }

  /** The root of an image. */
  base(image: string): BaseRoot {
    let base = this.#bases.get(image);
    if (base === undefined) {
      base = openBase(this.fs, this.site.state, image, this.site.generations?.get(image));
      this.#bases.set(image, base);
    }
    return base;
  }

  /** Images that layers were put together for although they were never built, by name. */
  missingImages(): string[] {
    return [...this.#bases.values()].filter(({ root }) => root === undefined).map(({ image }) => image);
  }

  /** Secrets in the images that layers were put together for, by image. */
  imageFindings(): Map<string, LayerFinding[]> {
    const built = [...this.#bases.values()].filter(({ root }) => root !== undefined);
    return new Map(built.map(({ image, root = '' }) => [image, lintImage(this.fs, root, image)]));
  }

  /** The image that a group boots unless a node says otherwise; undefined if only its nodes say. */
  imageOf(group: string): string | undefined {
    const { inventory } = this.site;
    return (
      this.#group(group).source.settings.image ??
      inventory.cluster.settings.image ??
      this.values.nodes.find((node) => node.group === group)?.image
    );
  }

  /** Names of the overlays that a group's nodes share, the lowest first. */
  overlaysOf(group: string): string[] {
    const { cluster } = this.site.inventory;
    const names = [
      ...(cluster.settings.overlays ?? []),
      ...(this.#group(group).source.settings.overlays ?? []),
    ];
    return [...new Set(names)];
  }

  /** Name of the layer that those of a group's nodes share that boot this image. */
  layerName(group: string, image: string): string {
    return image === this.imageOf(group) ? group : `${group}@${image}`;
  }

  /**
   * The layer that a group's nodes share.
   * @throws MkrootError InvalidInput with every problem of its overlays.
   */
  shared(group: string, image = this.#imageOrFail(group)): SharedLayer {
    const name = this.layerName(group, image);
    let layer = this.#shared.get(name);
    if (layer === undefined) {
      const base = this.base(image);
      const overlays = this.sharedOverlays(group);
      const values = this.values.group(group, image);
      layer = { group, name, ...this.compose(overlays, base, [base.view], true, () => values) };
      this.#shared.set(name, layer);
    }
    return layer;
  }

  /** Overlays of a group that are rendered once for all of its nodes. */
  sharedOverlays(group: string): Overlay[] {
    return this.overlays(this.overlaysOf(group)).filter(({ settings }) => settings.scope !== 'node');
  }

  /**
   * A node's own layer; without an identity it has no machine-id and no keys.
   * @param overlays by default all that belong to host layers.
   */
  host(node: Node, identity?: HostIdentity, overlays = this.hostOverlays(node)): HostLayer {
    const shared = this.shared(node.group, node.image);
    const below = [shared.tree, shared.base.view];
    const identityLayer = hostLayer(
      { ...this.hostFacts(node), ...(identity === undefined ? {} : { identity }) },
      (path) => shared.tree.entry(path) !== undefined,
    );
    // Templates of scope cluster get other variables, whose use nobody watches.
    let readsNodes = overlays.some(({ settings }) => settings.scope === 'cluster');
    const values = this.values.node(node, () => {
      readsNodes = true;
    });
    const composed = this.compose(overlays, shared.base, below, false, () => values, identityLayer);
    return { node, shared, readsNodes, ...composed };
  }

  /** Overlays that become part of a node's own layer, the lowest first. */
  hostOverlays(node: Node): Overlay[] {
    const shared = this.#sharedNames(node.group);
    const own = this.overlays(node.overlays.filter((name) => !shared.has(name)));
    const hosts = [HOST_TEMPLATE, node.name]
      .filter((name) => this.#hostNames.has(name))
      .map((name) => `${HOST_OVERLAYS}/${name}`);
    return [...own, ...hosts.flatMap((path) => this.#overlay(path, path) ?? [])];
  }

  /** Names of the overlays of {@link sharedOverlays}. */
  #sharedNames(group: string): ReadonlySet<string> {
    let names = this.#sharedNamesOf.get(group);
    if (names === undefined) {
      names = new Set(this.sharedOverlays(group).map(({ name }) => name));
      this.#sharedNamesOf.set(group, names);
    }
    return names;
  }

  /** Names of the directories in {@link HOST_OVERLAYS}, links to directories included. */
  get #hostNames(): ReadonlySet<string> {
    this.#hosts ??= directoriesIn(this.fs, `${this.site.directory}/${HOST_OVERLAYS}`);
    return this.#hosts;
  }

  /** Reads overlays by name. */
  overlays(names: readonly string[]): Overlay[] {
    return names.flatMap((name) => this.#overlay(name, `overlays/${name}`) ?? []);
  }

  /** Renders overlays over each other and lints what comes out. */
  compose(
    overlays: readonly Overlay[],
    base: BaseRoot,
    below: readonly LayerView[],
    shared: boolean,
    values: (overlay: Overlay) => TemplateVariables,
    start = new LayerTree('mkroot'),
  ): ComposedLayer {
    const tree = start;
    const problems: Problem[] = [];
    const idle: LayerFinding[] = [];
    for (const overlay of overlays) {
      const variables = overlay.settings.scope === 'cluster' ? this.values.cluster() : values(overlay);
      const rendered = renderOverlay(this.fs, overlay, {
        variables,
        accounts: base.accounts,
        below: new StackView([tree, ...below]),
      });
      problems.push(...rendered.problems);
      if (rendered.problems.length > 0) this.#spoilt.add(overlay);
      if (base.root !== undefined && this.#unread.size === 0) {
        idle.push(...rendered.idleDeletions.map(({ pattern }) => idleFinding(overlay, pattern)));
      }
      tree.merge(rendered.tree);
    }
    if (problems.length > 0) this.#report(problems);
    const stack = new StackView(below);
    settleLayer(tree, stack);
    const findings = lintLayer(this.fs, tree, {
      shared,
      below: stack,
      image: base.root !== undefined,
      complete: this.#unread.size === 0,
      accounts: base.accounts,
      hostDirectories: [this.site.directory, this.site.state],
    });
    return { tree, base, overlays, findings: this.#allowances.without([...findings, ...idle], overlays) };
  }

  /** Overlays that layers were put together from, in the order of their first use. */
  get usedOverlays(): readonly Overlay[] {
    return [...this.#overlays.values()];
  }

  /** Labels of the overlays that have no part in any layer, because what they are is not known. */
  get unreadOverlays(): readonly string[] {
    return [...this.#unread];
  }

  /** Indexes of an overlay's allowances that allowed nothing; none while a file that they may be about was not looked at. */
  idleAllowances(overlay: Overlay): number[] {
    return this.#unread.size > 0 || this.#spoilt.has(overlay) ? [] : this.#allowances.idle(overlay);
  }

  #report(problems: readonly Problem[]): void {
    if (this.tell === undefined) throw overlayProblems(problems);
    this.tell(problems);
  }

  #overlay(name: string, path: string): Overlay | undefined {
    const label = `${this.site.label}${path}`;
    if (this.#unread.has(label)) return undefined;
    let overlay = this.#overlays.get(path);
    if (overlay === undefined) {
      const read = readOverlay(this.fs, {
        name,
        directory: `${this.site.directory}/${toBytePath(path)}`,
        label,
      });
      if ('problems' in read) {
        this.#report(read.problems);
        if (read.overlay === undefined) {
          this.#unread.add(label);
          return undefined;
        }
        overlay = read.overlay;
        this.#spoilt.add(overlay);
      } else overlay = read;
      this.#overlays.set(path, overlay);
    }
    return overlay;
  }

  /** What a node's own layer is made from, besides its identity and overlays. */
  hostFacts(node: Node): Omit<HostFacts, 'identity'> {
    const shared = this.shared(node.group, node.image);
    const { ip, prefix, gateway, domain, mac, mtu, vlan, dns, name } = node;
    const persistent = persistentList(node, this.site.state);
    return {
      name,
      dns,
      address: { ip, prefix, ...(gateway === undefined ? {} : { gateway }) },
      ...(domain === undefined ? {} : { domain }),
      ...(mac === undefined ? {} : { mac }),
      ...(mtu === undefined ? {} : { mtu }),
      ...(vlan === undefined ? {} : { vlan }),
      ...(persistent === undefined ? {} : { persistent }),
      others: [...this.site.inventory.servers.values()].map((server) => ({
        ip: server.address,
        name: server.name,
      })),
      // Below the state directory. The generation itself: the layer fits it, and no NFS server has to follow a link.
      root: shared.base.root?.slice(this.site.state.length + 1) ?? `images/${node.image}`,
      ...(shared.overlays.length === 0 ? {} : { overlay: this.#overlayPointer(node, shared) }),
    };
  }

  /** What the boot follows has to be what is published with it, and no NFS server has to follow a link. */
  #overlayPointer({ transport }: Node, shared: SharedLayer): string {
    const directory = `layers/${toBytePath(shared.name)}`;
    if (!transport.pointers) return `${directory}/current/layer`;
    let pointer = this.#pointers.get(shared);
    if (pointer === undefined) {
      const contents = layerManifest(this.fs, shared.tree);
      const { version } = findLayerVersion(this.fs, `${this.site.state}/${directory}`, contents);
      pointer = version.layer.slice(this.site.state.length + 1);
      this.#pointers.set(shared, pointer);
    }
    return pointer;
  }

  #group(name: string) {
    const { groups } = this.site.inventory;
    const group = groups.get(name);
    if (group !== undefined) return group;
    throw new MkrootError(
      `Cannot find group "${name}": ${this.site.inventory.file} has none of that name${suggestion(name, [...groups.keys()])}`,
      { exitCode: ExitCode.NotFound },
    );
  }

  #imageOrFail(group: string): string {
    const image = this.imageOf(group);
    if (image !== undefined) return image;
    throw new MkrootError(`Cannot make the layer of group "${group}": nothing says which image it boots`, {
      exitCode: ExitCode.InvalidInput,
      hint: `Add "image: NAME" to the group in ${this.site.inventory.file}.`,
    });
  }
}

function directoriesIn(fs: ReadFileSystem, directory: BytePath): Set<string> {
  const names = fs.lstat(`${directory}/.`)?.kind === 'directory' ? fs.readdir(directory) : [];
  return new Set(names.filter((name) => fs.lstat(`${directory}/${name}/.`)?.kind === 'directory'));
}

function overlayProblems(problems: readonly Problem[]): MkrootError {
  const [
    {
      position: { file },
    } = { position: { file: '' } },
  ] = problems;
  return problemReport(
    { what: 'overlay', file, hint: 'Templates and overlay.yaml are explained in docs/layers.md.' },
    problems,
  );
}

function idleFinding({ label }: Overlay, pattern: string): LayerFinding {
  const { severity, remedy } = LAYER_RULES['idle-deletion'];
  return {
    rule: 'idle-deletion',
    severity,
    path: pattern,
    origin: `${label}/overlay.yaml`,
    what: 'nothing below has it',
    remedy,
  };
}
