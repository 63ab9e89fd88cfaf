import { join } from 'node:path';
import { convertDebianPackages } from './debian-packages.js';
import { type FileServer, serveFiles } from './file-server.js';
import { RpmRepository } from './rpm-repository.js';
import { buildSystemPackages, SYSTEM_PACKAGES } from './system-packages.js';

/** A repository from which a root that boots can be installed, and who serves it. */
export interface SystemRepository {
  readonly server: FileServer;
  /** The recipe of a node that boots, without further settings. */
  readonly recipe: string;
  close(): Promise<void>;
}

/** Makes, signs, indexes and serves that repository below a directory. */
export async function systemRepository(directory: string): Promise<SystemRepository> {
  const repository = new RpmRepository(join(directory, 'rpm'));
  await buildSystemPackages(repository);
  const converted = SYSTEM_PACKAGES.filter((name) => !name.startsWith('mkroot-test-'));
  await convertDebianPackages(repository, [...converted, 'linux-image-amd64']);
  repository.sign();
  repository.index();
  const server = await serveFiles(repository.packages);
  return {
    server,
    recipe: [
      'name: rpm-node',
      'distribution: rhel-like',
      'architecture: amd64',
      // Release 9: mkroot begins where EL 9 has its database, and has to find out that this distribution has it elsewhere.
      `rpm: { release: "9", repositories: [{ name: test, baseurl: ["${server.url}"], keys: ["${repository.key}"] }] }`,
      `packages: [${SYSTEM_PACKAGES.join(', ')}]`,
      'kernel: { package: linux-image-amd64 }',
      '',
    ].join('\n'),
    close: async () => {
      await server.close();
      repository.remove();
    },
  };
}
