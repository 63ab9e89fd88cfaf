import { ExitCode, MkrootError } from '../../errors.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type EmulatedNic, UEFI_NIC } from '../../vm/emulated-nic.js';
import type { BootTestOptions } from './boot-test-options.js';
import { type ChosenMachine, chooseMachine } from './choose-machine.js';

/** What every part of a boot test goes by: the options with what the scenario says in their place, and the machine that they come to. */
export interface BootTest extends BootTestOptions {
  readonly chosen: ChosenMachine;
  readonly nic: EmulatedNic;
}

/**
 * Chooses the machine of a boot test. Where a scenario names a firmware or a transport, it goes before the options; where it has QEMU load
 * the kernel, no firmware of theirs does.
 * @throws MkrootError Usage for what does not go together; what chooseMachine throws.
 */
export function machineFor(fs: ReadFileSystem, options: BootTestOptions): BootTest {
  const { scenario, subject, firmware: _, transport: _ofOptions, ...rest } = options;
  const firmware = scenario?.firmware ?? (scenario?.start === 'direct' ? undefined : options.firmware);
  const start = scenario?.start ?? (scenario === undefined || firmware !== undefined ? undefined : 'direct');
  const transport = scenario?.transport ?? options.transport;
  if (transport !== undefined && options.network === 'user') {
    throw new MkrootError(`Cannot boot by ${transport} with --net user: it takes the lab's servers`, {
      exitCode: ExitCode.Usage,
      hint: 'Test it in the lab (--net lab), as root.',
    });
  }
  const chosen = chooseMachine(fs, {
    ...rest,
    root: subject.root,
    ...(start === undefined ? {} : { start }),
    ...(firmware === undefined ? {} : { firmware }),
  });
  if (chosen.uefi !== undefined && (options.nic ?? UEFI_NIC) !== UEFI_NIC) {
    throw new MkrootError(`Cannot boot by UEFI from ${options.nic}: OVMF drives ${UEFI_NIC} only`, {
      exitCode: ExitCode.Usage,
      hint: `Leave --emulated-nic out; UEFI takes ${UEFI_NIC}.`,
    });
  }
  return {
    ...options,
    ...(transport === undefined ? {} : { transport }),
    chosen,
    nic: chosen.uefi === undefined ? (options.nic ?? chosen.type.nic) : UEFI_NIC,
  };
}
