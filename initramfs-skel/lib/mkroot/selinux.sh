# shellcheck shell=sh
# SELinux: a policy that is enforced needs a label on every file. NFS carries none, and what /init itself writes has none; under such a
# policy the real init may not even run its own programs, and ends without a word that says why.

# refuse_enforcing_selinux: the boot ends here, with that word. Permissive, disabled, and a kernel that has another security module are fine.
refuse_enforcing_selinux() {
  selinux_is_active && selinux_is_to_enforce || return 0
  die - "SELinux is to be enforced, but the files of this root have no labels: SELINUX=permissive in /etc/selinux/config or enforcing=0 on the command line is needed"
}

# selinux_is_active: the kernel has the file system of its interface only then.
selinux_is_active() {
  grep -q 'selinuxfs$' "$ROOT/proc/filesystems" 2>/dev/null
}

# selinux_is_to_enforce: as libselinux decides for process 1: the command line goes before the file.
selinux_is_to_enforce() {
  selinux_mode=$(sed -n 's/^SELINUX=\([a-z]*\).*/\1/p' "$ROOT/sysroot/etc/selinux/config" 2>/dev/null)
  [ "$selinux_mode" != disabled ] || return 1
  case " $(cat "$ROOT/proc/cmdline") " in
    *' enforcing=0 '*) return 1 ;;
    *' enforcing=1 '*) return 0 ;;
  esac
  [ "$selinux_mode" = enforcing ]
}
