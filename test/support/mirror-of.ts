import { execFileSync } from 'node:child_process';

/** Where the host's own apt takes a suite from; no name of a mirror stands in the repository. */
export function mirrorOf(suite: string): string {
  const listed = execFileSync(
    'apt-get',
    ['indextargets', '--format', '$(REPO_URI) $(CODENAME) $(COMPONENT)', 'Created-By: Packages'],
    { encoding: 'utf8' },
  )
    .split('\n')
    .map((line) => line.split(' '));
  const found =
    listed.find(([, codename, component]) => codename === suite && component === 'main') ??
    listed.find(([, , component]) => component === 'main');
  if (found?.[0] === undefined)
    throw new Error('apt of this host has no sources; nothing can be bootstrapped');
  return found[0];
}
