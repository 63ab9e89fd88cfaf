# shellcheck shell=sh
# What outlives reboots: directories of NFS servers, mounted over the union before anything runs in it. The list is
# /etc/mkroot/persistent of the layers, in the form of fstab(5); docs/persistent.md says who writes it.

persistent_list=/etc/mkroot/persistent
persistent_summary=''

# mount_persistent: every line of the list, in its order; $persistent_summary. What cannot be mounted ends the boot, or, with
# nofail, leaves an empty directory that nobody can write to: what was promised to last never goes to memory.
mount_persistent() {
  persistent_summary=''
  # Options of the layers are about a tree that never changes.
  nfs_extra_options=''
  if [ -f "$ROOT/sysroot$persistent_list" ]; then
    # Not standard input, which is the console's for a shell that rd.shell asks for.
    exec 4<"$ROOT/sysroot$persistent_list"
    # The last line may lack its end.
    while read -r source point kind options _ <&4 || [ -n "$source" ]; do
      case $source in
        '' | '#'*) continue ;;
      esac
      mount_persistent_path "$source" "$point" "$kind" "${options:-defaults}"
    done
    exec 4<&-
  fi
  persistent_summary=${persistent_summary#, }
  persistent_summary=${persistent_summary:-none}
}

# mount_persistent_path SOURCE POINT KIND OPTIONS: the first four fields of a line.
mount_persistent_path() {
  expand_location "$1"
  parse_location "$answer" "$(default_server)" || die - "$persistent_list: \"$1\" is not server:/path"
  is_path "$2" || die - "$persistent_list: \"$2\" is no directory of the node"
  read_persistent_options "$4"
  case $3 in
    nfs) choose_locking ;;
    nfs4) location_options=vers=4.1${location_options:+,$location_options} ;;
    *) die "$location_server:$location_path" "cannot be mounted at $2: \"$3\" is not nfs" ;;
  esac
  prepare_mount_point "$2"
  nfs_base_options=hard,tcp
  if attempt_nfs_mount "/sysroot$2"; then
    persistent_summary="$persistent_summary, $2 $location_server:$location_path NFS v$nfs_vers"
    return 0
  fi
  if [ -z "$may_fail" ]; then
    die "$location_server:$location_path" "$mount_error (NFS v$nfs_vers, $attempt attempts), needed for $2"
  fi
  trouble "$location_server:$location_path" "$mount_error (NFS v$nfs_vers, $attempt attempts)" \
    "going on with $2 empty and read-only (nofail)"
  mount -t tmpfs -o ro,mode=0555,size=4k mkroot-absent "$ROOT/sysroot$2" || die tmpfs "cannot be mounted at $2"
  persistent_summary="$persistent_summary, $2 absent"
}

# read_persistent_options OPTIONS: $location_options without the words that are for mount(8) and not for the kernel; $may_fail.
read_persistent_options() {
  is_option_list "$1" || die - "$persistent_list: \"$1\" are no mount options"
  may_fail=''
  location_options=''
  options_rest=$1,
  while [ -n "$options_rest" ]; do
    option=${options_rest%%,*}
    options_rest=${options_rest#*,}
    case $option in
      nofail) may_fail=yes ;;
      '' | defaults | auto | noauto | _netdev | x-*) ;;
      *) location_options="$location_options${location_options:+,}$option" ;;
    esac
  done
}

# choose_locking: locks of NFS v3 take daemons that no initramfs has. With nolock they hold on this node only, which is right for a
# directory that no other node writes to; without it they have to reach the other writers, which v4 does by itself.
choose_locking() {
  case ,$location_options, in
    *,vers=* | *,nfsvers=* | *,nolock,* | *,local_lock=all,*) ;;
    *,ro,*) location_options=$location_options,nolock ;;
    *) location_options=vers=4.1${location_options:+,$location_options} ;;
  esac
}

# prepare_mount_point POINT: made where no layer has it. A link on the way would lead out of the new root, or to another place
# than the list says.
prepare_mount_point() {
  case $1/ in
    */../* | */./*) die - "$persistent_list: \"$1\" is no directory of the node" ;;
  esac
  point_rest=${1#/}/
  point_so_far=''
  while [ -n "$point_rest" ]; do
    point_so_far=$point_so_far/${point_rest%%/*}
    point_rest=${point_rest#*/}
    if [ -L "$ROOT/sysroot$point_so_far" ]; then
      die - "nothing can be mounted at $1: $point_so_far is a link in the root"
    fi
    [ -d "$ROOT/sysroot$point_so_far" ] || mkdir "$ROOT/sysroot$point_so_far" ||
      die - "nothing can be mounted at $1: $point_so_far cannot be made"
  done
}
