import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ioError } from '../../../../src/host/io-error.js';
import { LAYER_RULES } from '../../../../src/layers/layer-rules.js';
import { SITE_RULES } from '../../../../src/pipelines/lint/site-rules.js';
import { BUILT, GENERATION, type LintedSite, lintedSite } from '../../../support/lint-fixture.js';

type Plant = (site: LintedSite) => void;

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\n';

/** Puts a file into the overlay that all nodes share. */
function shared(path: string, data: string | Uint8Array = 'x', mode = 0o644): Plant {
  return (site) => site.write(`overlays/cluster${path}`, data, mode);
}

/** Writes the settings of that overlay. */
function settings(yaml: string): Plant {
  return (site) => site.write('overlays/cluster/overlay.yaml', yaml);
}

/** Adds fields to the group of all nodes. */
function group(fields: string): Plant {
  return (site) => site.replace('nodes.yaml', '{ image: compute }', `{ image: compute, ${fields} }`);
}

/** Changes n2, the last node. */
function second(from: string, to: string): Plant {
  return (site) => site.replace('nodes.yaml', `n2: ${from}`, to);
}

/** Has a directory of the image that only root may list, and an ordinary user who looks. */
function denied(path: string): Plant {
  return ({ fs }) => {
    const directory = `${BUILT.root}${path}`;
    fs.mkdir(directory);
    const readdir = fs.readdir.bind(fs);
    fs.readdir = (asked) => {
      if (asked !== directory) return readdir(asked);
      throw ioError('list', asked, Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
    };
  };
}

const N2 = "{ group: compute, ip: 10.1.1.2, mac: '52:54:00:00:00:02' }";

/** One mistake each: the rule that has to find it, where, and nothing else may be found. */
const PLANTED: readonly (readonly [rule: string, where: RegExp, plant: Plant])[] = [
  // nodes.yaml, recipes and their fields
  ['bad-document', /^nodes\.yaml:2:1$/, (site) => site.write('nodes.yaml', 'cluster: [\n')],
  [
    'bad-document',
    /^recipes\/compute\.yaml$/,
    (site) => site.write('recipes/compute.yaml', Buffer.from('name: \xff\n', 'latin1')),
  ],
  [
    'unknown-field',
    /^recipes\/compute\.yaml:5:1$/,
    (site) => site.replace('recipes/compute.yaml', 'packages:', 'packges:'),
  ],
  ['invalid-value', /^nodes\.yaml:6:/, (site) => site.replace('nodes.yaml', '10.1.0.0/16', '10.1.0.0/33')],
  [
    'missing-file',
    /^nodes\.yaml:12:/,
    (site) => site.write('nodes.yaml', `${Buffer.from(site.fs.readFile('/site/nodes.yaml'))}csv: none.csv\n`),
  ],
  ['duplicate-name', /^nodes\.yaml:11:/, second(N2, 'n[1-1]: { group: compute, ip: 10.1.1.2 }')],
  ['duplicate-mac', /^nodes\.yaml:11:/, second(N2, `n2: ${N2.replace('00:02', '00:01')}`)],
  ['duplicate-address', /^nodes\.yaml:11:/, second(N2, `n2: ${N2.replace('1.1.2', '1.1.1')}`)],
  ['address-outside', /^nodes\.yaml:11:/, second(N2, `n2: ${N2.replace('10.1.1.2', '10.2.1.2')}`)],
  [
    'bad-network',
    /^nodes\.yaml:6:/,
    (site) => site.replace('nodes.yaml', '10.1.0.0/16 }', '10.1.0.0/16, gateway: 10.9.0.1 }'),
  ],
  [
    'unknown-name',
    /^nodes\.yaml:8:/,
    (site) => site.replace('nodes.yaml', 'image: compute', 'image: comptue'),
  ],
  ['missing-overlay', /^nodes\.yaml:2:/, (site) => site.replace('nodes.yaml', '[cluster]', '[cluster, gpu]')],
  ['other-firmware', /^nodes\.yaml:8:/, group('architecture: arm64, firmware: bios')],
  ['incomplete-node', /^nodes\.yaml:11:/, second(N2, 'n2: { group: compute }')],
  // what nodes are told
  ['node-without-mac', /^nodes\.yaml:11:/, second(N2, 'n2: { group: compute, ip: 10.1.1.2 }')],
  ['missing-role', /^nodes\.yaml:4:/, (site) => site.replace('nodes.yaml', 'tftp, nfs', 'nfs')],
  [
    'server-unreachable',
    /^nodes\.yaml:6:/,
    (site) => site.replace('nodes.yaml', 'address: 10.1.0.1', 'address: 10.9.0.1'),
  ],
  [
    'unused-group',
    /^nodes\.yaml:9:/,
    (site) => site.replace('nodes.yaml', 'nodes:\n', '  spare: { image: compute }\nnodes:\n'),
  ],
  [
    'unused-network',
    /^nodes\.yaml:7:/,
    (site) => site.replace('nodes.yaml', 'groups:', '  other: { subnet: 10.2.0.0/16 }\ngroups:'),
  ],
  ['unknown-argument', /^nodes\.yaml:8:/, group('kernelArguments: ["mkroot.hostnam=x"]')],
  ['idle-argument', /^nodes\.yaml:8:/, group('kernelArguments: ["root=/dev/sda1"]')],
  ['top-takes-memory', /^nodes\.yaml:8:/, group('writableTop: { size: "100%" }')],
  ['disk-may-be-wiped', /^nodes\.yaml:8:/, group('disk: { device: sda, swap: 1g, consent: yes-wipe-sda }')],
  [
    'persistent-inside',
    /^nodes\.yaml:8:/,
    group('persistent: [{ path: /var/spool }, { path: /var/spool/jobs }]'),
  ],
  ['persistent-system', /^nodes\.yaml:8:/, group('persistent: [{ path: /usr }]')],
  ['shared-state', /^nodes\.yaml:8:/, group('persistent: [{ path: /var/log, export: /srv/log }]')],
  [
    'hidden-by-persistent',
    /^nodes\.yaml:8:/,
    (site) => {
      group('persistent: [{ path: /var/log, export: /srv/log/%h }]')(site);
      shared('/var/log/first')(site);
    },
  ],
  // templates and overlay.yaml
  [
    'unknown-variable',
    /^overlays\/cluster\/etc\/t\.liquid:2:4$/,
    shared('/etc/t.liquid', 'a\n{{ nodse }}\n'),
  ],
  ['unknown-filter', /^overlays\/cluster\/etc\/t\.liquid:1:/, shared('/etc/t.liquid', '{{ nodes | frist }}')],
  ['bad-template', /^overlays\/cluster\/etc\/t\.liquid:1:/, shared('/etc/t.liquid', '{% if nodes %}')],
  [
    'missing-partial',
    /^overlays\/cluster\/etc\/t\.liquid:1:/,
    shared('/etc/t.liquid', '{% include "../../../../etc/passwd" %}'),
  ],
  [
    'endless-include',
    /^overlays\/cluster\/(etc\/t\.liquid|\.partials\/a):1:/,
    (site) => {
      shared('/etc/t.liquid', '{% include "a" %}')(site);
      shared('/.partials/a', '{% include "a" %}')(site);
    },
  ],
  [
    'endless-template',
    /^overlays\/cluster\/etc\/t\.liquid:/,
    shared(
      '/etc/t.liquid',
      '{% assign a = "x" %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}',
    ),
  ],
  ['file-and-template', /^overlays\/cluster\/etc\/motd\.liquid:1:1$/, shared('/etc/motd.liquid')],
  [
    'unknown-account',
    /^overlays\/cluster\/overlay\.yaml:1:/,
    settings('attributes: [{ path: /etc/motd, owner: slurm }]\n'),
  ],
  [
    'idle-attributes',
    /^overlays\/cluster\/overlay\.yaml:1:/,
    settings('attributes: [{ path: /etc/mtd, mode: "0600" }]\n'),
  ],
  [
    'idle-allowance',
    /^overlays\/cluster\/overlay\.yaml:1:/,
    settings('allow: [{ rule: world-writable, reason: no }]\n'),
  ],
  ['unused-overlay', /^overlays\/spare$/, (site) => site.write('overlays/spare/etc/motd', '')],
  ['unused-overlay', /^hosts\/n3$/, (site) => site.write('hosts/n3/etc/motd', '')],
  [
    'empty-overlay',
    /^overlays\/empty$/,
    (site) => {
      site.write('overlays/empty/.gitkeep', '');
      site.replace('nodes.yaml', '[cluster]', '[cluster, empty]');
    },
  ],
  ['unused-csv', /^nodes\.csv$/, (site) => site.write('nodes.csv', 'name,mac\n')],
  // images
  [
    'image-outdated',
    /^image compute$/,
    (site) => site.replace('recipes/compute.yaml', '[systemd]', '[systemd, less]'),
  ],
  ['image-damaged', /^image compute /, (site) => site.write(BUILT.manifest, '{')],
  ['image-without-initrd', /^image compute /, (site) => site.fs.remove(BUILT.initrd)],
  [
    'initrd-kernel',
    /^image compute /,
    (site) => site.replace(`${BUILT.initrd}.json`, '6.12.1-amd64', '6.1.0-amd64'),
  ],
  ['initrd-damaged', /^image compute /, (site) => site.write(BUILT.initrd, 'initr')],
  ['missing-driver', /^nodes\.yaml:8:/, group('drivers: [mlx5_core]')],
  ['missing-kernel', /^nodes\.yaml:8:/, group('kernel: 5.10.*')],
  ['generation-missing', /^nodes\.yaml:8:/, group('generation: 20260101T000000Z-00000000')],
  ['other-architecture', /^nodes\.yaml:8:/, group('architecture: arm64')],
  // layers
  ['directory-drift', /^overlays\/cluster/, settings('attributes: [{ path: /etc/ssh, mode: "0775" }]\n')],
  ['directory-locked', /^overlays\/cluster/, settings('attributes: [{ path: /etc, mode: "0700" }]\n')],
  ['usr-merge', /^overlays\/cluster\/bin$/, shared('/bin/tool', 'x', 0o755)],
  ['type-conflict', /^overlays\/cluster\/srv\/data$/, shared('/srv/data')],
  [
    'secret-path',
    /^overlays\/cluster\/etc\/munge\/munge\.key$/,
    shared('/etc/munge/munge.key', new Uint8Array(128), 0o600),
  ],
  ['secret-content', /^overlays\/cluster\/srv\/k$/, shared('/srv/k', KEY)],
  ['secret-content', /^overlays\/cluster\/srv\/t$/, shared('/srv/t', `TOKEN=ghp_${'a'.repeat(36)}\n`)],
  [
    'secret-readable',
    /^hosts\/n1\/etc\/krb5\.keytab$/,
    (site) => site.write('hosts/n1/etc/krb5.keytab', 'x'),
  ],
  ['image-secret', /^image compute$/, (site) => site.write(`${BUILT.root}/etc/ssl/private/k.pem`, KEY)],
  ['image-unread', /^image compute$/, denied('/etc/ssl/private')],
  ['shared-identity', /^overlays\/cluster\/etc\/machine-id$/, shared('/etc/machine-id')],
  ['shared-pointer', /^overlays\/cluster\/hopeless\.root$/, shared('/hopeless.root')],
  [
    'special-file',
    /^overlays\/cluster\/srv\/pipe$/,
    (site) => {
      shared('/srv/pipe')(site);
      const { fs } = site;
      const lstat = fs.lstat.bind(fs);
      // memfs has no pipes.
      fs.lstat = (path) => {
        const stat = lstat(path);
        return stat && path.endsWith('/srv/pipe') ? { ...stat, kind: 'fifo' } : stat;
      };
    },
  ],
  [
    'link-leaves-root',
    /^overlays\/cluster\/etc\/a$/,
    (site) => site.link('overlays/cluster/etc/a', '/site/overlays/x'),
  ],
  ['dangling-link', /^overlays\/cluster\/etc\/a$/, (site) => site.link('overlays/cluster/etc/a', 'nothing')],
  ['setuid-new', /^overlays\/cluster\/usr\/bin\/tool$/, shared('/usr/bin/tool', 'x', 0o4755)],
  ['setuid-lost', /^overlays\/cluster\/usr\/bin\/su$/, shared('/usr/bin/su', 'x', 0o755)],
  ['world-writable', /^overlays\/cluster\/srv\/w$/, shared('/srv/w', 'x', 0o666)],
  [
    'unknown-owner',
    /^overlays\/cluster\/etc\/motd$/,
    settings('attributes: [{ path: /etc/motd, owner: 4711 }]\n'),
  ],
  ['hidden-by-mount', /^overlays\/cluster\/run\/x$/, shared('/run/x')],
  ['idle-deletion', /^overlays\/cluster\/overlay\.yaml$/, settings('delete: [/etc/nothing]\n')],
  ['odd-name', /^overlays\/cluster\/srv\/a\\x07b$/, shared('/srv/a\x07b')],
  ['leftover-file', /^overlays\/cluster\/etc\/motd~$/, shared('/etc/motd~')],
  ['forgotten-suffix', /^overlays\/cluster\/etc\/role:2$/, shared('/etc/role', 'role\n{{ node.name }}\n')],
  [
    'crlf-script',
    /^overlays\/cluster\/usr\/bin\/tool:1$/,
    shared('/usr/bin/tool', '#!/bin/sh\r\nexit\r\n', 0o755),
  ],
  [
    'missing-interpreter',
    /^overlays\/cluster\/usr\/bin\/tool:1$/,
    shared('/usr/bin/tool', '#!/usr/bin/perl\n', 0o755),
  ],
  [
    'missing-interpreter',
    /^overlays\/cluster\/usr\/bin\/tool:1$/,
    (site) => {
      site.write(`${BUILT.root}/usr/bin/env`, 'x', 0o755);
      shared('/usr/bin/tool', '#!/usr/bin/env python3\n', 0o755)(site);
    },
  ],
  ['not-executable', /^overlays\/cluster\/usr\/local\/bin\/tool$/, shared('/usr/local/bin/tool')],
  [
    'mode-refused',
    /^overlays\/cluster\/root\/\.ssh\/authorized_keys$/,
    shared('/root/.ssh/authorized_keys', 'ssh-rsa A', 0o664),
  ],
  [
    'name-passed-over',
    /^overlays\/cluster\/etc\/sudoers\.d\/10\.admins$/,
    shared('/etc/sudoers.d/10.admins', 'x', 0o440),
  ],
  [
    'unit-missing',
    /^overlays\/cluster\/etc\/systemd/,
    (site) =>
      site.link(
        'overlays/cluster/etc/systemd/system/multi-user.target.wants/slurmd.service',
        '/usr/lib/systemd/system/slurmd.service',
      ),
  ],
  [
    'fixed-resolv-conf',
    /^overlays\/cluster\/etc\/resolv\.conf$/,
    shared('/etc/resolv.conf', 'nameserver 10.1.0.1\n'),
  ],
  [
    'fstab-root',
    /^overlays\/cluster\/etc\/fstab:2$/,
    shared('/etc/fstab', '# disks\n/dev/sda1 / ext4 defaults 0 1\n'),
  ],
  ['hosts-without-localhost', /^overlays\/cluster\/etc\/hosts$/, shared('/etc/hosts', '10.1.1.1 n1\n')],
  [
    'accounts-lost',
    /^overlays\/cluster\/etc\/passwd$/,
    shared('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
  ],
  [
    'stale-ld-cache',
    /^overlays\/cluster\/etc\/ld\.so\.conf\.d\/mpi\.conf$/,
    shared('/etc/ld.so.conf.d/mpi.conf', '/opt/mpi/lib\n'),
  ],
  ['package-database', /^overlays\/cluster\/var\/lib\/dpkg\/status$/, shared('/var/lib/dpkg/status')],
  ['kernel-in-layer', /^overlays\/cluster\/boot\/vmlinuz$/, shared('/boot/vmlinuz')],
];

describe('mkroot lint', () => {
  test('finds nothing in a site that is as it should be', () => {
    const { findings, looked, missingImages } = lintedSite().lint();
    expect(findings).toEqual([]);
    expect(looked).toEqual({ recipes: 1, overlays: 1, layers: 3, nodes: 2 });
    expect(missingImages).toEqual([]);
  });

  test.each(PLANTED)('finds %s at %s, and nothing else', (rule, where, plant) => {
    const site = lintedSite();
    plant(site);
    const { findings } = site.lint();
    expect(findings.map((finding) => `${finding.rule} ${finding.where} ${finding.what}`)).toHaveLength(1);
    expect(findings[0]).toMatchObject({ rule, where: expect.stringMatching(where) });
    expect(findings[0]?.remedy).not.toBe('');
  });

  test('finds all of them at once, as far as nodes.yaml can be read', () => {
    const site = lintedSite();
    const spoilt = PLANTED.filter(
      ([, where]) => /overlays|^\/\^image/.test(where.source) || where.source.includes('recipes'),
    );
    const atOnce = spoilt.filter(([rule]) =>
      [
        'crlf-script',
        'secret-content',
        'leftover-file',
        'fstab-root',
        'unknown-field',
        'unit-missing',
      ].includes(rule),
    );
    for (const [, , plant] of atOnce) plant(site);
    const found = new Set(site.lint().findings.map(({ rule }) => rule as string));
    expect([...found].sort()).toEqual([...new Set(atOnce.map(([rule]) => rule))].sort());
  });

  test('what an overlay allows with a reason is not told; a reason is asked for', () => {
    const site = lintedSite();
    shared('/srv/w', 'x', 0o666)(site);
    settings('allow: [{ rule: world-writable, path: /srv/*, reason: a drop box }]\n')(site);
    expect(site.lint().findings).toEqual([]);
    settings('allow: [{ rule: world-writable, path: /srv/other, reason: a drop box }]\n')(site);
    expect(site.lint().findings.map(({ rule }) => rule)).toEqual(['world-writable', 'idle-allowance']);
    settings('allow: [{ rule: world-writable }]\n')(site);
    expect(site.lint().findings.map(({ rule, where }) => `${rule} ${where}`)).toEqual([
      'invalid-value overlays/cluster/overlay.yaml:1:9',
    ]);
  });

  test('what the same line does to many nodes is told once, with their number', () => {
    const site = lintedSite();
    group('architecture: arm64')(site);
    expect(site.lint().findings.map(({ what }) => what)).toEqual([
      'n1 is arm64, compute is for amd64; the same for 1 more',
    ]);
  });

  test('an image that was never built is named; its rules wait for it', () => {
    const site = lintedSite();
    site.fs.remove('/state/images');
    shared('/usr/bin/tool', '#!/usr/bin/perl\n', 0o755)(site);
    expect(site.lint()).toMatchObject({ findings: [], missingImages: ['compute'] });
  });

  test('docs/lint.md lists exactly the rules, with severity, meaning and remedy, and each is planted here', () => {
    const text = readFileSync(new URL('../../../../docs/lint.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (error|warning) \| (.*) \| (.*) \|$/gm)].map((row) =>
      row.slice(1),
    );
    const rules = Object.entries({ ...SITE_RULES, ...LAYER_RULES }).map(
      ([id, { severity, about, remedy }]) => [id, severity, about, remedy],
    );
    expect(rows).toEqual(rules);
    const planted = new Set(PLANTED.map(([rule]) => rule));
    expect(rules.map(([id]) => id).filter((id) => !planted.has(id!))).toEqual([]);
    expect(new Set(rules.map(([id]) => id)).size).toBe(rules.length);
    expect(GENERATION).toMatch(/^\d{8}T/);
  });
});
