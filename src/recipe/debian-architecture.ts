/** A Debian port that mkroot can build for: how Debian, Node and its kernel packages call it. */
interface Port {
  /** What `uname -m` prints there, and what other distributions call it. */
  readonly machine: string;
  /** `process.arch` of a machine that runs it natively. */
  readonly node: string;
  readonly kernelPackage: string;
}

const PORTS = {
  amd64: { machine: 'x86_64', node: 'x64', kernelPackage: 'linux-image-amd64' },
  arm64: { machine: 'aarch64', node: 'arm64', kernelPackage: 'linux-image-arm64' },
  armhf: { machine: 'armv7l', node: 'arm', kernelPackage: 'linux-image-armmp' },
  i386: { machine: 'i686', node: 'ia32', kernelPackage: 'linux-image-686-pae' },
  ppc64el: { machine: 'ppc64le', node: 'ppc64', kernelPackage: 'linux-image-powerpc64le' },
  riscv64: { machine: 'riscv64', node: 'riscv64', kernelPackage: 'linux-image-riscv64' },
  s390x: { machine: 's390x', node: 's390x', kernelPackage: 'linux-image-s390x' },
} as const satisfies Record<string, Port>;

/** A machine architecture by its Debian name, such as `amd64` (not `x86_64`). */
export type DebianArchitecture = keyof typeof PORTS;

/** Every architecture that a recipe may name, in alphabetical order. */
export const DEBIAN_ARCHITECTURES = Object.keys(PORTS) as [DebianArchitecture, ...DebianArchitecture[]];

/** The Debian name for a `process.arch`; `amd64` for one that Debian does not know. */
export function architectureOfHost(nodeArch: string): DebianArchitecture {
  return DEBIAN_ARCHITECTURES.find((name) => PORTS[name].node === nodeArch) ?? 'amd64';
}

/** The Debian name for what `uname -m` prints, such as `amd64` for `x86_64`. */
export function architectureOfMachine(machine: string): DebianArchitecture | undefined {
  return DEBIAN_ARCHITECTURES.find((name) => PORTS[name].machine === machine);
}

/** The metapackage that always brings Debian's newest kernel for an architecture. */
export function defaultKernelPackage(architecture: DebianArchitecture): string {
  return PORTS[architecture].kernelPackage;
}

/** What rpm packages of Fedora and EL call an architecture, such as `x86_64` for `amd64`. */
export function rpmArchitecture(architecture: DebianArchitecture): string {
  return architecture === 'armhf' ? 'armv7hl' : PORTS[architecture].machine;
}
