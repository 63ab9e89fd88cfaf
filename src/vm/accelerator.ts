/** How QEMU runs the guest's instructions: by the CPU (KVM) or by translation (TCG). */
export type Accelerator = 'kvm' | 'tcg';

/** What the user asks for; auto tries KVM and falls back to TCG. */
export type AcceleratorChoice = 'auto' | Accelerator;

/**
 * How long a kernel under KVM may stay silent after its initrd was fetched. It prints its first line within a second,
 * even on a loaded machine within three; some nested set-ups let the firmware run and then spin for ever.
 */
export const KERNEL_SILENCE_MS = 12_000;

/** How long the firmware under KVM may take to its first DHCP lease, which takes three seconds. */
export const FIRMWARE_SILENCE_MS = 25_000;

/** The accelerators to try, in order. */
export function acceleratorsToTry(choice: AcceleratorChoice, kvmUsable: boolean): readonly Accelerator[] {
  if (choice !== 'auto') return [choice];
  return kvmUsable ? ['kvm', 'tcg'] : ['tcg'];
}

/**
 * Processors of a node that the user gave none for. One under TCG: with two, an early kernel was once seen to die of an `int3`
 * in sched_clock_cpu, which it writes while it patches itself; one processor cannot run what another is writing.
 */
export function processorsFor(accelerator: Accelerator): number {
  return accelerator === 'kvm' ? 2 : 1;
}

/** What is known about a guest's course, in milliseconds since power-on; undefined means not reached. */
export interface GuestProgress {
  readonly nowMs: number;
  readonly firmwareAtMs: number | undefined;
  readonly initrdAtMs: number | undefined;
  readonly kernelAtMs: number | undefined;
}

/** Why a guest counts as silent, in words; undefined if it does not. */
export function silenceOf({
  nowMs,
  firmwareAtMs,
  initrdAtMs,
  kernelAtMs,
}: GuestProgress): string | undefined {
  if (kernelAtMs !== undefined) return undefined;
  if (initrdAtMs !== undefined) {
    return nowMs - initrdAtMs > KERNEL_SILENCE_MS
      ? `the kernel printed nothing for ${KERNEL_SILENCE_MS / 1000} s after it was loaded`
      : undefined;
  }
  return firmwareAtMs === undefined && nowMs > FIRMWARE_SILENCE_MS
    ? `the firmware asked for no address within ${FIRMWARE_SILENCE_MS / 1000} s`
    : undefined;
}
