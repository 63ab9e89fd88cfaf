import { renderDnsmasq } from '../../netboot/dnsmasq.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { RunningProcess } from '../../ports/process-runner.js';
import { labDnsmasqExtras, otherDnsmasq, TFTP } from '../../vm/lab-config.js';
import type { LabNamespace } from '../../vm/lab-namespace.js';
import {
  type FurtherTap,
  LAB,
  LAB_HTTP_PORT,
  networkBatch,
  OTHER_SERVER,
  OTHER_SERVER_JOINS,
  OTHER_SERVER_RISES,
  VLAN_SWITCH,
} from '../../vm/lab-network.js';
import { type Service, type ServicePlace, startService } from '../serve/start-service.js';
import type { LabFiles } from './prepare-lab-files.js';
import { labGanesha, moveAddress, prepareStandbyNfs } from './standby-nfs.js';

/** The servers of a lab while they run. */
export interface LabServices {
  /** Name of the first one that ended although nobody asked it to; undefined while all run. */
  readonly dead: () => string | undefined;
  /** Starts a server that does not run, kills, stops or continues one that does. */
  readonly control: (name: 'nfs' | 'dhcp' | 'http', verb: ServiceVerb) => Promise<void>;
  /** Kills all of them. They end with the namespace as well, but one that is paused has a starter outside that is, too. */
  readonly end: () => void;
}

/**
 * What can be done to a server: start it, kill it, stop it (it keeps its connections but is silent), let it go on; kill it and let its standby
 * have the address.
 */
export type ServiceVerb = 'start' | 'stop' | 'pause' | 'resume' | 'take-over';

/** For servers that an address may come to, or leave. */
const ANY_ADDRESS = '0.0.0.0';

/** What a lab's DHCP server does out of the ordinary. */
export interface LabDhcp {
  /** It does not run until it is started. */
  readonly off?: boolean | undefined;
  /** Sent to everybody as option 12, as it is. */
  readonly hostname?: string | undefined;
  /** Option 17. */
  readonly rootPath?: string | undefined;
  /** At least 120, which is dnsmasq's least. */
  readonly leaseSeconds?: number | undefined;
  /** Further options, as dnsmasq's `dhcp-option=` takes them. */
  readonly options?: readonly string[] | undefined;
  /** Seconds that it takes for an offer. */
  readonly delay?: number | undefined;
  /** A second server on the same network, with addresses of its own. */
  readonly other?: { readonly rootPath?: string | undefined } | undefined;
}

/** Where the servers write and who listens. */
export interface LabServiceOptions {
  /** Directory for one log per service. */
  readonly logs: BytePath;
  /** Each line of dnsmasq's log as it comes. */
  readonly onDhcpLine: (line: string) => void;
  readonly dhcp?: LabDhcp;
  /** An HTTP server for a directory: its program, and what it is to do wrong (qemu/http-server). */
  readonly http?: {
    readonly program: readonly string[];
    readonly directory: BytePath;
    readonly faults: readonly string[];
  };
  /** The switch that tags the frames for the node: its program (qemu/vlan-switch), and the number of the VLAN. */
  readonly vlan?: { readonly program: readonly string[]; readonly id: number };
  /** There is a second NFS server, which takes over the address that nodes mount from. */
  readonly standby?: boolean;
  /** Bytes of the largest packet on the lab's network. */
  readonly mtu?: number;
  /** An NTP server: its program, and the date at which its clock starts (qemu/time-server). DHCP names it. */
  readonly time?: { readonly program: readonly string[]; readonly date: string };
  /** DHCP names a TFTP server that does not exist. */
  readonly tftp?: 'silent';
  readonly furtherTaps?: readonly FurtherTap[];
  /** Input of `ip -batch -` that makes another network than the usual one; its device for the servers has the same name. */
  readonly network?: string;
  readonly signal?: AbortSignal;
}

/**
 * Makes the lab's network and starts its servers inside the namespace: rpcbind, nfs-ganesha, dnsmasq, each with a log of
 * its own. They end with the namespace.
 */
