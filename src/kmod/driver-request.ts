import { distance } from 'fastest-levenshtein';
import { ExitCode, MkrootError } from '../errors.js';
import { displayPath } from '../ports/byte-path.js';
import { isWildcard, matchesWildcard } from '../rootfs/wildcard.js';
import type { Kernel } from './kernel.js';
import type { ModuleFile } from './module-file.js';
import type { ModuleLookup } from './module-lookup.js';
import { normalizeName } from './module-name.js';

/** Something that a user or a transport wants to be in the image. */
export interface ModuleRequest {
  /** A module's name, an alias, a PCI id (`14e4:1657`, with `:SSSS:SSSS` for the subsystem), or a glob over names. */
  readonly what: string;
  /** `nic`: a network card is meant; `driver`: any module. */
  readonly kind: 'nic' | 'driver';
  /** Who asks, for the explanation of each entry: `--nic tg3`, `compute.yaml:12`. */
  readonly label: string;
  /** It is no error if the kernel does not have it. */
  readonly optional?: boolean | 'with a warning';
}

/** What a request comes to. */
export interface ResolvedRequest {
  readonly modules: readonly string[];
  readonly builtins: readonly string[];
  readonly warnings: readonly string[];
}

/** How many near names an error offers. */
const SUGGESTIONS = 3;

const PCI_ID = /^([0-9a-f]{4}):([0-9a-f]{4})(?::([0-9a-f]{4}):([0-9a-f]{4}))?$/i;

/** What was probably meant as one. */
const HALF_PCI_ID = /^(0x)?[0-9a-f]*:(0x)?[0-9a-f]*(:.*)?$/i;

/** The ids of a `pci:` alias; see do_pci_entry in scripts/mod/file2alias.c. */
const PCI_ALIAS = /^pci:v([0-9A-F]{8}|\*)d([0-9A-F]{8}|\*)sv([0-9A-F]{8}|\*)sd([0-9A-F]{8}|\*)bc(..|\*)/;

/**
 * Finds the modules that a request means.
 * @throws MkrootError with exit code NotFound, which names the nearest modules, if the kernel knows nothing of the kind.
 */
export async function resolveRequest(
  kernel: Kernel,
  lookup: ModuleLookup,
  request: ModuleRequest,
): Promise<ResolvedRequest> {
  const pci = PCI_ID.exec(request.what);
  const { modules, builtins } =
    pci !== null
      ? await findByPciId(lookup, kernel, request, pci)
      : isWildcard(request.what)
        ? findByGlob(lookup, kernel, request)
        : await lookup.find(request.what);
  if (modules.length === 0 && builtins.length === 0) {
    if (request.optional === true) return { modules: [], builtins: [], warnings: [] };
    const error = unknown(kernel, lookup, request, pci !== null);
    if (request.optional === undefined || request.optional === false) throw error;
    return {
      modules: [],
      builtins: [],
      warnings: [`${request.label}: kernel ${displayPath(kernel.release)} has no such thing; it is left out`],
    };
  }
  const strangers =
    request.kind === 'nic' ? modules.filter((name) => !isNetwork(kernel.modules.find(name)!)) : [];
  return {
    modules,
    builtins,
    warnings: strangers.map(
      (name) =>
        `${request.label}: ${name} is no network driver (${displayPath(kernel.modules.find(name)!.relative)}); it is included all the same`,
    ),
  };
}

/** False for a module of the kernel's own tree that lies outside of drivers/net; out-of-tree ones may lie anywhere. */
function isNetwork({ relative }: ModuleFile): boolean {
  return !relative.startsWith('kernel/') || relative.startsWith('kernel/drivers/net/');
}

function findByGlob(lookup: ModuleLookup, kernel: Kernel, { what, kind }: ModuleRequest) {
  const pattern = normalizeName(what);
  const matches = (name: string) => matchesWildcard(pattern, name);
  const modules: string[] = [];
  for (const file of lookup.files()) {
    if (matches(file.name) && (kind !== 'nic' || isNetwork(file))) modules.push(file.name);
  }
  const builtins = kernel.builtins
    .names()
    .filter((name) => matches(name))
    .filter(
      (name) => kind !== 'nic' || kernel.builtins.pathOf(name)?.startsWith('kernel/drivers/net/') === true,
    );
  return { modules: modules.sort(), builtins };
}

async function findByPciId(
  lookup: ModuleLookup,
  kernel: Kernel,
  { kind }: ModuleRequest,
  [, vendor, device, subVendor, subDevice]: readonly (string | undefined)[],
) {
  const scope = kind === 'nic' ? 'network' : 'drivers';
  const aliases = await lookup.aliases(scope, (file) =>
    kind === 'nic'
      ? isNetwork(file)
      : !file.relative.startsWith('kernel/') || file.relative.startsWith('kernel/drivers/'),
  );
  const wanted = [vendor, device, subVendor, subDevice].map((id) => id?.toUpperCase().padStart(8, '0'));
  const claims = (pattern: string): boolean => {
    const fields = PCI_ALIAS.exec(pattern);
    // Drivers of a whole class (AHCI, xHCI) name no vendor: the id alone cannot tell whether they are meant.
    if (fields === null || fields[1] !== wanted[0]) return false;
    return [2, 3, 4].every(
      (i) => fields[i] === '*' || wanted[i - 1] === undefined || fields[i] === wanted[i - 1],
    );
  };
  const modules = new Set<string>();
  for (const { pattern, module } of aliases) {
    if (!pattern.startsWith('pci:v') || !claims(pattern)) continue;
    const file = kernel.modules.find(module);
    if (file !== undefined && (kind !== 'nic' || isNetwork(file))) modules.add(module);
  }
  const builtins = new Set<string>();
  for (const { pattern, module } of kernel.builtins.aliases()) if (claims(pattern)) builtins.add(module);
  return { modules: [...modules].sort(), builtins: [...builtins].sort() };
}

function unknown(kernel: Kernel, lookup: ModuleLookup, request: ModuleRequest, isPci: boolean): MkrootError {
  const noun = request.kind === 'nic' ? 'network driver' : 'module';
  const where = `kernel ${displayPath(kernel.release)} has no ${noun} ${isPci ? 'for this PCI id' : isWildcard(request.what) ? 'that matches' : 'of this name'}`;
  const near = isPci ? [] : nearest(lookup, request);
  return new MkrootError(`Cannot find ${noun} "${displayPath(request.what)}" (${request.label}): ${where}`, {
    exitCode: ExitCode.NotFound,
    hint: isPci
      ? 'See `lspci -nn` for the id; name the driver itself if it does not list the id.'
      : HALF_PCI_ID.test(request.what)
        ? 'A PCI id is two numbers of four hexadecimal digits, as `lspci -nn` prints it: 14e4:1657.'
        : near.length === 0
          ? `Modules of this kernel lie in ${displayPath(kernel.directory)}.`
          : `Did you mean ${near.join(', ')}?`,
  });
}

/** The nearest names, nearest first; network drivers only if a network card is meant. */
function nearest(lookup: ModuleLookup, { what, kind }: ModuleRequest): string[] {
  const wanted = normalizeName(what).replace(/[*?[\]!^]/g, '');
  const limit = Math.max(2, Math.floor(wanted.length / 2));
  const candidates: { name: string; far: number }[] = [];
  for (const file of lookup.files()) {
    if (kind === 'nic' && !isNetwork(file)) continue;
    const far = distance(wanted, file.name);
    if (far <= limit) candidates.push({ name: file.name, far });
  }
  return candidates
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name);
}
