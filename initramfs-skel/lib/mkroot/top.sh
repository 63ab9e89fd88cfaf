# shellcheck shell=sh
# Where the node writes: memory, a local disk that is found by its label, an ext4 image on an NFS server, or a directory of one, which
# takes unionfs-fuse. On all but memory the writes of a node last as long as it boots the same generation. docs/writable-tops.md.

top_directory=/run/mkroot/rw
# Where an image is for a moment.
top_archive=/run/mkroot/archive-rw

# mount_top: $top_directory is mounted; $upper_directory and $work_directory are in it; $top_summary; $union is what joins it with the layers.
mount_top() {
  union=overlayfs
  mkdir -p "$ROOT$top_directory"
  case ${top_wanted:-tmpfs} in
    tmpfs | tmpfs:*) mount_tmpfs_top ;;
    disk:*) mount_disk_top "${top_wanted#disk:}" ;;
    image:*) mount_image_top "${top_wanted#image:}" ;;
    unionfs:*) mount_unionfs_top "${top_wanted#unionfs:}" ;;
    *) die - "mkroot.rw=$top_wanted is not supported: tmpfs[:size=...,nr_inodes=...], disk:LABEL, image:LOCATION and unionfs:LOCATION are" ;;
  esac
}

# mount_tmpfs_top: mkroot.rw=tmpfs[:size=...,nr_inodes=...].
mount_tmpfs_top() {
  top_options=mode=0755
  case ${top_wanted:-tmpfs} in
    tmpfs:*)
      top_extra=${top_wanted#tmpfs:}
      is_option_list "$top_extra" || die - "mkroot.rw=$top_wanted has characters that no tmpfs option has"
      top_options=$top_options,$top_extra
      ;;
  esac
  mount -t tmpfs -o "$top_options" mkroot-rw "$ROOT$top_directory" || die tmpfs "cannot be mounted with $top_options"
  upper_directory=$top_directory/upper
  work_directory=$top_directory/work
  top_summary="tmpfs ($top_options)"
}

# mount_disk_top LABEL: a disk that is not there, or not whole, is no reason for a node not to boot.
mount_disk_top() {
  is_label "$1" || die - "mkroot.rw=$top_wanted names no label of a disk"
  modprobe -a -q ext4 2>/dev/null
  if ! until_disk find_labelled "$1"; then
    do_without_disk "$1" "is not the label of any disk (waited $disk_timeout s)"
  elif ! check_ext4 "$disk"; then
    do_without_disk "$1" "$check_error"
  elif ! mount_output=$(mount -t ext4 -o noatime "$disk" "$ROOT$top_directory" 2>&1); then
    do_without_disk "$1" "cannot be mounted: ${mount_output##*: }"
  else
    choose_generation_top
    top_summary="disk $1 ($disk), $top_key"
  fi
}

# find_labelled LABEL: $disk is the device.
find_labelled() {
  disk=$(findfs "LABEL=$1" 2>/dev/null)
  [ -n "$disk" ]
}

do_without_disk() {
  trouble "disk $1" "$2" "a writable top in memory, which is empty after a reboot"
  top_wanted=tmpfs
  mount_tmpfs_top
}

# choose_generation_top: what was written over another generation does not fit this one, and goes.
choose_generation_top() {
  top_key=top-${MKROOT_IMAGE:-image}-${MKROOT_GENERATION:-0}
  for old_top in "$ROOT$top_directory"/top-*; do
    if [ "${old_top##*/}" != "$top_key" ] && is_generation_top "$old_top"; then rm -rf "$old_top"; fi
  done
  mkdir -p "$ROOT$top_directory/$top_key"
  upper_directory=$top_directory/$top_key/upper
  work_directory=$top_directory/$top_key/work
}

# is_generation_top DIRECTORY: was it made by choose_generation_top? Its name ends as a generation does (20261120T041500Z-1a2b3c4d, or
# with -2 after that; 0 without one), and nothing but upper and work is in it; less than both after a power cut. The disk is a site's own,
# which may call its directories top-something.
is_generation_top() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  case ${1##*/} in
    top-?*-20[0-9][0-9][01][0-9][0-3][0-9]T[0-2][0-9][0-5][0-9][0-5][0-9]Z-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*) ;;
    top-image-0) ;;
    *) return 1 ;;
  esac
  case $(ls -A "$1") in
    '' | upper | work | 'upper
