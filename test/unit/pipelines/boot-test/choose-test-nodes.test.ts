import { beforeEach, describe, expect, it } from 'vitest';
import { chooseTestNodes } from '../../../../src/pipelines/boot-test/choose-test-nodes.js';
import { openComposer } from '../../../../src/pipelines/layers/open-composer.js';
import { writeRecord } from '../../../../src/pipelines/publish/published-record.js';
import { RecordedNodes } from '../../../../src/pipelines/publish/recorded-nodes.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const NODES = `cluster:
  servers: { head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] } }
networks: { internal: { subnet: 10.1.0.0/16 }, storage: { subnet: 10.2.0.0/16, vlan: 5 } }
groups: { compute: { image: compute }, storage: { image: compute } }
nodes:
  n[1-3]: { group: compute, ip: 10.1.1.1, mac: ['52:54:00:00:00:01', '52:54:00:00:00:02', '52:54:00:00:00:03'] }
  s[1-2]: { group: storage, ip: 10.1.2.1, mac: ['52:54:00:00:01:01', '52:54:00:00:01:02'] }
  s3: { group: storage, ip: 10.1.2.3 }
  s4: { group: storage, ip: 10.1.2.4, mac: '52:54:00:00:01:04', boot: local }
  s5: { group: storage, ip: 10.2.0.5, mac: '52:54:00:00:01:05' }
  late: { group: compute, ip: 10.1.1.9, mac: '52:54:00:00:00:09' }
`;

let fs: FileSystem;

beforeEach(() => {
  fs = memoryFileSystem({ '/site/nodes.yaml': NODES, '/state/x': '' });
});

function composer() {
  return openComposer(fs, { directory: '/site', workingDirectory: '/site', images: ['compute'] }, '/state');
}

/** Publishes what the inventory has, but one node. */
function publish(unfinished = false): void {
  const nodes = composer()
    .values.nodes.filter(({ name }) => name !== 'late')
    .map(({ name, mac, ip, boot }) => ({
      name,
      ...(mac === undefined ? {} : { mac }),
      address: ip,
      groups: [],
      boot: {
        image: { name: 'compute', generation: 'g', kernel: 'k', initrds: [] },
        parameters: {},
        default: boot,
      },
    }));
  writeRecord(fs, '/state', {
    at: '',
    unfinished,
    retired: {},
    nodes: RecordedNodes.of(nodes),
    head: {
      networks: [],
      directories: [],
      server: { address: '10.1.0.1', interfaces: [], tftpRoot: '/state/netboot/tftp' },
    },
  });
}

const chosen = (nodes: string, ...groups: string[]) =>
  chooseTestNodes(fs, composer(), { nodes, groups }).nodes.map(({ node }) => node.name);

describe('the nodes of a cluster test', () => {
  it('are spread over the groups, and only those that can boot are counted', () => {
    publish();
    expect(chosen('2')).toEqual(['n1', 's1']);
    expect(chosen('4')).toEqual(['n1', 'n2', 's1', 's2']);
    expect(chosen('5')).toEqual(['n1', 'n2', 'n3', 's1', 's2']);
    expect(chosen('2', 'compute')).toEqual(['n1', 'n2']);
  });

  it('are those that are named', () => {
    publish();
    expect(chosen('n[2-3],s1')).toEqual(['n2', 'n3', 's1']);
    expect(chosen('n1,s1', 'storage')).toEqual(['s1']);
  });

  it.each([
    ['6', /Cannot boot 6 nodes: 5 of all groups are published/],
    ['0', /Cannot boot 0 nodes/],
    ['s3', /Cannot boot "s3": its MAC address is not known/],
    ['s4', /Cannot boot "s4": it boots its local disk/],
    ['s5', /Cannot boot "s5": it tags its packets for VLAN 5, and the ports of the lab are not tagged/],
    ['late', /Cannot boot "late": it is not published/],
    ['n7', /Cannot find "n7"/],
  ])('%s: is refused with the reason', (nodes, message) => {
    publish();
    expect(() => chosen(nodes)).toThrow(message);
  });

  it('are none before the first publish, or after one that was interrupted', () => {
    expect(() => chosen('1')).toThrow(
      expect.objectContaining({ hint: 'Publish first: mkroot publish', exitCode: 4 }),
    );
    publish(true);
    expect(() => chosen('1')).toThrow(/the last publish was interrupted/);
  });
});
