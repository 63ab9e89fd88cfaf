# shellcheck shell=sh
# The union: read-only layers below, a writable top (top.sh), by overlayfs, or by unionfs-fuse where the top takes that. Each option of the
# overlay is explained in docs/decisions/0006-boot-runtime.md.

# mount(2) takes a page, with the ending NUL. The kernel cuts what is longer without a word.
longest_options=4095
overlay_options=index=off,xino=off,metacopy=off,redirect_dir=on

# auto_cache: what was read stays in memory when a file is opened again.
unionfs_options=cow,allow_other,use_ino,suid,dev,auto_cache,hide_meta_files,max_files=32768
# What systemd executes at the last, and what takes its place where a process is the root.
last_program=/usr/lib/systemd/systemd-shutdown
last_program_here=/run/initramfs/lib/mkroot/leave-root

# mount_overlay: the root at /sysroot; the writable top at /run/mkroot/rw.
mount_overlay() {
  mount_top
  mkdir -p "$ROOT$upper_directory" "$ROOT$work_directory"
  # The merged root's own mode is that of the topmost directory.
  chmod 0755 "$ROOT$upper_directory"
  case $union in
    unionfs) join_by_unionfs ;;
    *) join_by_overlayfs ;;
  esac
  # From here on an address is only ever added, never taken away: see dhcp-event.
  : >"$ROOT/run/initramfs/state/root-mounted"
  overlay_summary="$lower_directories under $top_summary"
}

join_by_overlayfs() {
  union_options="lowerdir=$lower_directories,upperdir=$upper_directory,workdir=$work_directory,$overlay_options"
  [ "${#union_options}" -le "$longest_options" ] ||
    die overlayfs "takes $longest_options bytes of options, and those for $((cluster_number + 2)) layers are ${#union_options}"
  overlay_output=$(mount -t overlay -o "$union_options" mkroot "$ROOT/sysroot" 2>&1) || die overlayfs "${overlay_output##*: } (lowerdir=$lower_directories)"
}

# join_by_unionfs: a process of the initramfs is the file system, so nobody may kill it before it is unmounted: systemd spares those whose
# names begin with '@', and the kernel is told not to kill it for its memory. It sees the layers from /run/mkroot, which moves along to the
# real root.
join_by_unionfs() {
  modprobe -q fuse 2>/dev/null
  find_tool unionfs
  mkdir -p "$ROOT/@"
  ln -sf "$answer" "$ROOT/@/unionfs"
  branches=$(printf '%s' "$upper_directory=RW:$lower_directories=RO" | sed -e 's/:/=RO:/g' -e 's/=RW=RO/=RW/' -e 's,/run/mkroot/,/,g')
  union_output=$(
    cd "$ROOT/" || exit
    printf '%s' -1000 2>/dev/null >proc/self/oom_score_adj || :
    @/unionfs -o "$unionfs_options,chroot=$ROOT/run/mkroot" "$branches" "$ROOT/sysroot" 2>&1
  ) || die unionfs "cannot join the layers: $(printf '%s' "$union_output" | tail -n 1)"
  replace_last_program
}

# replace_last_program: systemd-shutdown would stop the process that is the root and then wait for it (lib/mkroot/leave-root). By a mount,
# so that nothing is written to the node's directory; systemd is not to unmount it when it goes down, nor the layers, which are in use.
replace_last_program() {
  [ -f "$ROOT/sysroot$last_program" ] ||
    die unionfs "cannot be the root here: a node without $last_program would not go down"
  mount --bind "$ROOT$last_program_here" "$ROOT/sysroot$last_program" || die unionfs "$last_program cannot be replaced"
  for unit in 'usr-lib-systemd-systemd\x2dshutdown.mount' run-mkroot-.mount; do
    mkdir -p "$ROOT/run/systemd/system/$unit.d"
    printf '[Unit]\nDefaultDependencies=no\n' >"$ROOT/run/systemd/system/$unit.d/50-mkroot.conf"
  done
}
