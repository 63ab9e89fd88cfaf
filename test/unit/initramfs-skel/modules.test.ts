import { describe, expect, it } from 'vitest';
import { runOnTarget, shells } from './target-shell.js';

describe.each(shells)('modules under $name', (shell) => {
  it('are asked for by every alias on the buses, again when a bus driver made new devices, and not when nothing is new', () => {
    const { calls } = runOnTarget(
      shell,
      `MKROOT_KERNEL=6.1
modprobe() {
  note modprobe "$@"
  case $* in *virtio:*) ;; *) mkdir -p "$ROOT/sys/bus/virtio/devices/virtio0"; echo 'virtio:d00000001v00001AF4' >"$ROOT/sys/bus/virtio/devices/virtio0/modalias";; esac
}
load_device_modules
coldplug`,
      {
        'sys/bus/pci/devices/0000:00:02.0/modalias': 'pci:v00001AF4d00001000sv*\n',
        'sys/bus/pci/devices/0000:00:03.0/modalias': 'pci:v00001AF4d00001000sv*\n',
        'sys/bus/acpi/devices/x/modalias': 'acpi:PNP0C0F:\n',
      },
    );
    expect(calls).toEqual([
      'modprobe -a -q acpi:PNP0C0F: pci:v00001AF4d00001000sv*',
      'modprobe -a -q acpi:PNP0C0F: pci:v00001AF4d00001000sv* virtio:d00000001v00001AF4',
    ]);
  });

  it('honour softdep, which busybox modprobe does not know: pre always before, post only after its module', () => {
    const { calls } = runOnTarget(shell, 'MKROOT_KERNEL=6.1\nload_device_modules', {
      'lib/modules/6.1/modules.softdep':
        '# comment\nsoftdep r8169 pre: realtek\nsoftdep mlx4-core post: mlx4_en mlx4_ib\nsoftdep other pre: a post: b\n',
      'proc/modules': 'mlx4_core 1 0 - Live 0x0\n',
    });
    expect(calls).toEqual([
      'modprobe -q realtek',
      'modprobe -q a',
      'modprobe -q mlx4_en',
      'modprobe -q mlx4_ib',
    ]);
  });
});
