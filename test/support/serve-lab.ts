import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostPorts } from '../../src/cli/host-ports.js';
import { LabNamespace } from '../../src/vm/lab-namespace.js';
import { runMkroot, type StartedMkroot, startMkroot } from './run-mkroot.js';

/** Generations of the image of a {@link ServeLab}, the older one being the current. */
export const [G1, G2] = ['20261101T000000Z-11111111', '20261110T000000Z-22222222'] as const;

const NODES = `cluster:
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute }
nodes:
  n1: { group: compute, ip: 10.1.1.1, mac: '52:54:00:00:00:01' }
  n2: { group: compute, ip: 10.1.1.2, mac: '52:54:00:00:00:02' }
`;

/** A line that `mkroot serve --json` has written. */
export type ServeLine = Readonly<Record<string, unknown>>;

/** A `mkroot serve` that runs, and what it has said. */
export class RunningServe {
  readonly #started: StartedMkroot;
  #text = '';

  constructor(args: readonly string[], wrapper: readonly string[]) {
    this.#started = startMkroot(args, wrapper);
    this.#started.process.stdout?.on('data', (chunk) => {
      this.#text += chunk;
    });
  }

  get ended(): StartedMkroot['ended'] {
    return this.#started.ended;
  }

  get lines(): readonly ServeLine[] {
    return this.#text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{"')) // an error, which ends it, is written over several lines
      .map((line) => JSON.parse(line) as ServeLine);
  }

  /** Waits for a line, from the given number on. */
  async until(what: ServeLine, from = 0): Promise<ServeLine> {
    const fits = (line: ServeLine) => Object.entries(what).every(([key, value]) => line[key] === value);
    let over = false;
    const ended = this.ended.then((run) => {
      over = true;
      return run;
    });
    for (;;) {
      const found = this.lines.slice(from).find(fits);
      if (found !== undefined) return found;
      if (over)
        throw new Error(`it ended without ${JSON.stringify(what)}: ${(await ended).stderr}\n${this.#text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends a signal to mkroot itself, which nsenter has started. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#started.process;
    const inner = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
    process.kill(inner, signal);
  }
}

/** A published site, and a network of its own with a head node at 10.1.0.1 on br0 and a client behind `client0`. */
export class ServeLab {
  readonly directory = mkdtempSync('/var/tmp/mkroot-test-serve-');
  readonly state = join(this.directory, 'state');
  readonly site = join(this.directory, 'site');

  private constructor(private readonly namespace: LabNamespace) {}

  static async open(): Promise<ServeLab> {
    const lab = new ServeLab(await LabNamespace.open(hostPorts()));
    chmodSync(lab.directory, 0o755);
    for (const id of [G1, G2]) {
      const generation = `state/images/compute/generations/${id}`;
      lab.write(`${generation}/root/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\n');
      lab.write(`${generation}/root/etc/group`, 'root:x:0:\n');
      lab.write(`${generation}/root/etc/generation`, `${id}\n`);
      lab.write(`${generation}/vmlinuz`, `kernel of ${id}`);
      lab.write(`${generation}/manifest.json`, '{}');
      lab.write(`state/images/compute/initrds/${id}/initrd.img`, 'x'.repeat(3_000_000));
    }
    lab.current(G1);
    lab.write('site/nodes.yaml', NODES);
    lab.write('site/overlays/cluster/etc/motd', 'hello\n');
    // Clients are machines of their own: one network namespace, whose holder ends with the lab.
    lab.inside(
      'sh',
      '-ec',
      `ip link set lo up; ip link add br0 type veth peer name client0; ip addr add 10.1.0.1/16 dev br0; ip link set br0 up
unshare --net sleep infinity >/dev/null 2>&1 & client=$!
while [ "$(readlink /proc/$client/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set client0 netns $client; echo $client >/run/mkroot-client`,
    );
    return lab;
  }

  async close(): Promise<void> {
    await this.namespace.close();
    rmSync(this.directory, { recursive: true });
  }

  write(path: string, text: string): void {
    const full = join(this.directory, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  /** Makes a generation of the image the current one. */
  current(id: string): void {
    const link = join(this.state, 'images/compute/current');
    rmSync(link, { force: true });
    symlinkSync(`generations/${id}`, link);
  }

  async mkroot(...args: readonly string[]): Promise<string> {
    const run = await runMkroot([...args, '--site', this.site, '--state', this.state]);
    if (run.exitCode !== 0)
      throw new Error(`mkroot ${args.join(' ')} ended with ${run.exitCode}:\n${run.stderr}`);
    return run.stdout;
  }

  /** `mkroot status`, outside of the lab: it reads files only. */
  async status(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runMkroot(['status', ...args, '--state', this.state]);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }

  serve(...args: readonly string[]): RunningServe {
    return new RunningServe(
      ['serve', ...args, '--json', '--site', this.site, '--state', this.state],
      this.namespace.enter([]),
    );
  }

  /** Asks for an address as firmware (a BIOS) with this MAC does, by busybox's client; what it got, in one line. */
  lease(mac: string): string {
    const script = join(this.directory, 'lease.sh');
    writeFileSync(
      script,
      `#!/bin/sh
case $1 in
  bound) echo "ip=$ip file=$boot_file next=$siaddr name=$hostname"; ip addr flush dev client0; ip addr add "$ip/16" dev client0 ;;
esac
`,
      { mode: 0o755 },
    );
    return this.client(`ip link set client0 down; ip link set client0 address ${mac}; ip link set client0 up
busybox udhcpc -fnq -i client0 -t 60 -T 1 -O hostname -x 0x5d:0000 -V PXEClient:Arch:00000:UNDI:002001 -s ${script} 2>/dev/null`);
  }

  /** What a shell script prints on the client's side of the network. */
  client(script: string): string {
    return this.inside(
      'sh',
      '-c',
      'exec nsenter --target "$(cat /run/mkroot-client)" --net sh -ec "$1"',
      'sh',
      script,
    ).trim();
  }

  /** Sends a report as a node does that runs, by the programs of its initramfs under busybox. */
  report(state: string, fields: Readonly<Record<string, string>>): string {
    const top = join(this.directory, 'top');
    mkdirSync(join(top, 'state'), { recursive: true });
    mkdirSync(join(top, 'bin'), { recursive: true });
    cpSync(fileURLToPath(new URL('../../initramfs-skel/lib', import.meta.url)), join(top, 'lib'), {
      recursive: true,
    });
    writeFileSync(join(top, 'state/report-to'), '10.1.0.1 7752\n');
    const lines = Object.entries({ 'mkroot-report': '1', ...fields }).map(
      ([key, value]) => `${key}=${value}`,
    );
    writeFileSync(join(top, 'state/report'), `${lines.join('\n')}\n`);
    return this.client(`for name in nc timeout cat sh; do ln -sf "$(command -v busybox)" ${top}/bin/$name; done
busybox sh ${top}/lib/mkroot/report-state ${state} ${top}`);
  }

  /** What a program prints inside. */
  inside(...argv: readonly string[]): string {
    const [program, ...args] = this.namespace.enter(argv);
    return execFileSync(program, args, { encoding: 'utf8', timeout: 120_000 });
  }

  /** A program inside that may fail. */
  attempt(...argv: readonly string[]): SpawnSyncReturns<string> {
    const [program, ...args] = this.namespace.enter(argv);
    return spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 });
  }

  /** Command lines of what runs inside, apart from what keeps the namespaces and what asks. */
  processes(): string[] {
    return this.inside(
      'sh',
      '-c',
      'cd /proc; for p in [0-9]*; do tr "\\0" " " <$p/cmdline; echo; done 2>/dev/null',
    )
      .split('\n')
      .map((line) => line.trim())
      .filter(
        (line) => line !== '' && !/^(sleep infinity|unshare|sh -c cd)/.test(line) && !line.includes('tr \\0'),
      );
  }
}
