import { describe, expect, it } from 'vitest';
import { scenarioServers } from '../../../../src/pipelines/boot-test/scenario-servers.js';

const options = { shippedFiles: '/qemu', nodeProgram: '/usr/bin/node' };
const baseImage = { path: '/lab/image/root.squashfs', sha256: 'a'.repeat(64), size: 1 };

describe('scenarioServers', () => {
  it('has nothing for a plain boot', () => {
    expect(scenarioServers(options)).toEqual({});
  });

  it('serves the image that a scenario fetches, with its faults', () => {
    expect(
      scenarioServers({
        ...options,
        baseImage,
        scenario: { transport: 'squashfs-http', httpFaults: ['cut'] },
      }),
    ).toEqual({
      http: {
        program: ['/usr/bin/node', '/qemu/http-server/http-server.mjs'],
        directory: '/lab/image',
        faults: ['cut'],
      },
    });
    expect(scenarioServers({ ...options, baseImage, scenario: { transport: 'squashfs-nfs' } })).toEqual({});
  });

  it('has a network of its own kind', () => {
    expect(scenarioServers({ ...options, scenario: { vlan: 7, standby: true, mtu: 9000 } })).toEqual({
      vlan: { id: 7, program: ['/usr/bin/node', '/qemu/vlan-switch/vlan-switch.mjs'] },
      standby: true,
      mtu: 9000,
    });
  });

  it('has a server of time, and tells DHCP and TFTP what is out of the ordinary', () => {
    const scenario = { timeServer: '2031-05-04', dhcp: { off: true }, tftp: 'silent' as const };
    expect(scenarioServers({ ...options, scenario })).toEqual({
      time: { program: ['/usr/bin/node', '/qemu/time-server/time-server.mjs'], date: '2031-05-04' },
      dhcp: { off: true },
      tftp: 'silent',
    });
  });
});
