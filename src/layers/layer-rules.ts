import type { LintRule, Severity } from '../decode/finding.js';

const SECRET_REMEDY =
  'Move it to an overlay of scope node or to hosts/NAME: what is shared can be read by whoever reaches the server.';

/** Every rule of the layer linter by its id. docs/lint.md lists the same; a test holds them together. */
export const LAYER_RULES = {
  'directory-drift': {
    severity: 'warning',
    about: 'A directory gets another owner or mode than the one it covers.',
    remedy: 'Take it out of attributes unless all nodes shall see the directory like that.',
  },
  'directory-locked': {
    severity: 'error',
    about: 'A directory of the image becomes closed to users who need it.',
    remedy: 'Give it back the mode that it has in the image.',
  },
  'usr-merge': {
    severity: 'error',
    about:
      'A directory such as /bin or /lib lies over a link of the merged /usr, and hides every program behind it.',
    remedy: 'Move the files below /usr.',
  },
  'type-conflict': {
    severity: 'error',
    about: 'A file lies over a directory, a directory over a file or link, or a link over a directory.',
    remedy: 'Rename it, or delete the path of the image in overlay.yaml first if that is meant.',
  },
  'secret-path': {
    severity: 'error',
    about: 'A shared layer has a file at a path where secrets live.',
    remedy: SECRET_REMEDY,
  },
  'secret-content': {
    severity: 'error',
    about: 'A file of a shared layer contains a private key or a password hash.',
    remedy: SECRET_REMEDY,
  },
  'secret-readable': {
    severity: 'error',
    about: 'A secret of a host layer can be read by every user of the node.',
    remedy: 'Set its mode to 0600 in attributes.',
  },
  'image-secret': {
    severity: 'warning',
    about:
      'The image itself has a private key or a password hash, which every node and whoever reaches the server can read.',
    remedy: 'Take it out of the recipe and give it to nodes in their host layers.',
  },
  'image-unread': {
    severity: 'warning',
    about: 'Only root can read all of the image, so it was not searched for secrets as a whole.',
    remedy: 'Run it as root to have all of it searched.',
  },
  'shared-identity': {
    severity: 'error',
    about: 'A shared layer gives every node the same host name, machine-id or ssh host key.',
    remedy: 'Leave it out: `mkroot node instantiate` makes one for each node.',
  },
  'shared-pointer': {
    severity: 'error',
    about: 'hopeless.root or hopeless.overlay lies in a shared layer, where /init does not look.',
    remedy: 'Leave it out: they belong to host layers, and `mkroot node instantiate` writes them.',
  },
  'special-file': {
    severity: 'error',
    about: 'A device node, pipe or socket. Over NFS it is useless at best.',
    remedy: 'Leave it out: udev and programs make their own at boot.',
  },
  'link-leaves-root': {
    severity: 'error',
    about: 'A link leads to a path of the machine that builds, or climbs above the root.',
    remedy: 'Let it point to the path as the node sees it.',
  },
  'dangling-link': {
    severity: 'warning',
    about: 'A link leads to nothing in the image and the layers.',
    remedy: 'Correct its target, or install the package that brings it.',
  },
  'setuid-new': {
    severity: 'error',
    about:
      'A file gets setuid or setgid that it does not have in the image, and overlay.yaml does not declare it.',
    remedy: 'Clear it with chmod, or declare its mode in attributes.',
  },
  'setuid-lost': {
    severity: 'warning',
    about: 'A file of the image loses its setuid or setgid.',
    remedy: 'Declare its mode in attributes.',
  },
  'world-writable': {
    severity: 'error',
    about: 'Every user may write to a file, or to a directory without the sticky bit.',
    remedy: 'Take the permission from others: chmod o-w.',
  },
  'unknown-owner': {
    severity: 'warning',
    about: 'A file belongs to a user or group number that the image does not know.',
    remedy: 'Set owner and group in attributes, by name.',
  },
  'hidden-by-mount': {
    severity: 'warning',
    about: 'Something lies below /dev, /proc, /run, /sys or /tmp, where a mount hides it at boot.',
    remedy: 'Leave it out; for files that shall appear there, use tmpfiles.d(5).',
  },
  'idle-deletion': {
    severity: 'warning',
    about: 'A path under delete is not in the layers below.',
    remedy: 'Correct it, or take it out of overlay.yaml.',
  },
  'leftover-file': {
    severity: 'warning',
    about: 'A file that an editor, patch, a package manager or version control left.',
    remedy: 'Remove it from the overlay.',
  },
  'forgotten-suffix': {
    severity: 'warning',
    about: 'A file has the words of a template, but not the suffix, so that nodes get them as they are.',
    remedy: 'Rename it to NAME.liquid.',
  },
  'crlf-script': {
    severity: 'error',
    about:
      'The first line of a script ends in CR LF, so that the kernel looks for an interpreter of another name.',
    remedy: 'Save it with the line ends of Unix.',
  },
  'missing-interpreter': {
    severity: 'warning',
    about: 'Neither the image nor the layers have the interpreter of a script.',
    remedy: 'Correct its first line, or install the package that brings the interpreter.',
  },
  'not-executable': {
    severity: 'warning',
    about: 'A file in a directory of programs may not be executed.',
    remedy: 'Make it executable with chmod, or declare its mode in attributes.',
  },
  'mode-refused': {
    severity: 'error',
    about:
      'A file that its program ignores because too many may write or read it, or because it is not of root.',
    remedy: 'Declare owner and mode in attributes, such as 0600.',
  },
  'name-passed-over': {
    severity: 'warning',
    about: 'A file in a directory whose program passes over names of this form.',
    remedy: 'Rename it.',
  },
  'unit-missing': {
    severity: 'warning',
    about: 'A unit of systemd is enabled or changed that neither the image nor the layers have.',
    remedy: 'Correct its name, or install the package that brings it.',
  },
  'fixed-resolv-conf': {
    severity: 'warning',
    about: 'A shared layer brings /etc/resolv.conf, which then counts instead of what DHCP says.',
    remedy: 'Leave it out; name servers stand in nodes.yaml (cluster.dns).',
  },
  'fstab-root': {
    severity: 'warning',
    about: '/etc/fstab has an entry for the root.',
    remedy: 'Leave the line out.',
  },
  'hosts-without-localhost': {
    severity: 'warning',
    about: '/etc/hosts does not name localhost.',
    remedy: 'Add the line: 127.0.0.1 localhost',
  },
  'accounts-lost': {
    severity: 'warning',
    about: '/etc/passwd or /etc/group lacks accounts of the image, as which its programs run.',
    remedy: 'Leave the file out and create accounts by `users` of the recipe.',
  },
  'stale-ld-cache': {
    severity: 'warning',
    about:
      'A directory of libraries is added to ld.so.conf, and the cache that programs look into stays that of the image.',
    remedy: 'Do it in the recipe (files and commands: ldconfig), or by `mkroot enter`.',
  },
  'package-database': {
    severity: 'warning',
    about: 'A layer brings files of the package database, which then no longer tells what the image has.',
    remedy: 'Install packages in the recipe.',
  },
  'kernel-in-layer': {
    severity: 'warning',
    about: 'A layer brings a kernel or modules, which are not those that nodes boot.',
    remedy: 'Name them in the recipe (kernel, packages, files).',
  },
  'odd-name': {
    severity: 'warning',
    about: 'A name is not UTF-8, or has control characters.',
    remedy: 'Rename it unless a program really wants this name.',
  },
} as const satisfies Readonly<Record<string, LintRule>>;

/** Id of a rule. */
export type LayerRuleId = keyof typeof LAYER_RULES;

/** Something that the linter found. */
export interface LayerFinding {
  readonly rule: LayerRuleId;
  readonly severity: Severity;
  /** Path inside the root, for people. */
  readonly path: string;
  /** What it comes from: a file of the overlay. */
  readonly origin: string;
  /** Line of the file, counted from 1. */
  readonly line?: number;
  /** What is the case, such as `0700 root:root, in the image 0755`. */
  readonly what: string;
  readonly remedy: string;
}
