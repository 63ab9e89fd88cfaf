import { describe, expect, it } from 'vitest';
import { MkrootError } from '../../../../src/errors.js';
import { followPublication } from '../../../../src/pipelines/serve/follow-publication.js';
import type { Publication } from '../../../../src/pipelines/serve/watch-publish.js';
import type { ServeEvent } from '../../../../src/serving/serve-event.js';
import { smallSite } from '../../../support/small-site.js';

type Changed = Publication['changed'] extends ReadonlySet<infer Name> ? Name : never;

function publication(...changed: readonly Changed[]): Publication {
  return { site: smallSite, at: 'now', changed: new Set(changed), warnings: [] };
}

/** What the servers were told, and what `mkroot serve` said. */
async function follow(news: Publication, nfs: () => Promise<void> = async () => {}) {
  const told: string[] = [];
  const events: ServeEvent[] = [];
  const reload = {
    nfs: async () => {
      told.push('nfs');
      await nfs();
    },
    dnsmasq: async () => void told.push('dnsmasq'),
  };
  await followPublication(news, reload, (event) => events.push(event));
  return { told, warnings: events.flatMap((one) => (one.event === 'warning' ? [one.message] : [])) };
}

describe('what servers are told of a publish', () => {
  it.each([
    [['exports'], ['nfs']],
    [['ganesha/ganesha.conf', 'exports'], ['nfs']],
    [['dnsmasq.conf'], ['dnsmasq']],
    [[], []],
  ] as const)('%j changed', async (changed, told) => {
    expect(await follow(publication(...changed))).toEqual({ told, warnings: [] });
  });

  it('one that cannot be told is warned of, and the next one is told', async () => {
    const gone = async () => {
      throw new MkrootError('Cannot run "sh": it failed with exit code 1');
    };
    expect(await follow(publication('exports', 'dnsmasq.conf'), gone)).toEqual({
      told: ['nfs', 'dnsmasq'],
      warnings: ['NFS was not told of what was published: Cannot run "sh": it failed with exit code 1'],
    });
  });

  it('a mistake of mkroot is not taken for that', async () => {
    const mistake = async () => {
      throw new TypeError('undefined is not a function');
    };
    await expect(follow(publication('exports'), mistake)).rejects.toThrow(TypeError);
  });
});