export async function startLabServices(
  ports: Ports,
  namespace: LabNamespace,
  files: LabFiles,
  options: LabServiceOptions,
): Promise<LabServices> {
  const { runner, fs } = ports;
  const inside = (argv: readonly string[], input?: string) =>
    runner.run({
      argv: namespace.enter(argv),
      ...(input === undefined ? {} : { input: Buffer.from(input) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  // rpcbind and ganesha keep sockets and locks in /run; other labs and the host have theirs.
  await inside(['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'mkroot-lab', '/run']);
  await inside(['mkdir', '/run/rpcbind', '/run/ganesha']);
  await inside(['ip', '-batch', '-'], options.network ?? networkBatch(options.furtherTaps, options.mtu));

  const ganeshaConf = `${options.logs}/ganesha.conf`;
  fs.writeFile(
    ganeshaConf,
    labGanesha(files.exports, options.standby ? ANY_ADDRESS : LAB.server, files.recovery),
  );
  const dnsmasqConf = `${options.logs}/dnsmasq.conf`;
  fs.writeFile(
    dnsmasqConf,
    renderDnsmasq({
      interface: LAB.bridge,
      rangeStart: LAB.firstLease,
      rangeEnd: LAB.lastLease,
      leaseTime: options.dhcp?.leaseSeconds?.toString() ?? '1h',
      tftpRoot: files.tftpRoot,
      bootFiles: files.bootFiles,
      leaseFile: '/run/dnsmasq.leases',
      pidFile: '/run/dnsmasq.pid',
      logFile: '-',
      skipPing: true,
      ...(options.dhcp?.rootPath === undefined ? {} : { rootPath: options.dhcp.rootPath }),
    }) +
      labDnsmasqExtras(LAB.bridge) +
      (options.tftp === 'silent' ? `dhcp-boot=tag:!efi64,${TFTP.loader},,${LAB.nobody}\n` : '') +
      (options.time === undefined ? '' : `dhcp-option=option:ntp-server,${LAB.server}\n`) +
      (options.dhcp?.delay === undefined ? '' : `dhcp-reply-delay=${options.dhcp.delay}\n`) +
      (options.dhcp?.options ?? []).map((option) => `dhcp-option=${option}\n`).join('') +
      // Not dhcp-host=: that takes names only, and this is for what is none.
      (options.dhcp?.hostname === undefined ? '' : `dhcp-option-force=12,"${options.dhcp.hostname}"\n`),
  );
  const services: Service[] = [
    { name: 'rpcbind', argv: ['rpcbind', '-f', '-w'], readyFile: '/run/rpcbind.sock' },
    {
      name: 'nfs-ganesha',
      argv: ['ganesha.nfsd', '-F', '-f', ganeshaConf, '-L', 'STDOUT', '-p', '/run/ganesha.pid'],
      readyLine: /NFS SERVER INITIALIZED/,
    },
    {
      name: 'dnsmasq',
      argv: ['dnsmasq', '--keep-in-foreground', `--conf-file=${dnsmasqConf}`],
      readyLine: /started, version/,
      onLine: options.onDhcpLine,
    },
  ];
  if (options.http !== undefined) {
    const { program, directory, faults } = options.http;
    services.push({
      name: 'http',
      argv: [...program, LAB.server, String(LAB_HTTP_PORT), displayPath(directory), ...faults],
      readyLine: /^listening$/,
    });
  }
  if (options.standby) {
    const conf = `${options.logs}/standby-ganesha.conf`;
    fs.writeFile(conf, labGanesha(files.exports, ANY_ADDRESS, files.recovery));
    services.push(await prepareStandbyNfs(inside, conf));
  }
  if (options.vlan !== undefined) {
    const { program, id } = options.vlan;
    services.push({
      name: 'vlan-switch',
      argv: [...program, ...[id, VLAN_SWITCH.untagged, VLAN_SWITCH.tagged].map(String)],
      readyLine: /^listening$/,
    });
  }
  if (options.time !== undefined) {
    const { program, date } = options.time;
    services.push({ name: 'time', argv: [...program, LAB.server, date], readyLine: /^listening$/ });
  }
  if (options.dhcp?.other !== undefined) {
    await inside(['mkdir', '-p', '/run/netns']);
    await inside(['ip', '-batch', '-'], OTHER_SERVER_JOINS);
    await inside(['ip', '-netns', OTHER_SERVER.namespace, '-batch', '-'], OTHER_SERVER_RISES);
    const conf = `${options.logs}/other-dnsmasq.conf`;
    fs.writeFile(conf, otherDnsmasq(options.dhcp.other.rootPath));
    services.push({
      name: 'other-dnsmasq',
      argv: [
        ...['ip', 'netns', 'exec', OTHER_SERVER.namespace],
        ...['dnsmasq', '--keep-in-foreground', `--conf-file=${conf}`],
      ],
      readyLine: /started, version/,
    });
  }
  const place: ServicePlace = {
    name: 'in the lab',
    enter: (argv) => namespace.enter(argv),
    pathInside: (path) => namespace.pathInside(path),
  };
  let dead: string | undefined;
  const running = new Map<string, RunningProcess>();
  const start = async (service: Service): Promise<void> => {
    const started = await startService(ports, place, service, options);
    running.set(service.name, started);
    void started.exited.then(() => {
      if (running.get(service.name) === started) dead ??= service.name;
    });
  };
  for (const service of services) {
    if (!(service.name === 'dnsmasq' && options.dhcp?.off)) await start(service);
  }
  return {
    dead: () => dead,
    end: () => {
      for (const server of running.values()) server.kill('SIGKILL');
      running.clear();
    },
    control: async (name, verb) => {
      const service = services.find((one) => one.name === SERVICE_OF[name])!;
      const server = running.get(service.name);
      if (verb === 'start') await start(service);
      else if (verb === 'stop' || verb === 'take-over') {
        running.delete(service.name);
        // The other way round its kernel would still close the connections, which that of a dead machine does not.
        if (verb === 'take-over') await moveAddress(inside);
        server?.kill('SIGKILL');
        await server?.exited;
      } else server?.kill(verb === 'pause' ? 'SIGSTOP' : 'SIGCONT');
    },
  };
}

const SERVICE_OF = { nfs: 'nfs-ganesha', dhcp: 'dnsmasq', http: 'http' } as const;
