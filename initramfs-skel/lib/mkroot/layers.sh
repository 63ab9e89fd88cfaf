# shellcheck shell=sh
# The layers of the root, as the Hopeless paper draws them: base < cluster overlays < host layer < writable top.
# A host layer may name what lies under it in the files hopeless.overlay and hopeless.root; the command line goes first.

# The files in which a host layer names its root and its overlay.
root_pointer=hopeless.root
overlay_pointer=hopeless.overlay

# How many cluster layers there are.
cluster_number=0

# mount_base_layer: /run/mkroot/base, and the host layer before it if only that one knows the base.
mount_base_layer() {
  host_summary=''
  base_given=${base_wanted:-${base_standard:-${lease_rootpath:-}}}
  if [ -z "$base_given" ] && [ -n "$host_wanted" ]; then
    mount_host_layer
    read_pointer "$root_pointer"
    base_given=$answer
  fi
  base_given=${base_given:-${base_default:-}}
  [ -n "$base_given" ] || die - "nothing says where the root is: no mkroot.base=, nfsroot= or root=, no DHCP root-path, no $root_pointer"
  expand_location "$base_given"
  case $answer in
    http://* | live:http://*)
      mount_image_from_http "$answer"
      return
      ;;
  esac
  parse_location "$answer" "$(default_server)" ||
    die - "\"$base_given\" is not [server:]/path[,options], or no server is known"
  if is_image_path "$location_path"; then
    mount_image_from_nfs
    return
  fi
  mount_location /run/mkroot/base
  [ "$nfs_vers" != 4.2 ] || do_without_nfs_42_if_broken
  base_server=$location_server
  base_summary="$location_server:$location_path NFS v$nfs_vers"
}

# do_without_nfs_42_if_broken: some servers mount over v4.2 and then answer READ_PLUS (RFC 7862), which kernels from 6.x on
# use in place of READ, so that reading is an error; v4.1 does not have it. See docs/decisions/0006-boot-runtime.md.
do_without_nfs_42_if_broken() {
  program_output=$(chroot "$ROOT/run/mkroot/base" /bin/true 2>&1)
  [ "$?" -eq 126 ] || return 0
  trouble "$location_server:$location_path" "cannot be read over NFS v4.2: ${program_output##*: }" "NFS v4.1"
  umount "$ROOT/run/mkroot/base"
  nfs_42_is_broken=yes
  mount_location /run/mkroot/base
}

# default_server: whoever served the boot: ip=, DHCP's next-server, the DHCP server.
default_server() {
  printf '%s' "${base_server:-${ip_server:-${lease_siaddr:-${lease_serverid:-}}}}"
}

# mount_upper_layers: host and cluster layers; $lower_directories is the overlay's order, top first.
mount_upper_layers() {
  if [ -n "$host_wanted" ] && [ -z "$host_summary" ]; then mount_host_layer; fi
  if [ -z "$cluster_wanted" ] && [ -n "$host_summary" ]; then
    read_pointer "$overlay_pointer"
    cluster_wanted=$answer
  fi
  lower_directories=/run/mkroot/base
  cluster_summary=''
  cluster_number=0
  for cluster_layer in $cluster_wanted; do
    cluster_number=$((cluster_number + 1))
    cluster_directory=/run/mkroot/cluster
    [ "$cluster_number" -eq 1 ] || cluster_directory=/run/mkroot/cluster-$cluster_number
    mount_layer "$cluster_layer" "$cluster_directory"
    cluster_summary="$cluster_summary, cluster $answer"
    lower_directories=$cluster_directory:$lower_directories
  done
  if [ -n "$host_summary" ]; then lower_directories=/run/mkroot/host:$lower_directories; fi
  layers_summary=$host_summary$cluster_summary
  layers_summary=${layers_summary#, }
  layers_summary=${layers_summary:-none but the base}
}

mount_host_layer() {
  mount_layer "$host_wanted" /run/mkroot/host
  host_summary="host $answer"
}

# mount_layer LOCATION TARGET: $answer is where it came from.
mount_layer() {
  expand_location "$1"
  parse_location "$answer" "$(default_server)" ||
    die - "\"$1\" is not [server:]/path[,options], or no server is known"
  servers_before=$known_servers
  mount_location "$2"
  if [ -n "$layers_into_memory" ]; then
    keep_layer_in_memory "$2"
    known_servers=$servers_before
    write_known_servers
  fi
  answer=$location_server:$location_path
}

# read_pointer FILE: $answer is the location that the host layer's FILE holds, empty if there is none; of overlays there may be several,
# the lowest first. A bare name, as in the paper, lies under mkroot.roots=.
read_pointer() {
  answer=''
  [ -r "$ROOT/run/mkroot/host/$1" ] || return 0
  read -r pointers <"$ROOT/run/mkroot/host/$1"
  set -f
  for pointer in $pointers; do
    case $pointer in
      /* | *:/*) ;;
      *)
        [ -n "$roots_directory" ] || die - "the host layer's $1 names \"$pointer\", but no mkroot.roots= says under which directory"
        pointer=${roots_directory%/}/$pointer
        ;;
    esac
    answer="$answer${answer:+ }$pointer"
  done
  set +f
}
