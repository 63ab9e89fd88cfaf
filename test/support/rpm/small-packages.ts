import type { RpmRepository } from './rpm-repository.js';

/** A spec file of a package without files of its own. */
function spec(name: string, lines: readonly string[] = [], { version = '1', parts = '' } = {}): string {
  return [
    `Name: ${name}`,
    `Version: ${version}`,
    'Release: 1',
    'BuildArch: noarch',
    `Summary: ${name}`,
    'License: MIT',
    ...lines,
    '%description',
    name,
    parts === '' ? '%files' : parts,
    '',
  ].join('\n');
}

/** A root of one program, in which scriptlets run: the busybox of this machine, statically linked. */
const BASE = spec('small-base', ['Provides: /bin/sh', 'AutoReqProv: no'], {
  parts: `%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib %{buildroot}/etc %{buildroot}/var
cp /bin/busybox %{buildroot}/usr/bin/busybox
for name in sh cat chmod chown ls mkdir rm sleep test true; do ln -s busybox %{buildroot}/usr/bin/$name; done
ln -s usr/bin usr/lib %{buildroot}/
echo 'root:x:0:0::/root:/bin/sh' > %{buildroot}/etc/passwd
echo 'root:x:0:' > %{buildroot}/etc/group
%files
/bin
/lib
/usr/bin/*
/etc/*`,
});

const KERNEL = spec('small-kernel', ['Requires: small-base'], {
  parts: `%install
mkdir -p %{buildroot}/usr/lib/modules/6.1.0-test
echo kernel > %{buildroot}/usr/lib/modules/6.1.0-test/vmlinuz
%files
/usr/lib/modules`,
});

const DOCUMENTED = spec('documented', ['Recommends: recommended'], {
  parts: `%install
mkdir -p %{buildroot}/usr/share/doc/documented
echo read > %{buildroot}/usr/share/doc/documented/README
%files
%doc /usr/share/doc/documented/README`,
});

/** More than fits on the test's full disk, and not to be compressed. */
const LARGE = spec('large', [], {
  parts: `%install
mkdir -p %{buildroot}/usr/share/large
head -c 30000000 /dev/urandom > %{buildroot}/usr/share/large/noise
%files
/usr/share/large`,
});

/** Packages for each thing that can be asked of dnf, and for each way in which one can be bad. */
export async function buildSmallPackages(repository: RpmRepository): Promise<void> {
  const specs: readonly (readonly [name: string, text: string])[] = [
    ['small-base', BASE],
    ['small-kernel', KERNEL],
    ['documented', DOCUMENTED],
    ['large', LARGE],
    ...[
      'recommended',
      'unsigned',
      'strange',
      'keyed',
      'fetched',
      'damaged',
      'sized-shorter',
      'sized-longer',
      'sized-honest',
      'tool',
      'tool-unwanted',
    ].map((name) => [name, spec(name)] as const),
    ['pinned', spec('pinned')],
    ['pinned', spec('pinned', [], { version: '2' })],
    ['streamed', spec('streamed')],
    ['streamed', spec('streamed', [], { version: '2' })],
    ['old-name', spec('old-name')],
    ['new-name', spec('new-name', ['Obsoletes: old-name < 2', 'Provides: old-name = 2'], { version: '2' })],
    ['quarrel-a', spec('quarrel-a')],
    ['quarrel-b', spec('quarrel-b', ['Conflicts: quarrel-a'])],
    ['slow', spec('slow', ['Requires(post): small-base'], { parts: '%post\nsleep 3\n%files' })],
    ['fails-before', spec('fails-before', ['Requires(pre): small-base'], { parts: '%pre\nexit 3\n%files' })],
    ['fails-after', spec('fails-after', ['Requires(post): small-base'], { parts: '%post\nexit 3\n%files' })],
  ];
  for (const [name, text] of specs) await repository.build(name, text);
}

/** A comps file with one group. */
export const GROUPS = `<?xml version="1.0" encoding="UTF-8"?>
<comps>
  <group>
    <id>tools</id>
    <name>Tools</name>
    <packagelist>
      <packagereq type="mandatory">tool</packagereq>
      <packagereq type="default">tool-unwanted</packagereq>
    </packagelist>
  </group>
</comps>
`;

/** Two streams of one module; none is the default. */
export const MODULES = ['old 1', 'new 2']
  .map((entry) => entry.split(' ') as [string, string])
  .map(
    ([stream, version]) => `---
document: modulemd
version: 2
data:
  name: streamed
  stream: "${stream}"
  version: 1
  context: 00000000
  arch: x86_64
  summary: streamed
  description: streamed
  license: { module: [MIT] }
  profiles: { default: { rpms: [streamed] } }
  artifacts: { rpms: ["streamed-0:${version}-1.noarch"] }
...
`,
  )
  .join('');
