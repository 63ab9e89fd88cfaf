/** A scriptlet that failed, whether rpm went on or not. */
export interface FailedScriptlet {
  /** As rpm calls it: `%post`, POSTIN. */
  readonly scriptlet: string;
  /** The package with version and release. */
  readonly package: string;
}

/**
 * A line of dnf or rpm that tells of a failed scriptlet. rpm goes on after most of them and dnf ends with success, but
 * what such a package was to set up is missing then.
 */
export function failedScriptlet(line: string): FailedScriptlet | undefined {
  const found =
    /(%\w+)\(([^()\s]+)\) scriptlet failed/.exec(line) ??
    /Error in <?(\w+)>? scriptlet in rpm package ([^\s:]+)/i.exec(line) ??
    /(\w+) scriptlet failure in rpm package ([^\s:]+)/.exec(line);
  return found === null ? undefined : { scriptlet: found[1]!, package: found[2]! };
}

/** What scriptlets see. kernel-install(8) would make an initramfs with dracut, which takes long and is never booted. */
export const SCRIPTLET_ENVIRONMENT = {
  LC_ALL: 'C.UTF-8',
  SYSTEMD_OFFLINE: '1',
  KERNEL_INSTALL_BYPASS: '1',
} as const;
