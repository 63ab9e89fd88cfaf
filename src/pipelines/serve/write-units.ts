import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { NfsServer } from '../../serving/server-programs.js';
import { type NfsUnit, systemdUnits } from '../../serving/systemd-units.js';
import { chooseNfsServer } from '../../stages/serve/start-nfs.js';
import { othersMayEnter } from './serve-site.js';
import { publishedSite } from './watch-publish.js';

/** Units that are wanted. */
export interface UnitsRequest {
  readonly state: BytePath;
  /** Where they are written to. */
  readonly directory: BytePath;
  /** By default the kernel's server where there is one, else nfs-ganesha. */
  readonly nfs?: NfsServer;
  /** argv that starts mkroot. */
  readonly mkroot: readonly string[];
}

/**
 * Writes systemd units for what was published; files of the same names are replaced.
 * @returns their paths.
 * @throws MkrootError NotFound if nothing was published; MissingTool if a server is not installed.
 */
export async function writeUnits(ports: Ports, request: UnitsRequest): Promise<readonly BytePath[]> {
  const { fs } = ports;
  const { state, directory, mkroot } = request;
  const { site } = publishedSite(fs, state, 'write units for');
  const server = request.nfs ?? (await chooseNfsServer(ports));
  const nfs: NfsUnit =
    server === 'none'
      ? { server }
      : { server, program: installed(ports, server === 'kernel' ? 'exportfs' : 'ganesha.nfsd') };
  const units = systemdUnits({
    mkroot,
    state: Buffer.from(state, 'latin1').toString('utf8'),
    dnsmasq: installed(ports, 'dnsmasq'),
    dnsmasqAsRoot: !othersMayEnter(fs, [toBytePath(site.server.tftpRoot), `${state}/images`]),
    nfs,
    systemctl: installed(ports, 'systemctl'),
  });
  fs.mkdir(directory);
  return [...units].map(([name, text]) => {
    const path = `${directory}/${name}`;
    fs.writeFile(path, text);
    return path;
  });
}

function installed({ runner }: Ports, program: string): string {
  const path = runner.which(program);
  if (path !== undefined) return path;
  throw new MkrootError(`Cannot write units: "${program}" is not installed`, {
    exitCode: ExitCode.MissingTool,
    hint: 'Run `mkroot doctor`: it names the package that brings it.',
  });
}
