import { describe, expect, it } from 'vitest';
import { dnfActivity, dnfHint } from '../../../../src/stages/root/dnf-output.js';
import { failedScriptlet } from '../../../../src/stages/root/rpm-scriptlets.js';

describe('dnfActivity', () => {
  it.each([
    [
      '(12/138): bash-5.2-2.x86_64.rpm        1.4 MB/s | 1.4 MB     00:00    ',
      'downloading bash-5.2-2.x86_64.rpm (12/138)',
    ],
    [
      '  Installing       : libgpg-error0-1.46-1.x86_64                 69/138 ',
      'installing libgpg-error0-1.46-1.x86_64 (69/138)',
    ],
    [
      '  Running scriptlet: setup-1-1.noarch                            115/138 ',
      'running scriptlet setup-1-1.noarch (115/138)',
    ],
    [
      '[3/40] Installing bash-0:5.2-2.x86_64      100% |  10.0 MiB/s |   8.1 MiB |  00m00s',
      'installing bash-0:5.2-2.x86_64 (3/40)',
    ],
    ['Dependencies resolved.', undefined],
    [' libgpg-error0                x86_64   1.46-1                      test    85 k', undefined],
  ])('%j is %j', (line, activity) => {
    expect(dnfActivity(line)).toBe(activity);
  });
});

describe('failedScriptlet', () => {
  it.each([
    [
      'warning: %post(bad-1-1.noarch) scriptlet failed, exit status 3',
      { scriptlet: '%post', package: 'bad-1-1.noarch' },
    ],
    ['Error in POSTIN scriptlet in rpm package bad', { scriptlet: 'POSTIN', package: 'bad' }],
    [
      'error: %prein(bad-1-1.noarch) scriptlet failed, exit status 1',
      { scriptlet: '%prein', package: 'bad-1-1.noarch' },
    ],
    ['Non-fatal POSTIN scriptlet failure in rpm package bad', { scriptlet: 'POSTIN', package: 'bad' }],
    ['  Running scriptlet: setup-1-1.noarch      115/138 ', undefined],
  ])('%j', (line, expected) => {
    expect(failedScriptlet(line)).toEqual(expected);
  });
});

describe('dnfHint', () => {
  it.each([
    ['Package plain-1-1.noarch.rpm is not signed', 'rpm.repositories[].keys'],
    ["[FAILED] a.rpm: Downloading successful, but checksum doesn't match.", 'try again'],
    ['  - nothing provides missing needed by a-1-1.noarch', 'rpm.excludes'],
    ['Error: Unable to find a match: bash-9.9', 'names and versions'],
  ])('of %j says what to look at', (line, words) => {
    expect(dnfHint(['Updating', line])).toContain(words);
  });

  it('says nothing about words that it does not know', () => {
    expect(dnfHint(['Traceback (most recent call last):'])).toBeUndefined();
  });
});
