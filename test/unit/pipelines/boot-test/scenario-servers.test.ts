import { describe, expect, it } from 'vitest';
import { scenarioServers } from '../../../../src/pipelines/boot-test/scenario-servers.js';

const options = { shippedFiles: '/qemu', nodeProgram: '/usr/bin/node' };

describe('scenarioServers', () => {
  it('has nothing for a plain boot', () => {
    expect(scenarioServers(options, undefined)).toEqual({});
  });

  it('serves the image that a scenario fetches, with its faults', () => {
    expect(
      scenarioServers(
        { ...options, scenario: { transport: 'squashfs-http', httpFaults: ['cut'] } },
        '/lab/tftp',
      ),
    ).toEqual({
      http: {
        program: ['/usr/bin/node', '/qemu/http-server/http-server.mjs'],
        directory: '/lab/tftp',
        faults: ['cut'],
      },
    });
    const scenario = { transport: 'squashfs-nfs' } as const;
    expect(scenarioServers({ ...options, scenario }, undefined)).toEqual({});
  });

  it('has a network of its own kind', () => {
    expect(
      scenarioServers({ ...options, scenario: { vlan: 7, standby: true, mtu: 9000 } }, undefined),
    ).toEqual({
      vlan: { id: 7, program: ['/usr/bin/node', '/qemu/vlan-switch/vlan-switch.mjs'] },
      standby: true,
      mtu: 9000,
    });
  });

  it('has a server of time, and tells DHCP and TFTP what is out of the ordinary', () => {
    const scenario = { timeServer: '2031-05-04', dhcp: { off: true }, tftp: 'silent' as const };
    expect(scenarioServers({ ...options, scenario }, undefined)).toEqual({
      time: { program: ['/usr/bin/node', '/qemu/time-server/time-server.mjs'], date: '2031-05-04' },
      dhcp: { off: true },
      tftp: 'silent',
    });
  });
});
