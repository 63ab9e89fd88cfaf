import { mirrorOf } from './mirror-of.js';

/** What the least system that boots is made of. */
export const LEAST_PACKAGES = 'packages: [systemd, systemd-sysv, udev, dbus, kmod, busybox-static]';

/** Recipe of a node for i386, without its name: the last suite with a kernel for it. */
export function i386Recipe(): string {
  return [
    'architecture: i386',
    'distribution: debian',
    'suite: bookworm',
    // Only the main suite: updates of a port that is no longer released are often broken on mirrors.
    `mirror: ${mirrorOf('bookworm')}`,
    LEAST_PACKAGES,
  ].join('\n');
}
