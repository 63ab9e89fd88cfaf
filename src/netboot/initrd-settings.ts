import { MkrootError } from '../errors.js';

/**
 * What the builder of an initrd tells the /init inside: the one shared contract of both sides. Written to
 * {@link initrdSettingsPath} by {@link renderInitrdSettings}, read by initramfs-skel/lib/mkroot/settings.sh.
 */
export interface InitrdSettings {
  /** Version of mkroot. */
  readonly version: string;
  /** Name of the image, empty for a root that mkroot did not build. */
  readonly image: string;
  /** Generation of the image, empty for a root that mkroot did not build. */
  readonly generation: string;
  /** Kernel release, the name of the directory below /lib/modules. */
  readonly kernel: string;
  /** Modules that are loaded on every node, in this order; {@link alwaysLoadedModules} unless there is a reason. */
  readonly modules: readonly string[];
  /** Network drivers that were asked for: loaded by name where no device's alias matched. */
  readonly nicModules: readonly string[];
  /** Seconds since the epoch; the node's clock is never earlier than this. */
  readonly built: number;
  /** mkroot.* parameters in command-line form that hold where neither command line nor DHCP say otherwise. */
  readonly defaults: readonly string[];
}

/** Where the settings lie in the initrd. */
export const initrdSettingsPath = 'etc/mkroot/initrd.conf';

/**
 * What NFS and overlayfs need beside the network driver. nfsv4 is in the archive, but it is large and the first mount is by
 * version 3: where version 4 is wanted, the kernel asks for it (fs/nfs/client.c, request_module).
 */
export const alwaysLoadedModules: readonly string[] = ['af_packet', 'overlay', 'nfs', 'nfsv3'];

const shellNames = {
  version: 'MKROOT_VERSION',
  image: 'MKROOT_IMAGE',
  generation: 'MKROOT_GENERATION',
  kernel: 'MKROOT_KERNEL',
  modules: 'MKROOT_MODULES',
  nicModules: 'MKROOT_NIC_MODULES',
  built: 'MKROOT_BUILT',
  defaults: 'MKROOT_DEFAULTS',
} as const satisfies Record<keyof InitrdSettings, string>;

/** The shell variables of initrd.conf, in the order in which they are written. */
export const initrdSettingNames: readonly string[] = Object.values(shellNames);

/** The text of initrd.conf with further modules that are loaded on every node. */
export function withFurtherModules(text: string, modules: readonly string[]): string {
  const line = new RegExp(`^${shellNames.modules}='([^']*)'$`, 'm');
  const before = line.exec(text)?.[1]?.split(' ') ?? [];
  const all = [...new Set([...before, ...modules])].filter((name) => name !== '');
  const setting = `${shellNames.modules}='${all.join(' ')}'`;
  return line.test(text) ? text.replace(line, () => setting) : `${text}${setting}\n`;
}

/** initrd.conf as text: one single-quoted assignment per line. Throws on a value that holds a control character. */
export function renderInitrdSettings(settings: InitrdSettings): string {
  return Object.entries(shellNames)
    .map(([key, name]) => {
      const value = settings[key as keyof InitrdSettings];
      const text = Array.isArray(value) ? value.join(' ') : String(value);
      if (/[\x00-\x1f\x7f]/.test(text)) {
        throw new MkrootError(
          `Cannot write the initrd setting "${name}": its value holds a control character`,
        );
      }
      return `${name}='${text.replaceAll("'", "'\\''")}'\n`;
    })
    .join('');
}
