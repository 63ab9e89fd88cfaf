import { describe, expect, it } from 'vitest';
import { followLog } from '../../../../src/stages/boot-test/follow-log.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

describe('a log that another program writes', () => {
  it('is handed on line by line, whole lines only, also when it comes late and is begun anew', async () => {
    const fs = memoryFileSystem({ '/logs/x': '' });
    const over = new AbortController();
    const lines: string[] = [];
    const write = (text: string) => fs.writeFile('/logs/dnsmasq.log', text);
    const steps = [
      () => write('one\ntw'),
      () => write('one\ntwo\n'),
      () => fs.remove('/logs/dnsmasq.log'),
      () => write('three\n'),
      () => over.abort(),
    ];
    const clock = {
      now: () => new Date(0),
      monotonicMs: () => 0,
      sleep: async () => steps.shift()?.(),
    };
    await followLog({ fs, clock }, '/logs/dnsmasq.log', (line) => lines.push(line), over.signal);
    expect(lines).toEqual(['one', 'two', 'three']);
  });
});
