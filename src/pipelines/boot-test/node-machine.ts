import type { NetbootNode } from '../../netboot/netboot-site.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type EmulatedNic, UEFI_NIC } from '../../vm/emulated-nic.js';
import type { MachineFirmware } from '../../vm/firmware.js';
import { findOvmf, type UefiFiles } from '../../vm/uefi.js';
import { type ChosenMachine, chooseMachine } from './choose-machine.js';
import type { TestNode } from './choose-test-nodes.js';
import type { ClusterTestOptions } from './cluster-test-options.js';
import { type PublishedBoot, publishedBoot } from './published-boot.js';

/** The virtual machine that a node is booted on. */
export interface NodeMachine {
  readonly test: TestNode;
  readonly boot: PublishedBoot;
  readonly chosen: ChosenMachine;
  readonly firmware: MachineFirmware;
  /** As it is installed here; the machine gets a copy of its variables. */
  readonly uefi: UefiFiles | undefined;
  readonly nic: EmulatedNic;
  /** Its tap device in the lab. */
  readonly tap: string;
  /** The node with the boot files that it needs here, and why they are not the published ones; without a reason they are. */
  readonly bootFiles: { readonly files: NetbootNode; readonly why?: string };
}

/** The machine for what is published for a node. */
export function nodeMachine(
  fs: ReadFileSystem,
  state: BytePath,
  test: TestNode,
  tap: string,
  options: ClusterTestOptions,
): NodeMachine {
  const { published, node } = test;
  const boot = publishedBoot(fs, state, published);
  const chosen = chooseMachine(fs, {
    image: `${node.name} (${node.image})`,
    root: boot.layers.base,
    network: 'lab',
    accelerator: options.accelerator,
    hostArchitecture: options.hostArchitecture,
  });
  const firmware = options.firmware ?? published.firmware ?? 'bios';
  const uefi = firmware === 'uefi' && !chosen.direct ? findOvmf(fs) : undefined;
  return {
    test,
    boot,
    chosen,
    firmware,
    uefi,
    nic: uefi === undefined ? (options.nic ?? chosen.type.nic) : UEFI_NIC,
    tap,
    bootFiles: bootFilesFor(published, firmware, chosen.type.console, options.kernelArguments),
  };
}

/** The machine of a node whose host layer is elsewhere than published. */
export function withHostLayer(machine: NodeMachine, layer: BytePath): NodeMachine {
  const { files, why } = machine.bootFiles;
  const { host, ...parameters } = files.boot.parameters;
  if (host === undefined || host.path === layer) return machine;
  const reason = 'the copy of the host layer has another name at a further boot';
  return {
    ...machine,
    bootFiles: {
      files: {
        ...files,
        boot: { ...files.boot, parameters: { ...parameters, host: { ...host, path: layer } } },
      },
      why: why === undefined ? reason : `${why}, ${reason}`,
    },
  };
}

/** The boot is watched over the first serial port, so the kernel has to write there. */
function bootFilesFor(
  node: NetbootNode,
  firmware: MachineFirmware,
  console: string,
  words: readonly string[],
): NodeMachine['bootFiles'] {
  const { parameters } = node.boot;
  const { consoles = [], extra = [] } = parameters;
  const [port = ''] = console.split(',');
  const hears = consoles.some((one) => one.split(',')[0] === port);
  const other = node.firmware !== undefined && node.firmware !== firmware;
  const reasons = [
    ...(hears ? [] : [`console=${console} added`]),
    ...(words.length === 0 ? [] : [`${words.join(' ')} added`]),
    ...(other ? [`those for ${firmware} added`] : []),
  ];
  if (reasons.length === 0) return { files: node };
  const { firmware: _, ...rest } = node;
  return {
    files: {
      ...(other ? rest : node),
      boot: {
        ...node.boot,
        parameters: {
          ...parameters,
          consoles: hears ? consoles : [...consoles, console],
          extra: [...extra, ...words],
        },
      },
    },
    why: reasons.join(', '),
  };
}
