# shellcheck shell=sh
# The union: read-only layers below, a tmpfs on top. Each option of the overlay is explained in
# docs/decisions/0006-boot-runtime.md.

overlay_options=index=off,xino=off,metacopy=off,redirect_dir=on

# mount_overlay: the root at /sysroot; the writable top at /run/mkroot/rw.
mount_overlay() {
  parse_top
  mkdir -p "$ROOT/run/mkroot/rw"
  mount -t tmpfs -o "$top_options" mkroot-rw "$ROOT/run/mkroot/rw" || die tmpfs "cannot be mounted with $top_options"
  mkdir -p "$ROOT/run/mkroot/rw/upper" "$ROOT/run/mkroot/rw/work"
  # The merged root's own mode is that of the topmost directory.
  chmod 0755 "$ROOT/run/mkroot/rw/upper"
  overlay_output=$(mount -t overlay \
    -o "lowerdir=$lower_directories,upperdir=/run/mkroot/rw/upper,workdir=/run/mkroot/rw/work,$overlay_options" \
    mkroot "$ROOT/sysroot" 2>&1) || die overlayfs "${overlay_output##*: } (lowerdir=$lower_directories)"
  # From here on an address is only ever added, never taken away: see dhcp-event.
  : >"$ROOT/run/initramfs/state/root-mounted"
  overlay_summary="$lower_directories under tmpfs ($top_options)"
}

# parse_top: mkroot.rw=tmpfs[:size=...,nr_inodes=...] into $top_options.
parse_top() {
  top_options=mode=0755
  case ${top_wanted:-tmpfs} in
    tmpfs) ;;
    tmpfs:*)
      top_extra=${top_wanted#tmpfs:}
      is_option_list "$top_extra" || die - "mkroot.rw=$top_wanted has characters that no tmpfs option has"
      top_options=$top_options,$top_extra
      ;;
    *) die - "mkroot.rw=$top_wanted is not supported: tmpfs[:size=...,nr_inodes=...] is" ;;
  esac
}
