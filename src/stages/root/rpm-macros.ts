import type { BytePath } from '../../ports/byte-path.js';

/** rpm's own settings, read from $HOME/.rpmmacros after all others. */
export function rpmMacros(databaseDirectory: BytePath): string {
  return [
    // Debian's rpm would use a directory below $HOME, where nobody looks for it later.
    `%_dbpath ${databaseDirectory}`,
    // Mounts of the build lie there: rpm must not change their owners and modes.
    '%_netsharedpath /proc:/sys:/dev',
    // Plugins that ask the host's own systemd and SELinux policy.
    '%__transaction_selinux %{nil}',
    '%__transaction_systemd_inhibit %{nil}',
    '',
  ].join('\n');
}
