import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { lintTargets } from '../../../../src/pipelines/lint/lint-targets.js';
import { findingText } from '../../../../src/pipelines/lint/lint-text.js';
import { lintedSite } from '../../../support/lint-fixture.js';

const PLACE = {
  site: { directory: '/site', workingDirectory: '/site', images: ['compute', 'storage'] },
  state: '/state',
} as const;

describe('mkroot overlay lint', () => {
  test('tells broken templates and settings with everything else, as mkroot lint does', () => {
    const site = lintedSite();
    site.replace('nodes.yaml', '[cluster]', '[cluster, tools]');
    site.write('overlays/cluster/etc/munge/munge.key', new Uint8Array(128), 0o600);
    site.write('overlays/cluster/etc/issue.liquid', 'a\n{{ typo }}');
    site.write('overlays/cluster/etc/motd.liquid', '');
    site.write('overlays/tools/overlay.yaml', 'scop: node\n');
    site.write('hosts/n1/etc/krb5.keytab', 'x');
    const { findings, ...rest } = lintTargets(site.fs, { ...PLACE, names: [] });
    expect(findings).toEqual(site.lint().findings);
    expect(findings.map(({ rule, where }) => `${rule} ${where}`).sort()).toEqual([
      'file-and-template overlays/cluster/etc/motd.liquid:1:1',
      'secret-path overlays/cluster/etc/munge/munge.key',
      'secret-readable hosts/n1/etc/krb5.keytab',
      'unknown-field overlays/tools/overlay.yaml:1:1',
      'unknown-variable overlays/cluster/etc/issue.liquid:2:4',
    ]);
    expect(rest).toEqual({ unreadOverlays: ['overlays/tools'], missingImages: [] });
  });

  test('looks at the layers of those that are named', () => {
    const site = lintedSite();
    site.write('hosts/n1/etc/issue.liquid', '{{ typo }}');
    site.write('hosts/n2/etc/issue.liquid', '{{ node.nmae }}');
    const rules = (...names: string[]) =>
      lintTargets(site.fs, { ...PLACE, names }).findings.map(({ where }) => where);
    expect(rules('n2')).toEqual(['hosts/n2/etc/issue.liquid:1:4']);
    expect(rules('compute')).toEqual([]);
    expect(() => rules('n3')).toThrow(expect.objectContaining({ exitCode: ExitCode.NotFound }));
  });

  test('passes over a group that has no image and no nodes, unless it is named', () => {
    const site = lintedSite();
    site.replace('nodes.yaml', 'groups:\n', 'groups:\n  spare: {}\n');
    expect(lintTargets(site.fs, { ...PLACE, names: [] }).findings).toEqual([]);
    expect(() => lintTargets(site.fs, { ...PLACE, names: ['spare'] })).toThrow(
      'Cannot make the layer of group "spare": nothing says which image it boots',
    );
  });

  test('says the place, what is the case, in which layers, and what to do', () => {
    const site = lintedSite();
    site.write('hosts/template/run/x', '');
    const [finding] = lintTargets(site.fs, { ...PLACE, names: [] }).findings;
    expect(findingText(finding!)).toEqual([
      expect.stringMatching(
        /^hosts\/template\/run\/x: \w+ hidden-by-mount: \/run\/x: .+ \(in n1 and 1 more\)$/,
      ),
      expect.stringMatching(/^ {4}\S/),
    ]);
  });
});
