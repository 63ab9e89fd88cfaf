import { describe, expect, it } from 'vitest';
import { publish } from '../../../../src/pipelines/publish/apply-publish.js';
import { planPublish } from '../../../../src/pipelines/publish/plan-publish.js';
import { publishReport } from '../../../../src/pipelines/publish/publish-report.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { publishPorts, publishSite, REQUEST, WRITER } from '../../../support/publish-site.js';

/** Nodes in two groups, each with an entry of its own. */
function siteOf(count: number): FileSystem {
  const nodes = Array.from({ length: count }, (_, at) => {
    const [high, low] = [at >> 8, at & 255];
    const mac = [high, low].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    return `  n${at}: { group: ${at % 2 === 0 ? 'compute' : 'canary'}, ip: 10.1.${high + 16}.${low}, mac: '52:54:00:00:${mac}' }\n`;
  });
  return publishSite({
    '/site/nodes.yaml': `cluster:
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute, overlays: [compute] }
  canary: { image: compute }
nodes:
${nodes.join('')}`,
    '/site/hosts/template/etc/name.liquid': '{{ node.name }}\n',
  });
}

/** How often each function of the file system is called. */
function calls(fs: FileSystem, act: (fs: FileSystem) => void): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const counting: FileSystem = new Proxy(fs, {
    get:
      (target, key: keyof FileSystem) =>
      (...args: unknown[]) => {
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return Reflect.apply(Reflect.get(target, key), target, args);
      },
  });
  act(counting);
  return counts;
}

describe('a plan for more nodes', () => {
  it('where nothing has changed looks at each file of a node once, reads none, and lists nothing', async () => {
    const [few, many] = [10, 60];
    const counts: ReadonlyMap<string, number>[] = [];
    for (const count of [few, many]) {
      const fs = siteOf(count);
      await publish(publishPorts(fs), REQUEST, WRITER);
      counts.push(
        calls(fs, (counting) => {
          expect(planPublish(counting, REQUEST).changes).toBe(false);
        }),
      );
    }
    const perNode = (what: string) =>
      ((counts[1]!.get(what) ?? 0) - (counts[0]!.get(what) ?? 0)) / (many - few);
    expect(perNode('readFile')).toBe(0);
    expect(perNode('readdir')).toBe(0);
    // 6 boot files, 8 of the identity, 18 or so of the layer, and `current`.
    expect(perNode('lstat')).toBeGreaterThan(20);
    expect(perNode('lstat')).toBeLessThan(40);
  });

  it('where all are new takes as much longer as there are more', () => {
    const cpuSeconds = (count: number) => {
      const fs = siteOf(count);
      const started = process.cpuUsage();
      const plan = planPublish(fs, REQUEST);
      expect(plan.nodes).toHaveLength(count);
      const told = publishReport(fs, plan, { files: true, diff: false, published: false, state: '/state' });
      expect(told.lines.length).toBeGreaterThan(count * 6);
      const { user, system } = process.cpuUsage(started);
      return (user + system) / 1e6;
    };
    // What is compiled and cached at first is not the question.
    cpuSeconds(300);
    const few = Math.min(cpuSeconds(1000), cpuSeconds(1000));
    const many = cpuSeconds(10_000);
    // Linear is 10. Garbage of a larger heap costs something, another program on the machine, too; a square would be 100.
    expect(many / few).toBeLessThan(30);
  }, 120_000);
});
