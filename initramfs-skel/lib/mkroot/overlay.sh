# shellcheck shell=sh
# The union: read-only layers below, a writable top (top.sh). Each option of the overlay is explained in
# docs/decisions/0006-boot-runtime.md.

# mount(2) takes a page, with the ending NUL. The kernel cuts what is longer without a word.
longest_options=4095
overlay_options=index=off,xino=off,metacopy=off,redirect_dir=on

# mount_overlay: the root at /sysroot; the writable top at /run/mkroot/rw.
mount_overlay() {
  mount_top
  mkdir -p "$ROOT$upper_directory" "$ROOT$work_directory"
  # The merged root's own mode is that of the topmost directory.
  chmod 0755 "$ROOT$upper_directory"
  union_options="lowerdir=$lower_directories,upperdir=$upper_directory,workdir=$work_directory,$overlay_options"
  [ "${#union_options}" -le "$longest_options" ] ||
    die overlayfs "takes $longest_options bytes of options, and those for $((cluster_number + 2)) layers are ${#union_options}"
  overlay_output=$(mount -t overlay -o "$union_options" mkroot "$ROOT/sysroot" 2>&1) || die overlayfs "${overlay_output##*: } (lowerdir=$lower_directories)"
  # From here on an address is only ever added, never taken away: see dhcp-event.
  : >"$ROOT/run/initramfs/state/root-mounted"
  overlay_summary="$lower_directories under $top_summary"
}
