import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { closureIn, kernelTree, loaded } from '../../support/kernel-fixture.js';

const NET = 'kernel/drivers/net/ethernet';
const MODULES = {
  [`${NET}/broadcom/tg3.ko`]: ['depends=', 'alias=pci:v000014E4d00001657sv*sd*bc*sc*i*'],
  [`${NET}/broadcom/bnx2.ko`]: ['depends=', 'alias=pci:v000014E4d0000164Asv0000103Csd00003101bc*sc*i*'],
  [`${NET}/broadcom/bnx2x.ko`]: ['depends='],
  'kernel/drivers/scsi/bnx2i/bnx2i.ko': ['depends='],
  'kernel/drivers/vfio/vfio-pci.ko': ['depends=', 'alias=vfio_pci:v000014E4d00001657sv*sd*bc*sc*i*'],
  'kernel/drivers/generic.ko': ['depends=', 'alias=pci:v*d*sv*sd*bc02sc*i*'],
  'kernel/fs/overlayfs/overlay.ko': ['depends=', 'alias=fs-overlay'],
};
const BUILTIN = {
  'modules.builtin': `${NET}/realtek/r8169.ko\nkernel/net/packet/af_packet.ko\n`,
  'modules.builtin.modinfo': 'r8169.alias=pci:v000010ECd00008168sv*sd*bc*sc*i*\0',
};
const ALIASES = {
  'modules.alias': Object.entries(MODULES)
    .flatMap(([path, strings]) =>
      strings
        .filter((line) => line.startsWith('alias='))
        .map((line) => `alias ${line.slice(6)} ${path.replace(/.*\//, '').replace('.ko', '')}\n`),
    )
    .join(''),
};
const nic = (what: string) => ({ what, kind: 'nic' as const, label: `--nic ${what}` });

describe.each([
  ['with modules.alias', kernelTree(MODULES, { ...BUILTIN, ...ALIASES })],
  ['without modules.alias', kernelTree(MODULES, BUILTIN)],
])('a request, %s', (_label, tree) => {
  it.each([
    ['a name', 'tg3', ['tg3']],
    ['a PCI id', '14e4:1657', ['tg3']],
    ['a PCI id in capitals', '14E4:1657', ['tg3']],
    ['a PCI id whose aliases are for certain subsystems', '14e4:164a', ['bnx2']],
    ['a PCI id with its subsystem', '14e4:164a:103c:3101', ['bnx2']],
    ['a glob, of network drivers only', 'bnx2*', ['bnx2', 'bnx2x']],
  ])('by %s', async (_what, what, expected) => {
    expect(loaded(await closureIn(tree, [nic(what)]))).toEqual(expected);
  });

  it('by alias', async () => {
    expect(loaded(await closureIn(tree, ['fs-overlay']))).toEqual(['overlay']);
  });

  it('of what is built in is fine, and says so', async () => {
    const closure = await closureIn(tree, [nic('r8169'), nic('10ec:8168'), 'af_packet']);
    expect(closure.modules).toEqual([]);
    expect(closure.builtins).toEqual([
      { name: 'r8169', cause: { kind: 'requested', by: '--nic r8169' } },
      { name: 'af_packet', cause: { kind: 'requested', by: '--driver af_packet' } },
    ]);
  });

  it.each([
    [nic('tg33'), 'Did you mean tg3?'],
    [nic('bnx2y'), 'Did you mean bnx2, bnx2x?'],
    [{ what: 'overly' }, 'Did you mean overlay?'],
    [nic('bnx2q*'), 'Did you mean bnx2, bnx2x?'],
    [nic('14e4:ffff'), 'See `lspci -nn`'],
    [nic('14e4:164a:1111:2222'), 'See `lspci -nn`'],
  ])('of $what, which nobody knows, names the nearest', async (request, hint) => {
    await expect(closureIn(tree, [request])).rejects.toMatchObject({
      exitCode: ExitCode.NotFound,
      message: expect.stringContaining(`"${request.what}"`),
      hint: expect.stringContaining(hint),
    });
  });

  it('of something optional that is not there comes to nothing', async () => {
    expect((await closureIn(tree, [{ what: 'nfsv9', optional: true }])).modules).toEqual([]);
  });

  it('for a network card that names another kind of driver is a warning', async () => {
    const closure = await closureIn(tree, [nic('overlay')]);
    expect(loaded(closure)).toEqual(['overlay']);
    expect(closure.warnings).toEqual([expect.stringContaining('overlay is no network driver')]);
  });
});
