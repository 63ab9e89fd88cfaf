/** How many bits an address has (EI_CLASS). */
export type ElfClass = 32 | 64;

/** How numbers are stored (EI_DATA). */
export type ByteOrder = 'little' | 'big';

/** A machine that Linux runs on, told apart by what the ELF header says. */
export interface Machine {
  /** Debian's name of the architecture, as `dpkg --print-architecture` gives it. */
  readonly architecture: string;
  readonly eMachine: number;
  readonly elfClass: ElfClass;
  readonly byteOrder: ByteOrder;
  /** Bits of e_flags that tell two ABIs of one machine apart, and their value. */
  readonly flags?: { readonly mask: number; readonly value: number };
  /** Debian's multiarch directory name below /lib and /usr/lib. */
  readonly triplet: string;
  /** Where glibc's psABI puts the dynamic loader. */
  readonly glibcLoader: string;
  /** What $PLATFORM comes to on every processor of this machine (AT_PLATFORM); absent where it depends on the processor. */
  readonly platform?: string;
}

const EM_ARM = 40;
const EM_MIPS = 8;
const EF_ARM_ABI_FLOAT_HARD = 0x400;
const EF_ARM_ABI_FLOAT_SOFT = 0x200;
const EF_MIPS_ABI2 = 0x20;

/** Numbers from elf.h, loaders from the GNU C library's shlib-versions and Debian's ArchitectureSpecificsMemo. */
const MACHINES: readonly Machine[] = [
  machine('amd64', 62, 64, 'little', 'x86_64-linux-gnu', '/lib64/ld-linux-x86-64.so.2', 'x86_64'),
  machine('x32', 62, 32, 'little', 'x86_64-linux-gnux32', '/libx32/ld-linux-x32.so.2', 'x86_64'),
  machine('i386', 3, 32, 'little', 'i386-linux-gnu', '/lib/ld-linux.so.2', 'i686'),
  machine('arm64', 183, 64, 'little', 'aarch64-linux-gnu', '/lib/ld-linux-aarch64.so.1', 'aarch64'),
  {
    ...machine('armhf', EM_ARM, 32, 'little', 'arm-linux-gnueabihf', '/lib/ld-linux-armhf.so.3', 'v7l'),
    flags: { mask: EF_ARM_ABI_FLOAT_HARD, value: EF_ARM_ABI_FLOAT_HARD },
  },
  machine('armel', EM_ARM, 32, 'little', 'arm-linux-gnueabi', '/lib/ld-linux.so.3'),
  machine('riscv64', 243, 64, 'little', 'riscv64-linux-gnu', '/lib/ld-linux-riscv64-lp64d.so.1'),
  machine('loong64', 258, 64, 'little', 'loongarch64-linux-gnu', '/lib64/ld-linux-loongarch-lp64d.so.1'),
  machine('ppc64el', 21, 64, 'little', 'powerpc64le-linux-gnu', '/lib64/ld64.so.2'),
  machine('ppc64', 21, 64, 'big', 'powerpc64-linux-gnu', '/lib64/ld64.so.1'),
  machine('powerpc', 20, 32, 'big', 'powerpc-linux-gnu', '/lib/ld.so.1'),
  machine('s390x', 22, 64, 'big', 's390x-linux-gnu', '/lib/ld64.so.1'),
  machine('mips64el', EM_MIPS, 64, 'little', 'mips64el-linux-gnuabi64', '/lib64/ld.so.1'),
  machine('mipsel', EM_MIPS, 32, 'little', 'mipsel-linux-gnu', '/lib/ld.so.1'),
  machine('sparc64', 43, 64, 'big', 'sparc64-linux-gnu', '/lib64/ld-linux.so.2'),
];

/** What the first bytes of an ELF file say about who can run it. */
export interface MachineIdentity {
  readonly eMachine: number;
  readonly elfClass: ElfClass;
  readonly byteOrder: ByteOrder;
  /** e_flags. */
  readonly flags: number;
}

/** The machine that an ELF header names; undefined if it is none that Debian knows. */
export function machineOf(identity: MachineIdentity): Machine | undefined {
  return MACHINES.find(
    ({ eMachine, elfClass, byteOrder, flags }) =>
      eMachine === identity.eMachine &&
      elfClass === identity.elfClass &&
      byteOrder === identity.byteOrder &&
      (flags === undefined || (identity.flags & flags.mask) >>> 0 === flags.value),
  );
}

/** The machine with a Debian architecture name, such as `arm64`. */
export function machineByArchitecture(architecture: string): Machine | undefined {
  return MACHINES.find((candidate) => candidate.architecture === architecture);
}

/** Why one object cannot be loaded into a process of another: the first difference that a loader would meet. */
export function machineMismatch(
  a: MachineIdentity,
  b: MachineIdentity,
): 'class' | 'byte order' | 'machine' | undefined {
  if (a.elfClass !== b.elfClass) return 'class';
  if (a.byteOrder !== b.byteOrder) return 'byte order';
  if (a.eMachine !== b.eMachine) return 'machine';
  const either = a.flags | b.flags;
  // An ARM object that names neither float ABI goes with both.
  const floats = EF_ARM_ABI_FLOAT_HARD | EF_ARM_ABI_FLOAT_SOFT;
  if (a.eMachine === EM_ARM && (either & floats) === floats) return 'machine';
  if (a.eMachine === EM_MIPS && ((a.flags ^ b.flags) & EF_MIPS_ABI2) !== 0) return 'machine';
  return undefined;
}

/** An identity in words: Debian's name where there is one, else the numbers of the header. */
export function describeMachine(identity: MachineIdentity): string {
  return (
    machineOf(identity)?.architecture ??
    `machine ${identity.eMachine}, ${identity.elfClass}-bit, ${identity.byteOrder}-endian`
  );
}

function machine(
  architecture: string,
  eMachine: number,
  elfClass: ElfClass,
  byteOrder: ByteOrder,
  triplet: string,
  glibcLoader: string,
  platform?: string,
): Machine {
  return {
    architecture,
    eMachine,
    elfClass,
    byteOrder,
    triplet,
    glibcLoader,
    ...(platform === undefined ? {} : { platform }),
  };
}
