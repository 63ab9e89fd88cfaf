import type { LintRule } from '../../decode/finding.js';

const CORRECT = 'Correct the line; every field is explained in the reference of the file.';

/**
 * Every rule of `mkroot lint` that is not one of layers (LAYER_RULES), by its id. docs/lint.md lists all of them; a test
 * holds them together.
 */
export const SITE_RULES = {
  // Files that do not decode.
  'bad-document': {
    severity: 'error',
    about: 'nodes.yaml, a CSV file, a recipe or an overlay.yaml is not what its format asks for.',
    remedy: CORRECT,
  },
  'unknown-field': {
    severity: 'error',
    about: 'A field that there is not.',
    remedy: 'Correct its name, or take it out.',
  },
  'invalid-value': { severity: 'error', about: 'A value that its field cannot have.', remedy: CORRECT },
  'missing-file': {
    severity: 'error',
    about: 'A file is named that does not exist.',
    remedy: 'Correct the name, or add the file.',
  },
  // What is wrong between values of nodes.yaml.
  'duplicate-name': {
    severity: 'error',
    about: 'Two nodes, or a node and a server, have one name.',
    remedy: 'Give one of them another name.',
  },
  'duplicate-mac': {
    severity: 'error',
    about: 'Two nodes have one MAC address.',
    remedy: 'Look at the label of the machine, or at the lease that it gets.',
  },
  'duplicate-address': {
    severity: 'error',
    about: 'Two nodes or servers have one IP address.',
    remedy: 'Give one of them another address.',
  },
  'address-outside': {
    severity: 'error',
    about:
      'A node has an address outside of its network, or one that belongs to the gateway, to the network itself or to what DHCP hands out.',
    remedy: 'Give it a free address of its network.',
  },
  'bad-network': {
    severity: 'error',
    about: 'Networks overlap, or a gateway or range lies outside of its network.',
    remedy: 'Correct the network.',
  },
  'unknown-name': {
    severity: 'error',
    about: 'A group, image, network, server or node is named that there is not.',
    remedy: 'Correct the name, or add what it names.',
  },
  'missing-overlay': {
    severity: 'error',
    about: 'An overlay is named that has no directory below overlays/.',
    remedy: 'Correct the name, or make the directory.',
  },
  'other-firmware': {
    severity: 'error',
    about: 'A node has a firmware that machines of its architecture do not have.',
    remedy: 'Correct the firmware or the architecture.',
  },
  'incomplete-node': {
    severity: 'error',
    about: 'A node has no group, address or image.',
    remedy: 'Add what is missing to the node or to its group.',
  },
  // What nodes are told.
  'node-without-mac': {
    severity: 'warning',
    about: 'A node has no MAC address although others have: DHCP does not know it.',
    remedy: 'Switch it on and run: mkroot nodes import',
  },
  'missing-role': {
    severity: 'error',
    about: 'No server has a role that booting takes.',
    remedy: 'Add the role to a server in cluster.servers.',
  },
  'server-unreachable': {
    severity: 'error',
    about: 'A server lies outside of the network of a node that has no gateway.',
    remedy: 'Give the network a gateway, or the server an address in it.',
  },
  'unused-group': {
    severity: 'warning',
    about: 'A group has no nodes.',
    remedy: 'Remove it, or put nodes into it.',
  },
  'unused-network': {
    severity: 'warning',
    about: 'A network has no nodes.',
    remedy: 'Remove it, or give nodes addresses in it.',
  },
  'unknown-argument': {
    severity: 'error',
    about: 'A kernel argument begins with mkroot. and is none of those that /init knows.',
    remedy: 'Correct it; docs/boot-protocol.md has all.',
  },
  'idle-argument': {
    severity: 'warning',
    about: 'A kernel argument is without effect, because the boot entry says the same in another way.',
    remedy: 'Take it out; use image, transport or persistent.',
  },
  'top-takes-memory': {
    severity: 'warning',
    about:
      'The writable top may take all memory of a node, which then kills processes instead of saying that it is full.',
    remedy: 'Set writableTop.size to less, such as 50%.',
  },
  'disk-may-be-wiped': {
    severity: 'warning',
    about: 'A node has the consent to lose what is on its local disk, should that be another one some day.',
    remedy: 'After the first boot set disk.consent to if-empty, or take it out.',
  },
  'persistent-inside': {
    severity: 'warning',
    about: 'A persistent path lies inside another one.',
    remedy: 'Leave the inner one out unless it is another server or export on purpose.',
  },
  'persistent-system': {
    severity: 'error',
    about: 'A persistent path covers what the system needs from the image or makes at boot.',
    remedy: 'Choose directories below /var, /srv, /home or one of your own.',
  },
  'shared-state': {
    severity: 'warning',
    about: 'Several nodes write to one directory in a place where programs keep the state of one machine.',
    remedy: 'Put %h into the export, or leave the export out: then each node gets a directory of its own.',
  },
  'hidden-by-persistent': {
    severity: 'warning',
    about: 'A layer brings a file below a persistent path with an export, whose mount hides it.',
    remedy: 'Put the file into the exported directory, or take it out of the overlay.',
  },
  // Templates and overlay.yaml.
  'unknown-variable': {
    severity: 'error',
    about: 'A template uses a variable that there is not, or not in its scope.',
    remedy: 'Correct its name, add it to variables, or change the scope in overlay.yaml.',
  },
  'unknown-filter': {
    severity: 'error',
    about: 'A template uses a filter that there is not.',
    remedy: 'Use one of Liquid; see docs/layers.md.',
  },
  'bad-template': {
    severity: 'error',
    about: 'A template is not Liquid, or not UTF-8.',
    remedy: 'Correct it; see docs/layers.md.',
  },
  'missing-partial': {
    severity: 'error',
    about: 'A template includes a file that is not below .partials of its overlay; none leads out of it.',
    remedy: 'Correct the name, or put the file there.',
  },
  'endless-include': {
    severity: 'error',
    about: 'Files that templates include include each other without end.',
    remedy: 'Take one of the includes out.',
  },
  'endless-template': {
    severity: 'error',
    about: 'A template takes too long, or too much memory.',
    remedy: 'Make its loops shorter.',
  },
  'file-and-template': {
    severity: 'error',
    about: 'An overlay has a file and a template for the same path.',
    remedy: 'Remove one of them.',
  },
  'unknown-account': {
    severity: 'error',
    about: 'overlay.yaml names an owner that the image does not know.',
    remedy: 'Correct the name, install the package that brings it, or use a number.',
  },
  'idle-attributes': {
    severity: 'error',
    about: 'overlay.yaml has attributes for a path that is nowhere.',
    remedy: 'Correct the path, or take the entry out.',
  },
  'idle-allowance': {
    severity: 'warning',
    about: 'overlay.yaml allows what the linter does not find.',
    remedy: 'Take the entry out.',
  },
  'unused-overlay': {
    severity: 'warning',
    about: 'A directory below overlays/ or hosts/ that no node uses.',
    remedy: 'Name it under overlays in nodes.yaml, or remove it.',
  },
  'empty-overlay': {
    severity: 'warning',
    about: 'An overlay has neither files nor settings.',
    remedy: 'Put something into it, or take it out of nodes.yaml.',
  },
  'unused-csv': {
    severity: 'warning',
    about: 'nodes.csv lies beside nodes.yaml, which does not name it.',
    remedy: 'Add to nodes.yaml: csv: nodes.csv',
  },
  // Images that were built.
  'image-outdated': {
    severity: 'warning',
    about: 'A recipe was changed since its image was built.',
    remedy: 'Build it again: mkroot build NAME && mkroot initrd NAME',
  },
  'image-damaged': {
    severity: 'error',
    about: 'The manifest of an image cannot be read.',
    remedy: 'Build it again: mkroot build NAME',
  },
  'image-without-initrd': {
    severity: 'error',
    about: 'A generation that nodes boot has no initrd.',
    remedy: 'Make it: mkroot initrd NAME',
  },
  'initrd-kernel': {
    severity: 'error',
    about: 'An initrd has the modules of another kernel than its image boots.',
    remedy: 'Make it again: mkroot initrd NAME',
  },
  'initrd-damaged': {
    severity: 'error',
    about: 'An initrd is not the file that its sidecar describes.',
    remedy: 'Make it again: mkroot initrd NAME',
  },
  'missing-driver': {
    severity: 'error',
    about: 'A node asks for a driver that the kernel of its image does not have.',
    remedy: 'Correct its name, or let the node boot another kernel or image.',
  },
  'missing-kernel': {
    severity: 'error',
    about: 'A node asks for a kernel that its image does not have.',
    remedy: 'Correct the release or glob, or add the kernel to the recipe.',
  },
  'generation-missing': {
    severity: 'error',
    about: 'A node is pinned to a generation that is not there.',
    remedy: 'Pin it to another one, or: mkroot node set NODE --generation current',
  },
  'other-architecture': {
    severity: 'error',
    about: 'A node boots an image for machines of another architecture.',
    remedy: 'Set the architecture of the node, or give it another image.',
  },
} as const satisfies Readonly<Record<string, LintRule>>;

/** Id of a rule. */
export type SiteRuleId = keyof typeof SITE_RULES;

/** Whether an id that came with a problem is one of the rules. */
export function isSiteRule(id: string | undefined): id is SiteRuleId {
  return id !== undefined && Object.hasOwn(SITE_RULES, id);
}
