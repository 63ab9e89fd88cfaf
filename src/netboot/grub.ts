import { MkrootError } from '../errors.js';
import type { BootMenu, ImageEntry } from './boot-menu.js';
import { macBytes } from './kernel-command-line.js';
import { hexadecimalAddress } from './pxelinux.js';

/** Where GRUB's network images look for their configuration, below the TFTP root. */
export const grubDirectory = 'grub';

/** The file that GRUB asks for when it finds none of its node's own. */
export const grubDefaultPath = `${grubDirectory}/grub.cfg`;

/** `grub/grub.cfg-01-aa-bb-cc-dd-ee-ff`: where GRUB looks first (GRUB manual, "Network"). */
export function grubPathForMac(mac: string): string {
  return `${grubDefaultPath}-01-${macBytes(mac).join('-')}`;
}

/** `grub/grub.cfg-0A4D00FE`: where it looks next. */
export function grubPathForAddress(address: string): string {
  return `${grubDefaultPath}-${hexadecimalAddress(address)}`;
}

/** grub.cfg of one machine. */
export function renderGrub(menu: BootMenu): string {
  return `# Written by mkroot.\n${menuText(menu)}`;
}

/**
 * The generic grub.cfg, for machines without one of their own. GRUB 2.06 and later look for a node's file themselves; for
 * older ones, and for signed images, which bring a script of their own, the file does it too: first the node's script, then
 * this one. It does not ask whether there is one: `test -f` lists the directory, which TFTP cannot, and is always false there.
 */
export function renderGenericGrub(menu: BootMenu): string {
  const digits = Array.from({ length: 6 }, (_, index) => index + 1);
  return `# Written by mkroot.
insmod regexp
if regexp ${digits.map((digit) => `--set=${digit}:m${digit}`).join(' ')} '^(..):(..):(..):(..):(..):(..)$' "$net_default_mac"; then
  set node_cfg="$prefix/grub.cfg-01-${digits.map((digit) => `\${m${digit}}`).join('-')}"
  configfile "$node_cfg"
fi
${menuText(menu)}`;
}

function menuText({ entries, defaultLabel, timeout, serial }: BootMenu): string {
  const lines = [
    ...(serial === undefined
      ? []
      : [
          `serial --unit=${serial.port} --speed=${serial.baud}`,
          'terminal_input console serial',
          'terminal_output console serial',
        ]),
    `set default=${quoted(defaultLabel)}`,
    `set timeout=${timeout}`,
  ];
  for (const entry of entries) {
    lines.push('', `menuentry ${quoted(entry.title)} --id ${quoted(entry.label)} {`);
    if (entry.kind === 'local') lines.push('  exit');
    else if (entry.kind === 'image') lines.push(...imageLines(entry));
    else {
      lines.push(
        '  if [ "$grub_platform" = efi ]; then',
        `    linux ${quoted(`/${entry.efi}`)}`,
        '  else',
        `    linux ${quoted(`/${entry.bios}`)}`,
        '  fi',
      );
    }
    lines.push('}');
  }
  return `${lines.join('\n')}\n`;
}

function imageLines({ kernel, initrds, commandLine }: ImageEntry): string[] {
  const command = [quoted(`/${kernel}`), quotedWords(commandLine), 'BOOTIF=01-$net_default_mac'].join(' ');
  return [
    `  linux ${command}`,
    ...(initrds.length === 0 ? [] : [`  initrd ${initrds.map((path) => quoted(`/${path}`)).join(' ')}`]),
  ];
}

function quotedWords(commandLine: string): string {
  return /^[A-Za-z0-9_.,:=/@%+ -]+$/.test(commandLine)
    ? commandLine
    : commandLine.split(' ').map(quoted).join(' ');
}

/** A word for GRUB's shell. Within single quotes nothing is special, and nothing can be escaped. */
function quoted(word: string): string {
  if (/['"\\\x00-\x1f\x7f]/.test(word)) {
    // Quotes and backslashes would survive the shell, but the command linux puts backslashes before them.
    throw new MkrootError(
      `Cannot write "${word}" to a GRUB configuration: GRUB cannot hand quotes, backslashes and control characters to the kernel unchanged`,
    );
  }
  return /^[A-Za-z0-9_.,:=/@%+-]+$/.test(word) ? word : `'${word}'`;
}
