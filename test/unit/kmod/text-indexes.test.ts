import { expect, it } from 'vitest';
import { openKernel } from '../../../src/kmod/kernel.js';
import { textIndexes } from '../../../src/kmod/text-indexes.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { closureIn, kernelTree, RELEASE } from '../../support/kernel-fixture.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

it('text indexes name the unpacked modules; a line lists first what is loaded last', async () => {
  const tree = kernelTree(
    {
      'kernel/net/top-one.ko': ['depends=middle', 'alias=fs-top', 'softdep=pre: helper', 'weakdep=rare'],
      'kernel/net/middle.ko': ['depends=base'],
      'kernel/net/base.ko': ['depends='],
      'kernel/net/helper.ko': ['depends=', 'alias=pci:v1*'],
      'kernel/net/rare.ko': ['depends='],
    },
    { 'modules.builtin': 'kernel/net/builtin.ko\n' },
  );
  const kernel = openKernel(new Sysroot(memoryFileSystem(tree), '/root'));
  const files = textIndexes(kernel, await closureIn(tree, ['top_one']));
  expect(Object.fromEntries(files.map(({ target, text }) => [target, text]))).toEqual({
    [`/lib/modules/${RELEASE}/modules.alias`]: 'alias pci:v1* helper\nalias fs-top top_one\n',
    [`/lib/modules/${RELEASE}/modules.builtin`]: 'kernel/net/builtin.ko\n',
    [`/lib/modules/${RELEASE}/modules.dep`]:
      'kernel/net/base.ko:\nkernel/net/helper.ko:\nkernel/net/middle.ko: kernel/net/base.ko\nkernel/net/rare.ko:\n' +
      'kernel/net/top-one.ko: kernel/net/middle.ko kernel/net/base.ko\n',
    [`/lib/modules/${RELEASE}/modules.order`]:
      'kernel/net/base.ko\nkernel/net/middle.ko\nkernel/net/helper.ko\nkernel/net/top-one.ko\nkernel/net/rare.ko\n',
    [`/lib/modules/${RELEASE}/modules.softdep`]: 'softdep top_one pre: helper\n',
    [`/lib/modules/${RELEASE}/modules.weakdep`]: 'weakdep top_one rare\n',
  });
});

it('a module whose path has blanks is refused: modules.dep could not say it', async () => {
  const tree = kernelTree({ 'kernel/a b/x.ko': ['depends='] });
  const kernel = openKernel(new Sysroot(memoryFileSystem(tree), '/root'));
  const closure = await closureIn(tree, ['x']);
  expect(() => textIndexes(kernel, closure)).toThrow(/kernel\/a b\/x\.ko" in modules\.dep/);
});
