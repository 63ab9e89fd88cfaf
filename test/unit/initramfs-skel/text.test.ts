import { describe, expect, it } from 'vitest';
import { runOnTarget, shells } from './target-shell.js';

const yes: Record<string, readonly string[]> = {
  is_ipv4: ['0.0.0.0', '10.77.0.1', '255.255.255.255'],
  is_hostname: ['n1', 'n001.cluster.example', 'A-b', '1', `${'a'.repeat(64)}`],
  is_interface_name: ['eth0', 'enp1s0f0np0', 'ib0', 'eth0.5'],
  is_path: ['/', '/srv/roots/compute-13', '/a%i/b@c+d=e~'],
  is_option_list: ['', 'vers=4.2,nconnect=4', 'size=50%'],
  is_number: ['0', '1795000000'],
};
const no: Record<string, readonly string[]> = {
  is_ipv4: [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    'a.b.c.d',
    '1.2.3.4 ',
    '0000.1.1.1',
    '1.2.3.$(reboot)',
  ],
  is_hostname: [
    '',
    '$(reboot)',
    '`reboot`',
    'a b',
    'a;b',
    '-a',
    'a-',
    '.a',
    'a.',
    'a..b',
    'a-.b',
    'a.-b',
    'a_b',
    'a/b',
    'caf\u00e9',
    'a'.repeat(65),
    'a\nb',
  ],
  is_interface_name: ['', '.', '..', 'a/b', '-x', 'sixteencharacter', 'a b', '*'],
  is_path: ['', 'srv', '/a b', '/a,b', '/a:b', '/a$b', "/a'b", '/a\nb'],
  is_option_list: ['a b', 'a;b', 'a$b', 'a\nb', '*'],
  is_number: ['', '-1', '1a', '1 ', '1234567890123456', '08', '010', '00'],
};

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

describe.each(shells)('text under $name', (shell) => {
  it.each(Object.keys(yes))('%s tells what is from what is not', (check) => {
    const all = [...(yes[check] ?? []), ...(no[check] ?? [])];
    const { stdout } = runOnTarget(
      shell,
      all.map((text) => `${check} ${quote(text)} && echo y || echo n`).join('\n'),
    );
    const answers = stdout.trim().split('\n');
    expect(all.filter((_, index) => answers[index] === 'y')).toEqual(yes[check]);
  });

  it('an InfiniBand device is known by the GUID of its port, in any spelling', () => {
    const guid = 'e4:1d:2d:03:00:12:ab:cd';
    const texts: Record<string, string> = {
      [`80:00:02:08:fe:80:00:00:00:00:00:00:${guid}`]: guid,
      // The queue pair is another one after the driver was loaded anew.
      [`20-80-00-02-09-fe-80-00-00-00-00-00-00-${guid.toUpperCase().replaceAll(':', '-')}`]: guid,
      [guid]: guid,
      [`20-${guid.replaceAll(':', '-')}`]: guid,
      '52:54:00:00:00:01': '52:54:00:00:00:01',
      '01-52-54-00-AB-00-01': '52:54:00:ab:00:01',
      '': '',
      [`${guid}:00:11`]: '',
      [`zz-${guid}`]: '',
      [`80:00:02:08:fe:80:00:00:00:00:00:00:${guid.replace('e4:', ':e4')}`]: '',
      '0:0:0:0:0:0:0:0:0:0:0:0': '',
    };
    const { stdout } = runOnTarget(
      shell,
      Object.keys(texts)
        .map((text) => `normalise_mac ${quote(text)}; echo "$answer"`)
        .join('\n'),
    );
    expect(stdout.split('\n').slice(0, -1)).toEqual(Object.values(texts));
  });

  it('turns netmasks into prefix lengths and refuses masks with holes', () => {
    const masks = [
      '255.255.255.0',
      '255.255.254.0',
      '255.255.255.255',
      '0.0.0.0',
      '128.0.0.0',
      '24',
      '33',
      '255.0.255.0',
      '255.254.128.0',
      '1.2.3.4',
      '',
    ];
    const { stdout } = runOnTarget(
      shell,
      masks.map((mask) => `prefix_length ${quote(mask)}; echo "[$answer]"`).join('\n'),
    );
    expect(stdout.trim().split('\n')).toEqual([
      '[24]',
      '[23]',
      '[32]',
      '[0]',
      '[1]',
      '[24]',
      '[]',
      '[]',
      '[]',
      '[]',
      '[]',
    ]);
  });

  it('lets no text from the network forge or garble a console line', () => {
    const { stdout } = runOnTarget(
      shell,
      `one_line "$(printf 'a\\033[2J\\nmkroot: [90] b\\351~')"; printf '%s' "$answer"`,
    );
    expect(stdout).toBe('a?[2J?mkroot: [90] b?~');
  });
});
