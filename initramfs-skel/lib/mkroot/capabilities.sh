# shellcheck shell=sh
# File capabilities, which NFS does not carry (a squashfs does): the initrd has a list of those that its root had when it was made. The
# root's own setcap gives them back, in the writable top. docs/decisions/0006-boot-runtime.md says why so.

capabilities_list=/etc/mkroot/capabilities
capabilities_restored=0

# restore_capabilities: each file of the list, unless it is not the same any more: a capability belongs to the bytes that had it.
restore_capabilities() {
  [ -s "$ROOT$capabilities_list" ] && base_is_nfs || return 0
  if ! find_setcap; then
    trouble - "the root has no setcap that could give back capabilities to: $(cut -f 3 "$ROOT$capabilities_list" | tr '\n' ' ')" "going on without"
    return 0
  fi
  while IFS=$(printf '\t') read -r capable_sum capable_text capable_path; do
    restore_capability
  done <"$ROOT$capabilities_list"
}

base_is_nfs() {
  awk '$2 == "/run/mkroot/base" && $3 ~ /^nfs/ { found = 1 } END { exit !found }' "$ROOT/proc/mounts"
}

# find_setcap: $setcap is its path in the new root.
find_setcap() {
  for setcap in /usr/sbin/setcap /sbin/setcap /usr/bin/setcap; do
    if [ -x "$ROOT/sysroot$setcap" ]; then return 0; fi
  done
  return 1
}

# restore_capability: of the file $capable_path. What an overlay brings in its place has none, and what the node itself wrote to a top
# that lasts is as it left it.
restore_capability() {
  [ ! -e "$ROOT$upper_directory$capable_path" ] || return 0
  case $(sha256sum "$ROOT/sysroot$capable_path" 2>/dev/null) in
    "$capable_sum "*) ;;
    *) return 0 ;;
  esac
  if capable_output=$(chroot "$ROOT/sysroot" "$setcap" -q "$capable_text" "$capable_path" 2>&1); then
    capabilities_restored=$((capabilities_restored + 1))
  else
    trouble "$capable_path" "cannot be given $capable_text: ${capable_output##*: }" "going on without"
  fi
}
