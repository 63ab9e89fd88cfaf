import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { MkrootRun } from './run-mkroot.js';
import { runMkroot } from './run-mkroot.js';

/** A site and a state directory whose images are copies of a real root, made without building anything. */
export class ClusterSite {
  readonly directory = mkdtempSync('/var/tmp/mkroot-test-cluster-');
  readonly state = join(this.directory, 'state');
  readonly site = join(this.directory, 'site');

  /** Writes a file of the site. */
  write(path: string, text: string): void {
    const full = join(this.site, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  /** Where the root of a generation lies. */
  root(image: string, id: string): string {
    return join(this.state, 'images', image, 'generations', id, 'root');
  }

  /** Makes a generation of an image from a root and its newest kernel, with an initramfs for these network drivers, and makes it current. */
  async generation(image: string, id: string, from: string, nics: readonly string[]): Promise<void> {
    const generation = dirname(this.root(image, id));
    mkdirSync(generation, { recursive: true });
    execFileSync('cp', ['-a', '--reflink=auto', from, this.root(image, id)]);
    const kernel = readdirSync(join(from, 'boot')).find((name) => name.startsWith('vmlinuz-'))!;
    copyFileSync(join(from, 'boot', kernel), join(generation, 'vmlinuz'));
    writeFileSync(join(generation, 'manifest.json'), '{}');
    const initrd = join(this.state, 'images', image, 'initrds', id, 'initrd.img');
    mkdirSync(dirname(initrd), { recursive: true });
    const release = kernel.replace('vmlinuz-', '');
    await this.succeed(
      ['initrd', '--root', this.root(image, id), '--kernel', release, '--output', initrd].concat(
        nics.flatMap((nic) => ['--nic', nic]),
      ),
    );
    this.current(image, id);
  }

  /** Makes a generation current. */
  current(image: string, id: string): void {
    const link = join(this.state, 'images', image, 'current');
    rmSync(link, { force: true });
    symlinkSync(`generations/${id}`, link);
  }

  /** Runs `mkroot ARGS` for this site. */
  async mkroot(...args: readonly string[]): Promise<MkrootRun> {
    return runMkroot([...args, '--site', this.site, '--state', this.state]);
  }

  /** Runs `mkroot ARGS` for this site and fails with what it said if it does not succeed. */
  async ok(...args: readonly string[]): Promise<string> {
    return this.succeed([...args, '--site', this.site, '--state', this.state]);
  }

  /** What is published: paths of the state directory with kind, mode, owner, size and target. */
  listing(): string[] {
    return execFileSync(
      'find',
      [this.state, '-path', '*/generations/*/root', '-prune', '-o', '-printf', '%P %y %m %U:%G %s %l\n'],
      { encoding: 'utf8' },
    )
      .split('\n')
      .sort();
  }

  /** A file below the state directory. */
  read(path: string): string {
    return readFileSync(join(this.state, path), 'utf8');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async succeed(args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runMkroot(args);
    if (exitCode !== 0) throw new Error(`mkroot ${args.join(' ')} ended with ${exitCode}:\n${stderr}`);
    return stdout;
  }
}
