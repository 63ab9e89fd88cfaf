import { join } from 'node:path';
import { expect } from 'vitest';
import type { BootReport } from '../../src/vm/boot-report.js';
import { bootSummary } from '../../src/vm/boot-summary.js';
import { makeRootInitrd, type RootInitrd, subjectFlags } from './root-initrd.js';
import { runMkroot } from './run-mkroot.js';

/** Firmware that the boot matrix has. */
export const FIRMWARE = ['bios', 'uefi'] as const;

/** Transports of it, each with what `/init` says of the base. */
export const BASES = {
  'nfs-3': /^10\.77\.0\.1:\/base NFS v3$/,
  // v4.1 where the server's v4.2 cannot be read, see the scenario nfs-v42.
  'nfs-4.2': /^10\.77\.0\.1:\/base NFS v4\.[12]$/,
  'squashfs-http': /^http:\/\/10\.77\.0\.1\/root\.squashfs, \d+ MiB in memory, sha256 verified$/,
  'squashfs-nfs': /^10\.77\.0\.1:\/image\/root\.squashfs NFS v3$/,
} as const;

/** Distributions of it, by the names of their judge roots. */
export const DISTRIBUTIONS = ['bookworm', 'trixie'] as const;

/** One boot of the matrix. */
export interface MatrixBoot {
  readonly firmware: (typeof FIRMWARE)[number];
  readonly transport: keyof typeof BASES;
  readonly distribution: (typeof DISTRIBUTIONS)[number];
}

/** Every boot of the matrix. */
export const MATRIX: readonly MatrixBoot[] = DISTRIBUTIONS.flatMap((distribution) =>
  FIRMWARE.flatMap((firmware) =>
    (Object.keys(BASES) as (keyof typeof BASES)[]).map((transport) => ({
      firmware,
      transport,
      distribution,
    })),
  ),
);

/** Boots cells of the matrix; one initrd of a root serves all of them. */
export class MatrixLab {
  readonly #initrds = new Map<string, Promise<RootInitrd>>();
  /** That of the last boot: one that had to be given up is not tried again. */
  #accelerator = 'auto';

  constructor(private readonly directory: string) {}

  /** Boots one and expects it to come to zero failed units and to a clean power-off, by the way that was asked for. */
  async expectBoot(root: string, { firmware, transport, distribution }: MatrixBoot): Promise<void> {
    const flags = ['--nic', 'virtio_net', '--nic', 'e1000', '--transport', 'squashfs-http'];
    const subject = this.#initrds.get(distribution) ?? makeRootInitrd(root, this.directory, ...flags);
    this.#initrds.set(distribution, subject);
    const { stdout, stderr } = await runMkroot([
      ...['qemu-test', ...subjectFlags(await subject), '--state', join(this.directory, 'state'), '--json'],
      ...['--firmware', firmware, '--transport', transport, '--accel', this.#accelerator],
      ...['--timeout', '1500'],
    ]);
    if (stdout === '') throw new Error(stderr);
    const report = JSON.parse(stdout) as BootReport;
    this.#accelerator = report.accelerator;
    expect(report.result, bootSummary(report).join('\n')).toBe('pass');
    expect(report.firmware).toBe(firmware);
    const milestone = (id: string) => report.milestones.find((one) => one.id === id);
    expect(milestone('tftp-loader')?.detail).toBe(firmware === 'uefi' ? 'boot.ipxe' : 'pxelinux.0');
    expect(milestone('init-50-base')?.detail).toMatch(BASES[transport]);
    expect(report.checks).toContainEqual(expect.objectContaining({ name: 'no-failed-units', passed: true }));
    expect(report.milestones.at(-1)).toMatchObject({ id: 'power-off', detail: 'Power down' });
  }
}
