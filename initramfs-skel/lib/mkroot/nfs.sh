# shellcheck shell=sh
# NFS mounts by busybox mount: it hands the options to the kernel as text, which talks to mountd itself, so nothing of
# nfs-utils is needed. Why version 3 comes first and why these options: docs/decisions/0006-boot-runtime.md.

# What suits a tree that never changes while it is mounted.
nfs_immutable_options=ro,hard,tcp,nolock,nocto,noatime,actimeo=2592000
nfs_attempts=8
probe_reply=$ROOT/run/mkroot/probe
nfs_attempt_timeout=40
known_servers=''
# The server's v4.2 was tried and does not work.
nfs_42_is_broken=''

# parse_location TEXT DEFAULT_SERVER: [nfs:][server:]/path[,options] (dracut's ':options' too) into $location_server,
# $location_path and $location_options; false if it is not a location.
parse_location() {
  location_rest=$1
  location_options=''
  case $location_rest in
    nfs:*) location_rest=${location_rest#nfs:} ;;
    nfs3:*) location_rest=${location_rest#nfs3:} location_options=vers=3 ;;
    nfs4:*) location_rest=${location_rest#nfs4:} location_options=vers=4.1 ;;
  esac
  location_server=$2
  case $location_rest in
    /*) ;;
    *:/*)
      location_server=${location_rest%%:*}
      location_rest=${location_rest#*:}
      ;;
    *) return 1 ;;
  esac
  location_path=${location_rest%%[,:]*}
  if [ "$location_path" != "$location_rest" ]; then
    location_options="$location_options${location_options:+,}${location_rest#"$location_path"?}"
  fi
  is_path "$location_path" && is_option_list "$location_options" && is_server_list "$location_server"
}

# is_server_list TEXT: one server, or several with '+' between them.
is_server_list() {
  list_rest=$1+
  while [ -n "$list_rest" ]; do
    is_hostname "${list_rest%%+*}" || return 1
    list_rest=${list_rest#*+}
  done
}

# order_servers LIST: $answer are the servers of a list, separated by blanks, beginning with this node's: the hash of its MAC spreads
# the nodes over them.
order_servers() {
  answer=$1
  case $1 in
    *+*) ;;
    *) return 0 ;;
  esac
  order_hash=$(printf '%s' "$node_mac" | sha256sum | cut -c 1-7)
  # shellcheck disable=SC2046 # A list without blanks of its own.
  set -- $(printf '%s' "$1" | tr + ' ')
  order_first=$((0x$order_hash % $#))
  while [ "$order_first" -gt 0 ]; do
    order_first=$((order_first - 1))
    order_moved=$1
    shift
    set -- "$@" "$order_moved"
  done
  answer=$*
}

# expand_location TEXT: $answer is TEXT with %h, %i and %m replaced by the node's name, address and MAC (hyphens), and with
# %s by its address, as the kernel's nfsroot= has it.
expand_location() {
  answer=''
  expand_rest=$1
  while :; do
    case $expand_rest in
      *%*) ;;
      *) break ;;
    esac
    answer=$answer${expand_rest%%\%*}
    expand_rest=${expand_rest#*%}
    case $expand_rest in
      h*) answer=$answer${node_name:-$node_ip} ;;
      i* | s*) answer=$answer$node_ip ;;
      m*) answer=$answer$(printf '%s' "$node_mac" | tr : -) ;;
      *) answer=$answer%${expand_rest%"${expand_rest#?}"} ;;
    esac
    expand_rest=${expand_rest#?}
  done
  answer=$answer$expand_rest
}

# mount_location TARGET: mounts what parse_location found as a layer. Dies in the end.
mount_location() {
  mkdir -p "$ROOT$1"
  nfs_base_options=$nfs_immutable_options
  attempt_nfs_mount "$1" ||
    die "$location_server:$location_path" "$mount_error (NFS v$nfs_vers, $attempt attempts)"
}

# attempt_nfs_mount TARGET: with $nfs_base_options, and retries whose pauses grow and are jittered. False in the end; $mount_error
# says why.
attempt_nfs_mount() {
  order_servers "$location_server"
  location_servers=$answer
  location_address=''
  attempt=1
  while :; do
    choose_nfs_version "$attempt"
    choose_server && try_nfs_mount "$1" && note_server && return 0
    [ "$attempt" -lt "$nfs_attempts" ] || return 1
    mount_pause "$attempt"
    pause=$answer
    trouble "$location_server:$location_path" "$mount_error (NFS v$nfs_vers)" "attempt $((attempt + 1)) of $nfs_attempts in $pause s"
    sleep "$pause"
    attempt=$((attempt + 1))
  done
}

# choose_server: $location_server and $location_address of the next attempt; false if it has no address, and $mount_error says so. Of
# several servers one that does not answer is passed over without waiting for a mount; if none answers, they are tried in turn all the same.
choose_server() {
  case $location_servers in
    *' '*) ;;
    *)
      location_server=$location_servers
      [ -z "$location_address" ] || return 0
      server_address "$location_server" && location_address=$answer
      return
      ;;
  esac
  # Both versions of NFS at one server, then the next one.
  [ "$attempt" -eq 1 ] || [ "$((attempt % 2))" -eq 0 ] || location_servers="${location_servers#* } ${location_servers%% *}"
  for location_server in $location_servers; do
    if ! server_address "$location_server"; then
      trouble "$location_server" "$mount_error" "the next server"
      continue
    fi
    location_address=$answer
    server_answers "$location_address" "$(nfs_port "$nfs_extra_options,$location_options")" "${nfs_vers%%.*}" && return 0
    trouble "$location_server" "does not answer" "the next server"
  done
  location_server=${location_servers%% *}
  server_address "$location_server" && location_address=$answer
}

# nfs_port OPTIONS: prints it.
nfs_port() {
  nfs_option port "$1"
  printf '%s' "${answer:-2049}"
}

# nfs_option NAME OPTIONS: $answer is the value of NAME= in mount options, of several the last one's, as in the kernel; empty without one.
nfs_option() {
  answer=,$2
  case $answer in
    *",$1="*)
      answer=${answer##*",$1="}
      answer=${answer%%,*}
      ;;
    *) answer='' ;;
  esac
}

# note_server: "address port version" for the last resort (lib/mkroot/last-resort), each server once.
note_server() {
  server_port=$(nfs_port "$mount_options")
  case "
$known_servers" in
    *"
$location_address $server_port "*) return 0 ;;
  esac
  known_servers="$known_servers$location_address $server_port ${nfs_vers%%.*}
"
  write_known_servers
}

write_known_servers() {
  printf '%s' "$known_servers" >"$ROOT/run/initramfs/state/servers"
}

# mount_pause ATTEMPT: $answer seconds. The second attempt differs in version only and comes at once.
mount_pause() {
  answer=0
  [ "$1" -gt 1 ] || return 0
  longest=$(($1 * 2))
  random_below "$longest"
  answer=$((longest / 2 + answer))
}

# choose_nfs_version ATTEMPT: $nfs_vers; as told, else 3 and 4.1 in turn (many servers offer only one of them).
choose_nfs_version() {
  for option_list in "$location_options" "$nfs_extra_options"; do
    for option_name in vers nfsvers; do
      nfs_option "$option_name" "$option_list"
      nfs_vers=$answer
      [ -z "$nfs_vers" ] || return 0
    done
  done
  if [ -n "$nfs_version" ]; then
    nfs_vers=$nfs_version
  elif [ "$(($1 % 2))" -eq 1 ]; then
    nfs_vers=3
  else
    nfs_vers=4.1
  fi
}

# try_nfs_mount TARGET: one mount, bounded in time; $mount_error says why not. Options that come later win in the kernel.
try_nfs_mount() {
  mount_options=$nfs_base_options,vers=$nfs_vers
  case $nfs_vers in
    4*) mount_options=$mount_options,clientaddr=$node_ip ;;
  esac
  mount_options=$mount_options${nfs_extra_options:+,$nfs_extra_options}${location_options:+,$location_options}
  if [ "$nfs_vers$nfs_42_is_broken" = 4.2yes ]; then
    nfs_vers=4.1
    mount_options=$mount_options,vers=4.1
  fi
  mount_output=$(run_limited "$nfs_attempt_timeout" mount -t nfs -o "$mount_options" \
    "$location_address:$location_path" "$ROOT$1" 2>&1) && return 0
  mount_error=${mount_output##*: }
  mount_error=${mount_error:-no answer within $nfs_attempt_timeout s}
  return 1
}

# run_limited SECONDS COMMAND...: an NFS mount that waits for a dead server can be killed, so it is.
run_limited() {
  limit=$1
  shift
  timeout -s KILL "$limit" "$@"
}

# server_address NAME: $answer is its IPv4 address; false if there is none, and $mount_error says so. A static busybox cannot ask the
# resolver, so names go through nslookup.
server_address() {
  answer=$1
  is_ipv4 "$1" && return 0
  for name_server in $lease_dns; do
    for name in "$1" ${lease_domain:+"$1.$lease_domain"}; do
      # The first address in nslookup's answer is the DNS server's own. Answers come in any order, those about IPv6 among them.
      answer=$(run_limited 10 nslookup "$name" "$name_server" 2>/dev/null |
        sed -n -e '/^Name:/,$s/^Address[ 0-9]*: *\([0-9][0-9.]*\)\( .*\)*$/\1/p' | head -n 1)
      is_ipv4 "$answer" && return 0
    done
  done
  mount_error="cannot be resolved to an address by DNS (${lease_dns:-no DNS server known})"
  return 1
}
