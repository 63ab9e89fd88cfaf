/** A Debian port that mkroot can build for: how Debian, Node and its kernel packages call it. */
interface Port {
  /** `process.arch` of a machine that runs it natively. */
  readonly node: string;
  readonly kernelPackage: string;
}

const PORTS = {
  amd64: { node: 'x64', kernelPackage: 'linux-image-amd64' },
  arm64: { node: 'arm64', kernelPackage: 'linux-image-arm64' },
  armhf: { node: 'arm', kernelPackage: 'linux-image-armmp' },
  i386: { node: 'ia32', kernelPackage: 'linux-image-686-pae' },
  ppc64el: { node: 'ppc64', kernelPackage: 'linux-image-powerpc64le' },
  riscv64: { node: 'riscv64', kernelPackage: 'linux-image-riscv64' },
  s390x: { node: 's390x', kernelPackage: 'linux-image-s390x' },
} as const satisfies Record<string, Port>;

/** A machine architecture by its Debian name, such as `amd64` (not `x86_64`). */
export type DebianArchitecture = keyof typeof PORTS;

/** Every architecture that a recipe may name, in alphabetical order. */
export const DEBIAN_ARCHITECTURES = Object.keys(PORTS) as [DebianArchitecture, ...DebianArchitecture[]];

/** The Debian name for a `process.arch`; `amd64` for one that Debian does not know. */
export function architectureOfHost(nodeArch: string): DebianArchitecture {
  return DEBIAN_ARCHITECTURES.find((name) => PORTS[name].node === nodeArch) ?? 'amd64';
}

/** The metapackage that always brings Debian's newest kernel for an architecture. */
export function defaultKernelPackage(architecture: DebianArchitecture): string {
  return PORTS[architecture].kernelPackage;
}
