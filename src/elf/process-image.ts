import type { BytePath } from '../ports/byte-path.js';
import type { FollowedLink, Resolved } from '../rootfs/sysroot.js';
import type { ClosureCause } from './closure-cause.js';
import type { ElfFile } from './elf-file.js';
import {
  type Asker,
  type FoundLibrary,
  type LibrarySearch,
  missingLibrary,
  type SearchMiss,
} from './library-search.js';
import type { Loader } from './loader.js';
import { isMuslItself } from './musl-path.js';

/** A program or library in a process, as the loader's list of objects would have it. */
export interface LoadedObject extends Asker {
  readonly resolved: Resolved;
  readonly cause: ClosureCause;
  readonly loadedBy: LoadedObject | undefined;
  /** Every name by which it can be asked for again without a search. */
  readonly names: Set<BytePath>;
  /** Every link on the ways by which it was found. */
  readonly links: FollowedLink[];
  /** Names under which it has to stand in a default directory, because the loader would not find it otherwise. */
  readonly placements: Set<BytePath>;
}

/** One program with all that its loader brings in: a walk in breadth, in the loader's own order. */
export class ProcessImage {
  readonly objects: LoadedObject[] = [];
  /** How many of {@link objects} have had their DT_NEEDED loaded. */
  #complete = 0;

  private constructor(
    private readonly search: LibrarySearch,
    readonly loader: Loader,
  ) {}

  /**
   * Loads a program (or a library, as dlopen(3) would) with its loader and everything that it needs.
   * @param interpreter the loader's file, undefined if the file names none
   * @throws MkrootError if a library is missing or damaged.
   */
  static load(
    search: LibrarySearch,
    loader: Loader,
    program: { readonly elf: ElfFile; readonly resolved: Resolved; readonly cause: ClosureCause },
    interpreter: Resolved | undefined,
  ): ProcessImage {
    const image = new ProcessImage(search, loader);
    const { elf, resolved, cause } = program;
    const main = image.#add({ elf, resolved, cause, openedAs: resolved.path, loadedBy: undefined });
    if (interpreter !== undefined) {
      const object = image.#add({
        elf: search.read(interpreter),
        resolved: interpreter,
        cause: { kind: 'interpreter', of: resolved.path },
        openedAs: loader.path,
        loadedBy: main,
      });
      object.names.add(loader.path);
    }
    image.#loadNeeded();
    return image;
  }

  get main(): LoadedObject {
    return this.objects[0]!;
  }

  /** The object that answers to a name, if it is loaded already. */
  loaded(name: BytePath): LoadedObject | undefined {
    return this.objects.find((object) => object.names.has(name));
  }

  /**
   * Loads one more library, and what it needs, on behalf of a loaded object (dlopen(3)). Undefined if it does not exist.
   * @throws MkrootError if it exists but one that it needs does not; the image is then as it was before.
   */
  open(name: BytePath, asker: LoadedObject, cause: ClosureCause): LoadedObject | undefined {
    const [before, complete] = [this.objects.length, this.#complete];
    try {
      const object = this.#request(name, asker, cause);
      if ('searched' in object) return undefined;
      this.#loadNeeded();
      return object;
    } catch (error) {
      this.objects.length = before;
      this.#complete = complete;
      throw error;
    }
  }

  #loadNeeded(): void {
    for (; this.#complete < this.objects.length; this.#complete += 1) {
      const asker = this.objects[this.#complete]!;
      for (const name of asker.elf.dynamic?.needed ?? []) {
        const cause: ClosureCause = { kind: 'needed', of: asker.path, soname: name };
        const found = this.#request(name, asker, cause);
        if ('searched' in found) throw missingLibrary(name, asker, found);
      }
    }
  }

  #request(name: BytePath, asker: LoadedObject, cause: ClosureCause): LoadedObject | SearchMiss {
    const known = this.loaded(name) ?? this.#muslItself(name);
    if (known !== undefined) return known;
    const found = this.search.find(name, asker, this.loader);
    if ('searched' in found) return found;
    const same = this.objects.find(({ path }) => path === found.resolved.path);
    const object = same ?? this.#add({ ...found, cause, loadedBy: asker });
    object.names.add(name);
    if (same !== undefined) object.links.push(...found.resolved.links);
    if (this.#needsPlacement(found, asker)) object.placements.add(name);
    return object;
  }

  /**
   * A library of ld.so.conf stands in a default directory through a link, and its $ORIGIN is then that directory; so what
   * it finds by $ORIGIN needs a link too.
   */
  #needsPlacement(found: FoundLibrary, asker: LoadedObject): boolean {
    return found.needsPlacement || (found.usesOrigin && asker.placements.size > 0);
  }

  #muslItself(name: BytePath): LoadedObject | undefined {
    if (this.loader.flavour !== 'musl' || !isMuslItself(name)) return undefined;
    return this.objects.find(({ cause }) => cause.kind === 'interpreter');
  }

  #add(object: Pick<LoadedObject, 'elf' | 'resolved' | 'cause' | 'openedAs' | 'loadedBy'>): LoadedObject {
    const { elf, resolved, cause, openedAs, loadedBy } = object;
    const { soname } = elf.dynamic ?? {};
    // musl does not look at DT_SONAME; it knows a library by the name under which it was found.
    const names = this.loader.flavour === 'glibc' && soname !== undefined ? [soname] : [];
    const added: LoadedObject = {
      elf,
      resolved,
      cause,
      openedAs,
      loadedBy,
      path: resolved.path,
      names: new Set(names),
      links: [...resolved.links],
      placements: new Set(),
    };
    this.objects.push(added);
    return added;
  }
}
