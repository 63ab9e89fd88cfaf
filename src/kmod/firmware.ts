import type { BytePath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import { isWildcard, matchesWildcard } from '../rootfs/wildcard.js';
import type { Compression } from './module-name.js';

/** A firmware file in the root. */
export interface FoundFirmware {
  /** As the module asks for it, patterns expanded: `tigon/tg3.bin`. */
  readonly name: BytePath;
  /** Where it really lies inside the root, every link followed. */
  readonly path: BytePath;
  readonly hostPath: BytePath;
  readonly compression: Compression;
  /**
   * Where it goes in an image: unpacked, under the name that the kernel tries first, so that it is found whether or not the
   * kernel can unpack firmware (CONFIG_FW_LOADER_COMPRESS).
   */
  readonly target: BytePath;
}

/** The kernel tries all directories for the plain name, then all for `.zst`, then `.xz` (drivers/base/firmware_loader). */
const FORMS: readonly (readonly [string, Compression])[] = [
  ['', 'none'],
  ['.zst', 'zstd'],
  ['.xz', 'xz'],
];

/** Which Debian package (component non-free-firmware) brings a firmware name; the first match counts. */
const DEBIAN_PACKAGES: readonly (readonly [RegExp, string])[] = [
  [/^bnx2\//, 'firmware-bnx2'],
  [/^bnx2x\//, 'firmware-bnx2x'],
  [/^(rtl_nic|rtlwifi|rtw88|rtw89|rtl_bt)\//, 'firmware-realtek'],
  [/^(qed|qlogic|ql\d+)/, 'firmware-qlogic'],
  [/^(liquidio)\//, 'firmware-cavium'],
  [/^(netronome)\//, 'firmware-netronome'],
  [/^phanfw/, 'firmware-netxen'],
  [/^myri10ge/, 'firmware-myricom'],
  [/^mrvl\/prestera\//, 'firmware-marvell-prestera'],
  [/^iwlwifi-/, 'firmware-iwlwifi'],
  [/^(ath9k_htc|ath10k|ath11k|ath12k|ath6k|qca)\//, 'firmware-atheros'],
  [/^(brcm|cypress)\//, 'firmware-brcm80211'],
  [/^mediatek\//, 'firmware-mediatek'],
  [/^amdgpu\/|^radeon\//, 'firmware-amd-graphics'],
  [/^(av7110|ositech|usbdux|isci|keyspan_pda|dsp56k|carl9170)/, 'firmware-linux-free'],
];

/** The Debian package that most likely brings this firmware. */
export function debianFirmwarePackage(name: BytePath): string {
  return DEBIAN_PACKAGES.find(([pattern]) => pattern.test(name))?.[1] ?? 'firmware-misc-nonfree';
}

/** Finds firmware in a root as the running kernel would; see Documentation/driver-api/firmware/fw_search_path.rst. */
export class FirmwareSearch {
  readonly #directories: readonly BytePath[];

  constructor(
    private readonly sysroot: Sysroot,
    release: string,
  ) {
    const base = '/lib/firmware';
    this.#directories = [`${base}/updates/${release}`, `${base}/updates`, `${base}/${release}`, base];
  }

  /** The files that a `firmware=` string means, sorted by name; none if the root lacks them. */
  find(name: BytePath): FoundFirmware[] {
    const names = isWildcard(name) ? this.#expand(name) : [name];
    return names.map((one) => this.#findOne(one)).filter((found) => found !== undefined);
  }

  #findOne(name: BytePath): FoundFirmware | undefined {
    // A module is free to name anything; '..' would place the file outside of the firmware directory.
    if (name === '' || name.split('/').includes('..')) return undefined;
    for (const [suffix, compression] of FORMS) {
      for (const directory of this.#directories) {
        const found = this.sysroot.resolve(`${directory}/${name}${suffix}`);
        if (found?.stat.kind !== 'file') continue;
        const { path, hostPath } = found;
        return { name, path, hostPath, compression, target: `${directory}/${name}` };
      }
    }
    return undefined;
  }

  /** Names below the firmware directories that match, through links to directories, each component by itself. */
  #expand(pattern: BytePath): BytePath[] {
    const components = pattern.split('/').filter((component) => component !== '');
    const found = new Set<BytePath>();
    for (const directory of this.#directories) {
      let names = [''];
      for (const [index, component] of components.entries()) {
        const isLast = index === components.length - 1;
        names = names.flatMap((above) =>
          this.#children(`${directory}${above}`, component, isLast).map((child) => `${above}/${child}`),
        );
      }
      for (const name of names) found.add(name.slice(1));
    }
    return [...found].sort();
  }

  #children(directory: BytePath, component: string, isFile: boolean): BytePath[] {
    if (component === '..') return [];
    if (!isWildcard(component) && !isFile) return [component];
    const names = this.sysroot.list(directory);
    const plain = isFile ? names.map((name) => name.replace(/\.(zst|xz)$/, '')) : names;
    return [...new Set(plain)].filter((name) => matchesWildcard(component, name));
  }
}
