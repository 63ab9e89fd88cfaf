import { describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../../src/errors.js';
import { resolveNode } from '../../../../src/inventory/resolve-node.js';
import { renderKernelCommandLine } from '../../../../src/netboot/kernel-command-line.js';
import { nodeBase } from '../../../../src/pipelines/publish/node-base.js';
import type { PublishedImage } from '../../../../src/stages/publish/find-published-image.js';
import { decode } from '../../inventory/inventory-fixture.js';

const inventory = decode(`cluster:
  image: compute
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
    second: { address: 10.1.0.2, roles: [nfs] }
networks: { internal: { subnet: 10.1.0.0/16 } }
groups:
  plain: {}
  spread: { transport: { servers: [second, head] } }
  file: { transport: { protocol: squashfs-nfs } }
  memory: { transport: { protocol: squashfs-http } }
  both: { transport: { protocol: squashfs-http, servers: [head, second] } }
  other: { transport: { protocol: erofs-nfs } }
nodes:
  n1: { group: plain, ip: 10.1.1.1 }
  n2: { group: spread, ip: 10.1.1.2 }
  n3: { group: file, ip: 10.1.1.3 }
  n4: { group: memory, ip: 10.1.1.4 }
  n5: { group: both, ip: 10.1.1.5 }
  n6: { group: other, ip: 10.1.1.6 }
`);
const generation = '/state/images/compute/generations/G';
const sha256 = 'ab'.repeat(32);
const image = {
  name: 'compute',
  generation: 'G',
  root: `${generation}/root`,
  kernel: '',
  initrd: '',
  files: { squashfs: { path: `${generation}/root.squashfs`, sha256, size: 4096 } },
};
const words = (name: string, httpRoot?: string, from: PublishedImage = image) => {
  const { base, layers } = nodeBase(resolveNode(inventory, name).node, from, inventory, httpRoot);
  return renderKernelCommandLine({ base, host: { ...layers, path: '/h' } });
};

describe('the base of a node', () => {
  it('is what its transport says, from the servers that it names', () => {
    expect(words('n1')).toBe(`mkroot.base=10.1.0.1:${generation}/root mkroot.host=/h`);
    expect(words('n2')).toBe(`mkroot.base=10.1.0.2+10.1.0.1:${generation}/root mkroot.host=/h`);
    expect(words('n3')).toBe(`mkroot.base=10.1.0.1:${generation}/root.squashfs mkroot.host=/h`);
    const erofs = { path: `${generation}/root.erofs`, sha256, size: 8192 };
    expect(words('n6', undefined, { ...image, files: { erofs } })).toBe(
      `mkroot.base=10.1.0.1:${generation}/root.erofs mkroot.host=/h`,
    );
    const check = `,sha256=${sha256},size=4096`;
    expect(words('n4', 'http://10.1.0.9:8080/')).toBe(
      `mkroot.base=http://10.1.0.9:8080/images/compute/G/root.squashfs${check} mkroot.host=10.1.0.1:/h`,
    );
    expect(words('n5', 'http://10.1.0.1/boot')).toBe(
      `mkroot.base=http://10.1.0.1+10.1.0.2/boot/images/compute/G/root.squashfs${check} mkroot.host=10.1.0.1+10.1.0.2:/h`,
    );
  });

  it('is refused if the image was never made into one file, or nobody said where HTTP is', () => {
    const refusal = (act: () => string) => {
      try {
        return act();
      } catch (error) {
        return error instanceof MkrootError ? [error.exitCode, error.message, error.hint] : error;
      }
    };
    expect(refusal(() => words('n3', undefined, { ...image, files: {} }))).toEqual([
      ExitCode.NotFound,
      'Cannot boot "n3" by squashfs-nfs: generation G of "compute" has no root.squashfs',
      'Make it first: mkroot squash compute --generation G',
    ]);
    expect(refusal(() => words('n6'))).toEqual([
      ExitCode.NotFound,
      'Cannot boot "n6" by erofs-nfs: generation G of "compute" has no root.erofs',
      'Make it first: mkroot squash compute --generation G --format erofs',
    ]);
    expect(refusal(() => words('n4'))).toMatchObject([
      ExitCode.InvalidInput,
      'Cannot boot "n4" by squashfs-http: no HTTP server is known',
      expect.stringContaining('--http-root'),
    ]);
    expect(refusal(() => words('n4', 'https://10.1.0.1/'))).toMatchObject([
      ExitCode.InvalidInput,
      expect.stringContaining('"https://10.1.0.1/" is no http:// URL'),
      expect.anything(),
    ]);
  });
});
