import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

const run = promisify(execFile);

/** Options of every rpmbuild of the tests: fast to build, no debug packages, owners as in the spec file. */
const RPMBUILD = [
  ['_binary_payload', 'w1.zstdio'],
  ['debug_package', '%{nil}'],
  ['__os_install_post', '%{nil}'],
  ['_build_id_links', 'none'],
  ['_binaries_in_noarch_packages_terminate_build', '0'],
  // Converted packages bring programs along that nothing in a test's root runs: in perl and python, for traffic over ATM.
  ['__requires_exclude', '^(perl|python|/usr/bin/(perl|python|pkg-config|awk)|/usr/local/|/bin/dash|libatm)'],
].flatMap(([name, value]) => ['--define', `${name} ${value}`]);

/** A repository of rpm packages that a test makes for itself, below a directory of its own. */
export class RpmRepository {
  /** What is served: packages and repodata. */
  readonly packages: string;
  /** Public key of {@link sign}, armoured. */
  readonly key: string;
  readonly #gpgHome: string;

  constructor(readonly directory: string = mkdtempSync('/var/tmp/mkroot-test-rpm-')) {
    this.packages = join(directory, 'repository');
    this.key = join(directory, 'key.asc');
    mkdirSync(this.packages, { recursive: true });
    this.#gpgHome = mkdtempSync('/tmp/mkroot-gpg-'); // short: gpg-agent's sockets lie in it
    makeKey(this.#gpgHome, 'mkroot test', this.key);
  }

  /** Builds a package from the text of a spec file; `buildRoot` holds its files, if it has any beside those of the spec. */
  async build(name: string, spec: string, buildRoot?: string): Promise<string> {
    const work = mkdtempSync(join(this.directory, `build-${name}-`));
    const file = join(work, `${name}.spec`);
    writeFileSync(file, spec);
    try {
      await run(
        'rpmbuild',
        [
          '-bb',
          '--nodeps',
          '--buildroot',
          buildRoot ?? join(work, 'root'),
          ...RPMBUILD,
          '--define',
          `_topdir ${work}`,
          '--define',
          `_rpmdir ${this.packages}`,
          '--define',
          '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
          ...(buildRoot === undefined ? [] : ['--noclean']),
          file,
        ],
        { env: homeAt(work) },
      );
    } catch (error) {
      throw new Error(`rpmbuild of ${name} failed`, { cause: error });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    return this.find(name);
  }

  /** Path of the package file of that name. */
  find(name: string): string {
    const file = readdirSync(this.packages).find(
      (entry) => entry.startsWith(`${name}-`) && /^\d/.test(entry.slice(name.length + 1)),
    );
    if (file === undefined) throw new Error(`The test's repository has no package ${name}`);
    return join(this.packages, file);
  }

  /** Signs packages (all, by default) with the throw-away key, or with another one that nobody knows. */
  sign(files: readonly string[] = this.#all(), signer: 'known' | 'unknown' = 'known'): void {
    let home = this.#gpgHome;
    if (signer === 'unknown') {
      home = mkdtempSync('/tmp/mkroot-gpg-');
      makeKey(home, 'somebody else', join(home, 'key.asc'));
    }
    const name = signer === 'known' ? 'mkroot test' : 'somebody else';
    execFileSync(
      'rpmsign',
      [
        ...[
          '--define',
          `_gpg_name ${name}`,
          '--define',
          `_gpg_path ${home}`,
          '--define',
          `__gpg /usr/bin/gpg`,
        ],
        '--addsign',
        ...files,
      ],
      { stdio: 'pipe', env: homeAt(this.directory) },
    );
    if (signer === 'unknown') removeKey(home);
  }

  /** Takes the signatures off. */
  unsign(files: readonly string[]): void {
    execFileSync('rpmsign', ['--delsign', ...files], { env: homeAt(this.directory) });
  }

  /** Writes repodata. `groups` is a comps file, `modules` a modulemd stream document. */
  index({ groups, modules }: { readonly groups?: string; readonly modules?: string } = {}): void {
    const options: string[] = [];
    if (groups !== undefined) {
      const file = join(this.directory, 'comps.xml');
      writeFileSync(file, groups);
      options.push('--groupfile', file);
    }
    rmSync(join(this.packages, 'repodata'), { recursive: true, force: true });
    execFileSync('createrepo_c', ['--quiet', '--workers=2', '--compress-type=gz', ...options, this.packages]);
    if (modules !== undefined) {
      const file = join(this.directory, 'modules.yaml');
      writeFileSync(file, modules);
      execFileSync('modifyrepo_c', ['--mdtype=modules', file, join(this.packages, 'repodata')]);
    }
  }

  /** Makes the index of {@link index} say another size in bytes of one package, with checksums of the index that are right. */
  lieAboutSize(name: string, size: number): void {
    const repodata = join(this.packages, 'repodata');
    const [primary] = readdirSync(repodata).filter((file) => file.endsWith('primary.xml.gz'));
    const text = gunzipSync(readFileSync(join(repodata, primary!))).toString('utf8');
    const changed = text.replace(
      new RegExp(`(<name>${name}</name>[^]*?<size package=")\\d+`),
      (_, before: string) => `${before}${size}`,
    );
    if (changed === text) throw new Error(`The index has no package ${name}`);
    const file = join(this.directory, 'primary.xml');
    writeFileSync(file, changed);
    execFileSync('modifyrepo_c', ['--remove', 'primary', repodata]);
    execFileSync('modifyrepo_c', ['--mdtype=primary', file, repodata]);
  }

  remove(): void {
    removeKey(this.#gpgHome);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #all(): string[] {
    return readdirSync(this.packages)
      .filter((name) => name.endsWith('.rpm'))
      .map((name) => join(this.packages, name));
  }
}

/** Debian's rpm makes a database below $HOME, whatever it is called for. */
function homeAt(directory: string): NodeJS.ProcessEnv {
  return { ...process.env, HOME: directory };
}

function makeKey(home: string, name: string, file: string): void {
  const gpg = (...args: string[]) =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  gpg('--passphrase', '', '--quick-generate-key', name, 'rsa2048', 'sign', 'never');
  writeFileSync(file, gpg('--armor', '--export', name));
  if (!readFileSync(file, 'utf8').includes('BEGIN PGP')) throw new Error('gpg exported no key');
}

function removeKey(home: string): void {
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
  rmSync(home, { recursive: true, force: true });
}
