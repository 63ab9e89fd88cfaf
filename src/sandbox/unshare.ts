/** Which parts of the system a program gets for itself; see namespaces(7). */
export interface Namespaces {
  /** Mounts made inside vanish with the last process. */
  readonly mount?: boolean;
  /** The program is init of its own process tree: when it ends, or mkroot is killed, the kernel ends the tree. */
  readonly pid?: boolean;
  readonly net?: boolean;
  readonly uts?: boolean;
  readonly ipc?: boolean;
}

/**
 * The argv that runs `argv` in new namespaces by unshare(1). Together with the runner's `dieWithParent` nothing that runs
 * inside can outlive mkroot, not even after SIGKILL: unshare dies with mkroot, its child with unshare (--kill-child), the
 * rest with the child, which is init of the process namespace.
 */
export function inNamespaces(namespaces: Namespaces, argv: readonly string[]): [string, ...string[]] {
  return [
    'unshare',
    ...(namespaces.mount ? ['--mount', '--propagation', 'private'] : []),
    ...(namespaces.pid ? ['--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'] : []),
    ...(namespaces.net ? ['--net'] : []),
    ...(namespaces.uts ? ['--uts'] : []),
    ...(namespaces.ipc ? ['--ipc'] : []),
    '--',
    ...argv,
  ];
}
