/** Kinds of firmware that machines have. */
export const MACHINE_FIRMWARE = ['bios', 'uefi'] as const;

/** What a machine boots by. */
export type MachineFirmware = (typeof MACHINE_FIRMWARE)[number];

/** Ways of a single machine's firmware to its boot loader: PXE, or UEFI HTTP boot. */
export const BOOT_FIRMWARE = [...MACHINE_FIRMWARE, 'uefi-http'] as const;

/** One of {@link BOOT_FIRMWARE}. */
export type BootFirmware = (typeof BOOT_FIRMWARE)[number];
