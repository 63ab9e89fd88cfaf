import type { Stage } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Recipe } from '../../recipe/recipe.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import { rpmDatabase } from '../../rootfs/rpm-packages.js';
import type { BuildEnvironment } from './build-environment.js';
import { changeRoot } from './root-layers.js';

const PLAIN = { mode: 0o644, uid: 0, gid: 0 };

/** Name, clock and language of the nodes, and what a root without a disk of its own needs to be different. */
export function configureSystem(recipe: Recipe, environment: BuildEnvironment): Stage {
  const { hostname = 'localhost', timezone = 'Etc/UTC', locale = 'C.UTF-8' } = recipe;
  return {
    name: 'configure-system',
    title: 'Configuring host name, time zone and locale',
    version: 2,
    options: { hostname, timezone, locale },
    files: [],
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        const writer = new RootWriter(context.ports.fs, tree.hostPath);
        setHostName(writer, hostname);
        setTimeZone(writer, timezone);
        if (locale.startsWith('C.') || locale === 'C' || locale === 'POSIX') {
          setLocale(writer, locale);
        } else if (rpmDatabase(writer.sysroot) !== undefined) {
          const [language, charset = 'UTF-8'] = locale.split('.') as [string, string?];
          const directory = `/usr/lib/locale/${language}.${charset.toLowerCase().replaceAll('-', '')}`;
          const pack = `glibc-langpack-${language.split('_')[0]}`;
          requirePackage(writer, `${directory}/LC_CTYPE`, locale, pack);
          setLocale(writer, locale);
        } else {
          requirePackage(writer, '/usr/sbin/locale-gen', locale, 'locales');
          const charset = /\.([A-Za-z0-9-]+)/.exec(locale)?.[1] ?? 'ISO-8859-1';
          writer.file('/etc/locale.gen', `${locale} ${charset}\n`, PLAIN);
          await tree.run(['locale-gen'], { logFile: context.logFile, network: false });
          setLocale(writer, locale);
        }
      }),
  };
}

/**
 * Debian 13 has /etc/default/locale as a link to /etc/locale.conf; before, it is a file that systemd is patched to read.
 * Fedora and EL have only the latter.
 */
function setLocale(writer: RootWriter, locale: string): void {
  const path = '/etc/default/locale';
  const { sysroot } = writer;
  const isDebian12 = rpmDatabase(sysroot) === undefined && sysroot.resolveLink(path)?.stat.kind !== 'symlink';
  writer.file(isDebian12 ? path : '/etc/locale.conf', `LANG=${locale}\n`, PLAIN);
}

function setHostName(writer: RootWriter, hostname: string): void {
  writer.file('/etc/hostname', `${hostname}\n`, PLAIN);
  if (!writer.sysroot.isFile('/etc/hosts')) {
    writer.file(
      '/etc/hosts',
      `127.0.0.1\tlocalhost\n127.0.1.1\t${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`,
      PLAIN,
    );
  }
}

function setTimeZone(writer: RootWriter, timezone: string): void {
  const file = `/usr/share/zoneinfo/${timezone}`;
  if (timezone !== 'Etc/UTC') requirePackage(writer, file, timezone, 'tzdata');
  if (!writer.sysroot.isFile(file)) return; // UTC is what everything assumes without tzdata.
  writer.symlink(file, '/etc/localtime');
  writer.file('/etc/timezone', `${timezone}\n`, PLAIN);
}

function requirePackage(writer: RootWriter, file: string, setting: string, packageName: string): void {
  if (writer.sysroot.isFile(file)) return;
  throw new MkrootError(`Cannot set "${setting}": the root has no ${file}`, {
    exitCode: ExitCode.NotFound,
    hint: `Add the package ${packageName} to the recipe, and check the spelling.`,
  });
}
