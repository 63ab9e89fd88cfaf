import type { Position } from '../decode/position.js';
import type { SettingsSource } from './inventory.js';
import type { Architecture, Firmware } from './inventory-schema.js';

/** Machines that have one kind of firmware only, as far as boot loaders for them are concerned. */
const ONLY: Readonly<
  Partial<Record<Architecture, { readonly firmware: Firmware; readonly because: string }>>
> = {
  arm64: { firmware: 'uefi', because: 'machines of arm64 have no BIOS' },
  i386: { firmware: 'bios', because: 'there is no boot loader here for 32-bit UEFI' },
};

/** What a machine of that architecture boots with, if there is no choice. */
export function onlyFirmware(architecture: Architecture): Firmware | undefined {
  return ONLY[architecture]?.firmware;
}

/**
 * A firmware that does not go with the architecture; both may come from different levels.
 * @param levels the nearest to the node first.
 * @returns what is the case, and where the nearer one of both stands.
 */
export function firmwareProblem(
  levels: readonly SettingsSource[],
): { readonly what: string; readonly position: Position } | undefined {
  const firmwareAt = levels.findIndex(({ settings }) => settings.firmware !== undefined);
  const architectureAt = levels.findIndex(({ settings }) => settings.architecture !== undefined);
  const firmware = levels[firmwareAt]?.settings.firmware;
  const architecture = levels[architectureAt]?.settings.architecture;
  const only = architecture === undefined ? undefined : ONLY[architecture];
  if (firmware === undefined || only === undefined || only.firmware === firmware) return undefined;
  const field = firmwareAt <= architectureAt ? 'firmware' : 'architecture';
  const source = levels[Math.min(firmwareAt, architectureAt)]!;
  return { what: `${firmware} is contradictory, ${only.because}`, position: source.position([field]) };
}