work') return 0 ;;
  esac
  return 1
}

# mount_image_top LOCATION: [server:]/path/name.ext4. What was promised to last is not written to memory instead: without it the
# boot ends.
mount_image_top() {
  parse_top_location "$1"
  top_path=$location_path
  top_name=${location_path##*/}
  location_path=${location_path%/*}
  location_path=${location_path:-/}
  mkdir -p "$ROOT$top_archive"
  mount_for_writing "$top_archive"
  top_origin=$location_server:$top_path
  lock_image_top
  modprobe -a -q loop ext4 2>/dev/null
  check_ext4 "$ROOT$top_archive/$top_name" || die "$top_origin" "$check_error"
  mount_output=$(mount -t ext4 -o loop,noatime "$ROOT$top_archive/$top_name" "$ROOT$top_directory" 2>&1) ||
    die "$top_origin" "cannot be mounted as the writable top: ${mount_output##*: }"
  hide_image_top
  choose_generation_top
  top_summary="image $top_origin, $top_key"
}

# mount_unionfs_top LOCATION: [server:]/path of a directory. overlayfs does not write to NFS. This machine alone writes there, so what it
# knows stays true, and it can look up what it knows while the server is gone, as with layers (lib/mkroot/nfs.sh).
mount_unionfs_top() {
  parse_top_location "$1"
  find_tool unionfs || die - "mkroot.rw=$top_wanted takes a program that the initrd does not have (mkroot initrd --top unionfs)"
  mount_for_writing "$top_directory" nocto,noatime,actimeo=2592000
  choose_generation_top
  union=unionfs
  top_summary="unionfs-fuse on $location_server:$location_path, $top_key"
}

# parse_top_location TEXT: as parse_location, of a place without which the boot ends.
parse_top_location() {
  expand_location "$1"
  parse_location "$answer" "$(default_server)" ||
    die - "mkroot.rw=$top_wanted is not ${top_wanted%%:*}:[server:]/path, or no server is known"
}

# mount_for_writing TARGET [OPTIONS]: the layers, which are mounted by now, are the only ones that the options of mkroot.nfsopts= are for.
mount_for_writing() {
  nfs_extra_options=''
  nfs_base_options=hard,tcp,nolock${2:+,$2}
  attempt_nfs_mount "$1" ||
    die "$location_server:$location_path" "$mount_error (NFS v$nfs_vers, $attempt attempts), needed for the writable top"
}

# hide_image_top: the loop device has the file, nobody else needs it. systemd-shutdown would unmount its directory by force
# (MNT_FORCE), which makes NFS forget writes that are under way. /shutdown mounts it again to give the lock back.
hide_image_top() {
  printf '%s %s %s\n' "$location_address:$location_path" "$mount_options" "$top_name" >"$ROOT/run/initramfs/state/top"
  umount -l "$ROOT$top_archive"
}

# lock_image_top: two writers would destroy the file system. A link is made by one of them only, over NFS as well. The lock of this
# very machine is one that a power cut left: it cannot be up twice. /shutdown removes it.
lock_image_top() {
  [ -n "$node_mac" ] || die "$top_origin" "cannot be locked: $boot_nic has no address that tells this machine from others"
  lock=$ROOT$top_archive/$top_name.lock
  printf '%s\n' "$node_mac" >"$lock.$node_ip" || die "$top_origin" "cannot be locked: its directory is read-only"
  if ln "$lock.$node_ip" "$lock" 2>/dev/null; then
    lock_owner=$node_mac
  else
    lock_owner=unknown
    read -r lock_owner <"$lock" || :
  fi
  rm -f "$lock.$node_ip"
  [ "$lock_owner" = "$node_mac" ] ||
    die "$top_origin" "is in use by the machine $lock_owner; if that one is gone, remove $top_name.lock on the server"
}
