import type { BytePath } from '../ports/byte-path.js';
import type { InstalledPackage } from './dpkg-status.js';
import type { Sysroot } from './sysroot.js';

/** Where rpm may have its database: since Fedora 36 and EL 10, before, and where Debian's looks that is run by root. */
export const RPM_DATABASES = ['/usr/lib/sysimage/rpm', '/var/lib/rpm', '/root/.rpmdb'] as const;

/** The files of rpm's backends sqlite, ndb and Berkeley DB. */
const DATABASE_FILES = ['rpmdb.sqlite', 'Packages.db', 'Packages'];

/** Directory of the root's rpm database, or undefined. */
export function rpmDatabase(sysroot: Sysroot): BytePath | undefined {
  return RPM_DATABASES.find((directory) =>
    DATABASE_FILES.some((file) => sysroot.isFile(`${directory}/${file}`)),
  );
}

/** What `rpm --query --all` is asked to print, for {@link parseRpmPackages}. */
export const RPM_QUERY_FORMAT = '%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\n';

/** The packages of an rpm database, sorted by name, then architecture. Keys, which rpm keeps as packages, are left out. */
export function parseRpmPackages(text: string): InstalledPackage[] {
  return text
    .split('\n')
    .flatMap((line) => {
      const [name, version, architecture] = line.split('\t');
      if (name === undefined || version === undefined || name === 'gpg-pubkey') return [];
      return [{ name, version: version.replace(/^0:/, ''), architecture: architecture ?? '' }];
    })
    .sort((a, b) => compare(a.name, b.name) || compare(a.architecture, b.architecture));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
