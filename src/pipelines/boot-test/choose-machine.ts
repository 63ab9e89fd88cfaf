import { rootMachine } from '../../elf/root-architecture.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { type Accelerator, type AcceleratorChoice, acceleratorsToTry } from '../../vm/accelerator.js';
import type { BootFirmware } from '../../vm/firmware.js';
import { canUseKvm, type MachineType, machineTypeFor } from '../../vm/machine-types.js';
import { findOvmf, type UefiFiles } from '../../vm/uefi.js';

/** What decides about the machine of a boot test. */
export interface MachineWish {
  /** What messages call the image. */
  readonly image: string;
  readonly root: BytePath;
  readonly network: 'lab' | 'user';
  readonly accelerator: AcceleratorChoice;
  /** Debian name of this machine's architecture. */
  readonly hostArchitecture: string;
  /** How a scenario starts the machine; by default as its type says. */
  readonly start?: 'pxe' | 'direct';
  /** One that is asked for by name starts the machine. */
  readonly firmware?: BootFirmware;
}

/** The machine that boots an image. */
export interface ChosenMachine {
  readonly type: MachineType;
  /** QEMU loads kernel and initrd; otherwise the firmware does. */
  readonly direct: boolean;
  /** What starts it; absent where QEMU does. */
  readonly firmware?: BootFirmware;
  /** Of the firmware UEFI, as it is installed here; the machine gets a copy of its variables. */
  readonly uefi?: UefiFiles;
  /** To be tried in this order. */
  readonly accelerators: readonly Accelerator[];
}

/**
 * The machine for the architecture that the programs of an image are for.
 * @throws MkrootError NotFound if there is no machine for it; Usage if it cannot do what is wanted; MissingTool if UEFI is not installed.
 */
export function chooseMachine(fs: ReadFileSystem, wish: MachineWish): ChosenMachine {
  const { image, root, network, accelerator, hostArchitecture, start, firmware } = wish;
  const { architecture } = rootMachine(new Sysroot(fs, root));
  const type = machineTypeFor(architecture);
  const pxe = (start ?? (firmware === undefined ? type.start : 'pxe')) === 'pxe';
  if (!pxe && firmware !== undefined) {
    throw new MkrootError(`Cannot boot "${image}" by ${firmware}: it is started without firmware`, {
      exitCode: ExitCode.Usage,
      hint: 'A scenario has either "start: direct" or a firmware.',
    });
  }
  // QEMU's own network has nothing but what the firmware fetches.
  if (type.start === 'direct' && (pxe || network === 'user')) {
    throw new MkrootError(
      `Cannot boot "${image}" by firmware: there is none here that does it for ${architecture}`,
      {
        exitCode: ExitCode.Usage,
        hint: 'Test it in the lab (--net lab), where QEMU loads kernel and initrd itself.',
      },
    );
  }
  const kvm = canUseKvm(architecture, hostArchitecture);
  if (accelerator === 'kvm' && !kvm) {
    throw new MkrootError(
      `Cannot boot "${image}" by KVM: it is for ${architecture}, and this machine is ${hostArchitecture}`,
      { exitCode: ExitCode.Usage, hint: 'Leave the choice to mkroot: --accel auto.' },
    );
  }
  const uefi = firmware === 'uefi' || firmware === 'uefi-http';
  if (uefi && architecture !== 'amd64') {
    throw new MkrootError(
      `Cannot boot "${image}" by UEFI: there is no boot loader here that does it for ${architecture}`,
      { exitCode: ExitCode.Usage, hint: 'Test it with BIOS: --firmware bios' },
    );
  }
  if (uefi && network === 'user') {
    throw new MkrootError(`Cannot boot "${image}" by UEFI with --net user: it takes the lab's servers`, {
      exitCode: ExitCode.Usage,
      hint: 'Test it in the lab (--net lab), as root.',
    });
  }
  return {
    type,
    direct: !pxe,
    ...(pxe ? { firmware: firmware ?? 'bios' } : {}),
    ...(uefi ? { uefi: findOvmf(fs) } : {}),
    accelerators: acceleratorsToTry(accelerator, kvm && fs.lstat('/dev/kvm') !== undefined),
  };
}
