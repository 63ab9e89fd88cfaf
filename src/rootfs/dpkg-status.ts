import type { Sysroot } from './sysroot.js';

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/**
 * The installed packages of a root from dpkg's database (/var/lib/dpkg/status, deb822), sorted by name, then
 * architecture. Packages that are only configured or half-way are left out. Empty without a database.
 */
export function installedPackages(sysroot: Sysroot): InstalledPackage[] {
  const status = '/var/lib/dpkg/status';
  if (!sysroot.isFile(status)) return [];
  return parseDpkgStatus(Buffer.from(sysroot.readFile(status)).toString('utf8'));
}

/** See {@link installedPackages}. */
export function parseDpkgStatus(text: string): InstalledPackage[] {
  return text
    .split(/\n\n+/)
    .flatMap((stanza) => {
      const name = field(stanza, 'Package');
      const version = field(stanza, 'Version');
      const installed = field(stanza, 'Status')?.endsWith(' installed');
      if (name === undefined || version === undefined || !installed) return [];
      return [{ name, version, architecture: field(stanza, 'Architecture') ?? '' }];
    })
    .sort(
      (a, b) =>
        (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || (a.architecture < b.architecture ? -1 : 1),
    );
}

function field(stanza: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'm').exec(stanza)?.[1];
}
