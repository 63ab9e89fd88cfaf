import { MkrootError } from '../errors.js';
import type { BootMenu, ImageEntry, MemoryTestEntry } from './boot-menu.js';
import { checkedValue, ipv4Address } from './checked-value.js';
import { macBytes } from './kernel-command-line.js';

const place = 'an iPXE script';

/** The script that DHCP names to iPXE, below the TFTP root. It goes on to the node's own. */
export const ipxeEntryPath = 'ipxe/boot.ipxe';

/** What machines get that have no script of their own. */
export const ipxeDefaultPath = 'ipxe/default.ipxe';

/** `ipxe/01-aa-bb-cc-dd-ee-ff.ipxe`. */
export function ipxePathForMac(mac: string): string {
  return `ipxe/01-${macBytes(mac).join('-')}.ipxe`;
}

/** `ipxe/10.77.0.254.ipxe`: dotted, since old iPXEs cannot print an address in hexadecimal. */
export function ipxePathForAddress(address: string): string {
  return `ipxe/${ipv4Address(place, 'the address', address)}.ipxe`;
}

/** ipxe/boot.ipxe: node's script by MAC, else by address, else the default; ever again if the server does not answer. */
export function renderIpxeEntry(root: string): string {
  const base = rootUrl(root);
  return `#!ipxe
# Written by mkroot.
:start
chain --replace ${base}ipxe/01-\${netX/mac:hexhyp}.ipxe ||
chain --replace ${base}ipxe/\${netX/ip}.ipxe ||
chain --replace ${base}${ipxeDefaultPath} ||
${retry}`;
}

/**
 * The script of one machine; see the command reference at ipxe.org.
 * @param root URL under which the TFTP tree is fetched, with a trailing slash.
 */
export function renderIpxe({ entries, defaultLabel, timeout }: BootMenu, root: string): string {
  const base = rootUrl(root);
  // Nobody can choose where nothing waits; then only the default is written.
  const offered = timeout === 0 ? entries.filter(({ label }) => label === defaultLabel) : entries;
  const menu =
    timeout === 0
      ? []
      : [
          'menu mkroot',
          ...offered.map(({ label, title }) => `item ${label} ${plainText(title)}`),
          `choose --default ${defaultLabel} --timeout ${timeout * 1000} target || goto ${defaultLabel}`,
          `goto \${target}`,
        ];
  const lines = offered.flatMap((entry) => [
    `:${entry.label}`,
    ...(entry.kind === 'local'
      ? [`iseq \${platform} efi && exit || sanboot --no-describe --drive 0x80 || goto failed`]
      : entry.kind === 'image'
        ? imageLines(entry, base)
        : memoryTestLines(entry, base)),
  ]);
  return `${['#!ipxe', '# Written by mkroot.', ':start', ...menu, ...lines, ':failed'].join('\n')}\n${retry}`;
}

const retry = `echo Boot failed, trying again in 10 seconds
sleep 10
goto start
`;

/** iPXE knows by itself which device it booted from. */
const bootDevice = `BOOTIF=01-\${netX/mac:hexhyp}`;

function imageLines({ kernel, initrds, commandLine }: ImageEntry, base: string): string[] {
  const names = initrds.map((_, index) => `initrd${index}.img`);
  return [
    // UEFI kernels take their initrds from iPXE by these names; under BIOS the words are harmless.
    `kernel ${[`${base}${kernel}`, ...names.map((name) => `initrd=${name}`), plainText(commandLine), bootDevice].join(' ')} || goto failed`,
    ...initrds.map((path, index) => `initrd --name ${names[index]} ${base}${path} || goto failed`),
    'boot || goto failed',
  ];
}

function memoryTestLines({ label, bios, efi }: MemoryTestEntry, base: string): string[] {
  return [
    `iseq \${platform} efi && goto ${label}-efi ||`,
    `kernel ${base}${bios} || goto failed`,
    'boot || goto failed',
    `:${label}-efi`,
    `kernel ${base}${efi} || goto failed`,
    'boot || goto failed',
  ];
}

/** iPXE has no quoting that all versions share, so what it could expand, split or take for an operator is refused. */
function plainWord(word: string): string {
  if (/[\s'"\\\x00-\x1f\x7f]|\$\{/.test(word) || /^(#.*|\|\||&&|;)$/.test(word)) {
    throw new MkrootError(`Cannot write "${word}" to ${place}: iPXE would read it as something else`);
  }
  return word;
}

function plainText(text: string): string {
  return /^[A-Za-z0-9_.,:=/@%+ -]+$/.test(text) ? text : text.split(' ').map(plainWord).join(' ');
}

function rootUrl(root: string): string {
  return checkedValue(
    place,
    'the URL',
    root,
    /^(https?|tftp):\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/([A-Za-z0-9._/+=@~-]*\/)?$/,
    'it has to be http://, https:// or tftp://, plain, and end in a slash',
  );
}
