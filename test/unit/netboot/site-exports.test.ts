import { describe, expect, it } from 'vitest';
import { exportIdsIn } from '../../../src/netboot/ganesha.js';
import type { NetbootSite } from '../../../src/netboot/netboot-site.js';
import { renderSiteGanesha } from '../../../src/netboot/site-exports.js';
import { computeBoot, smallSite } from '../../support/small-site.js';

/** So many that some come to the same number. */
const COUNT = 3000;

function siteOf(numbers: readonly number[]): NetbootSite {
  const nodes = numbers.map((at) => ({
    name: `m${at}`,
    address: `10.1.${16 + (at >> 8)}.${at & 255}`,
    groups: [],
    boot: computeBoot(`m${at}`),
    directories: [{ path: `/state/hosts/m${at}`, access: 'ro' as const }],
  }));
  return { ...smallSite, directories: [], nodes };
}

const all = Array.from({ length: COUNT }, (_, at) => at);
const text = renderSiteGanesha(siteOf(all));

describe('numbers of the exports of nfs-ganesha', () => {
  it('are one for each directory', () => {
    const ids = exportIdsIn(text);
    expect(ids.size).toBe(COUNT);
    expect(new Set(ids.values()).size).toBe(COUNT);
  });

  it('stay as they are when other nodes go and come', () => {
    const before = exportIdsIn(text);
    const fewer = all.filter((at) => at % 7 !== 3);
    const without = renderSiteGanesha(siteOf(fewer), text);
    for (const [path, id] of exportIdsIn(without)) expect(id, path).toBe(before.get(path));
    const others = Array.from({ length: 500 }, (_, at) => COUNT + at);
    const later = exportIdsIn(renderSiteGanesha(siteOf([...others, ...fewer]), without));
    for (const at of fewer) expect(later.get(`/state/hosts/m${at}`)).toBe(before.get(`/state/hosts/m${at}`));
    expect(new Set(later.values()).size).toBe(fewer.length + others.length);
    // Without the one before, some would move: that is why it is read.
    const alone = exportIdsIn(renderSiteGanesha(siteOf(fewer)));
    expect([...alone].some(([path, id]) => id !== before.get(path))).toBe(true);
  });

  it('the same configuration comes out when it is made once more', () => {
    expect(renderSiteGanesha(siteOf(all), text)).toBe(text);
  });

  it('that somebody wrote there by hand and that cannot be are not kept', () => {
    const by = (id: string) => text.replace(/Export_Id = \d+;/, `Export_Id = ${id};`);
    for (const id of ['0', '65536', String([...exportIdsIn(text).values()][1])]) {
      const ids = exportIdsIn(renderSiteGanesha(siteOf(all), by(id)));
      expect(new Set(ids.values()).size).toBe(COUNT);
      for (const one of ids.values()) expect(one > 0 && one < 65_536).toBe(true);
    }
  });
});
