import { type ByteSource, badModule, readElfSections, sectionNamed } from './elf-sections.js';
import { normalizeName } from './module-name.js';

/** Modules that should be loaded before and after another one; names or aliases, as written. */
export interface Softdep {
  readonly pre: readonly string[];
  readonly post: readonly string[];
}

/** What a module says about itself in its `.modinfo` section; see modinfo(8) and include/linux/module.h. */
export interface ModuleInfo {
  /** As the module spells it; old modules have none. */
  readonly name: string | undefined;
  readonly vermagic: string | undefined;
  /** Direct dependencies with '_' for '-'; undefined if the module does not say (it was built without modpost's list). */
  readonly depends: readonly string[] | undefined;
  readonly aliases: readonly string[];
  readonly softdep: Softdep;
  /** Modules that it may ask for at run time: to be shipped, not loaded. */
  readonly weakdeps: readonly string[];
  /** Names below the firmware directories; may be patterns. */
  readonly firmware: readonly string[];
}

/**
 * Reads `.modinfo` of a kernel module. An object without that section is a module that says nothing.
 * @throws MkrootError that names the file if it is no ELF object or is damaged.
 */
export function readModuleInfo(source: ByteSource): ModuleInfo {
  const elf = readElfSections(source);
  const section = sectionNamed(source, elf, '.modinfo');
  if (section === undefined && !elf.sections.some(({ name }) => name === '.gnu.linkonce.this_module')) {
    throw badModule(
      source,
      'it is an ELF object, but no kernel module (it has neither .modinfo nor __this_module)',
    );
  }
  return parseModuleInfo(
    Buffer.from(section ?? [])
      .toString('latin1')
      .split('\0'),
  );
}

/** Interprets `key=value` strings, from a `.modinfo` section or from modules.builtin.modinfo. */
export function parseModuleInfo(strings: readonly string[]): ModuleInfo {
  const values = (key: string) =>
    strings.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const depends = values('depends');
  return {
    name: values('name')[0],
    vermagic: values('vermagic')[0],
    depends:
      depends.length === 0
        ? undefined
        : depends
            .flatMap((list) => list.split(',').map((name) => normalizeName(name.trim())))
            .filter(Boolean),
    aliases: values('alias'),
    softdep: mergeSoftdeps(values('softdep').map(parseSoftdep)),
    weakdeps: values('weakdep').flatMap(words),
    firmware: values('firmware'),
  };
}

/** `pre: a b post: c` as in modprobe.d(5); words before the first of both keywords mean nothing to kmod, nor here. */
export function parseSoftdep(text: string): Softdep {
  const pre: string[] = [];
  const post: string[] = [];
  let list: string[] | undefined;
  for (const word of words(text)) {
    if (word === 'pre:') list = pre;
    else if (word === 'post:') list = post;
    else list?.push(word);
  }
  return { pre, post };
}

/** Several softdep lines of one module as one. */
export function mergeSoftdeps(softdeps: readonly Softdep[]): Softdep {
  return { pre: softdeps.flatMap(({ pre }) => pre), post: softdeps.flatMap(({ post }) => post) };
}

function words(text: string): string[] {
  return text.split(/[ \t]+/).filter((word) => word !== '');
}
