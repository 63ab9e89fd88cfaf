import { describe, expect, test } from 'vitest';
import { type LintedSite, lintedSite } from '../../../support/lint-fixture.js';

type Plant = (site: LintedSite) => void;

/** Puts a file into the overlay that all nodes share. */
function shared(path: string, data: string | Uint8Array, mode = 0o644): Plant {
  return (site) => site.write(`overlays/cluster${path}`, data, mode);
}

/** Writes the settings of that overlay. */
function settings(yaml: string): Plant {
  return (site) => site.write('overlays/cluster/overlay.yaml', yaml);
}

describe('mkroot lint, where a part of the site is broken', () => {
  test('a broken template hides nothing of the files beside it, of its own place, and of the layers above', () => {
    const site = lintedSite();
    shared('/etc/munge/munge.key', new Uint8Array(128), 0o600)(site);
    shared('/etc/issue.liquid', '{{ typo }}')(site);
    // What it would say is not known: that it does not name localhost is not told.
    shared('/etc/hosts.liquid', '{{ typo }}', 0o666)(site);
    shared('/etc/motd.liquid', '')(site);
    site.write('hosts/n1/etc/krb5.keytab', 'x');
    settings('allow: [{ rule: hosts-without-localhost, reason: none }]\n')(site);
    const { findings, looked } = site.lint();
    expect(findings.map(({ rule, where }) => `${rule} ${where}`)).toEqual([
      'file-and-template overlays/cluster/etc/motd.liquid:1:1',
      'unknown-variable overlays/cluster/etc/hosts.liquid:1:4',
      'unknown-variable overlays/cluster/etc/issue.liquid:1:4',
      'world-writable overlays/cluster/etc/hosts.liquid',
      'secret-path overlays/cluster/etc/munge/munge.key',
      'secret-readable hosts/n1/etc/krb5.keytab',
    ]);
    expect(looked).toEqual({ recipes: 1, overlays: 2, layers: 3, nodes: 2 });
  });

  test('an overlay whose settings cannot be read is named as not looked at; the others are looked at', () => {
    const site = lintedSite();
    site.replace('nodes.yaml', '[cluster]', '[cluster, tools]');
    shared('/etc/munge/munge.key', new Uint8Array(128), 0o600)(site);
    // It may lead to what the overlay brings that was not read.
    site.link('overlays/cluster/etc/a', '/opt/tool');
    settings('delete: [/opt/old]\n')(site);
    site.write('overlays/tools/overlay.yaml', 'scop: node\n');
    site.write('overlays/tools/opt/tool', 'x');
    const report = site.lint();
    expect(report.findings.map(({ rule, where }) => `${rule} ${where}`)).toEqual([
      'unknown-field overlays/tools/overlay.yaml:1:1',
      'secret-path overlays/cluster/etc/munge/munge.key',
    ]);
    expect(report).toMatchObject({ unreadOverlays: ['overlays/tools'], looked: { overlays: 1, layers: 3 } });
  });

  test('a nodes.yaml that cannot be read hides no mistake in recipes and settings of overlays', () => {
    const site = lintedSite();
    site.write('nodes.yaml', 'cluster: [\n');
    site.replace('recipes/compute.yaml', 'packages:', 'packges:');
    settings('scop: node\n')(site);
    expect(site.lint()).toMatchObject({ layersKnown: false });
    expect(site.lint().findings.map(({ rule, where }) => `${rule} ${where}`)).toEqual([
      'unknown-field recipes/compute.yaml:5:1',
      expect.stringMatching(/^bad-document nodes\.yaml:/),
      'unknown-field overlays/cluster/overlay.yaml:1:1',
    ]);
  });
});
