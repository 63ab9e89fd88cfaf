# shellcheck shell=sh
# A base that is one file, a squashfs or erofs, instead of ten thousand: on an NFS server, mounted where it lies, or fetched over
# HTTP into memory, checked, and mounted from there. docs/transports.md compares them.

# Where the file is: a directory of an NFS server, or memory. Its name comes before "base", so that it is unmounted after it.
archive_directory=/run/mkroot/archive
# What the node needs besides the file: for the layers, for what it writes, for its programs.
memory_reserve=131072
http_attempts=8
# Seconds without a byte.
stall_limit=20
image_reference=mkroot.base
layers_into_memory=''

# is_image_path PATH: a file that is a file system.
is_image_path() {
  case $1 in
    *.squashfs | *.erofs) return 0 ;;
  esac
  return 1
}

# read_image_options OPTIONS: takes sha256= and size= (bytes) out; the rest is $location_options.
read_image_options() {
  image_sha256='' image_size='' location_options=''
  options_rest=$1,
  while [ -n "$options_rest" ]; do
    option=${options_rest%%,*}
    options_rest=${options_rest#*,}
    case $option in
      '') ;;
      sha256=*) image_sha256=${option#sha256=} ;;
      size=*) image_size=${option#size=} ;;
      *) location_options="$location_options${location_options:+,}$option" ;;
    esac
  done
}

# mount_image_from_nfs: what parse_location found is a file; the directory that it lies in is mounted, then the file. It is read
# piece by piece, so its digest is not asked for: reading all of it would be what this spares.
mount_image_from_nfs() {
  read_image_options "$location_options"
  image_path=$location_path
  location_path=${location_path%/*}
  location_path=${location_path:-/}
  mount_location "$archive_directory"
  mount_image "$archive_directory/${image_path##*/}" "$location_server:$image_path"
  base_server=$location_server
  base_summary="$location_server:$image_path NFS v$nfs_vers"
}

# mount_image FILE ORIGIN
mount_image() {
  image_type=${1##*.}
  # The kernel asks for the file system's module itself, but nobody asks for loop: there is no udev yet.
  modprobe -a -q loop "$image_type" 2>/dev/null
  mkdir -p "$ROOT/run/mkroot/base"
  mount_output=$(mount -t "$image_type" -o ro,loop "$ROOT$1" "$ROOT/run/mkroot/base" 2>&1) ||
    die "$2" "cannot be mounted as $image_type: ${mount_output##*: } (an initrd for it: mkroot initrd --transport)"
}

# mount_image_from_http URL: [live:]http://server[+server...][:port]/path,sha256=HEX,size=BYTES.
mount_image_from_http() {
  http_rest=${1#live:}
  http_rest=${http_rest#http://}
  http_path=${http_rest%%,*}
  read_image_options "${http_rest#"$http_path"}"
  http_servers=${http_path%%/*}
  http_path=/${http_path#*/}
  { is_image_path "$http_path" && is_path "$http_path" && is_server_list "${http_servers%:*}"; } ||
    die - "\"$1\" is not http://server[:port]/path.squashfs,sha256=...,size=..."
  { is_sha256 "$image_sha256" && is_number "$image_size"; } ||
    die "$http_servers" "nothing is fetched without knowing what it has to be: $image_reference= lacks sha256= or size="
  require_memory "$image_size" "$http_servers"
  image_file=$archive_directory/${http_path##*/}
  mkdir -p "$ROOT$archive_directory"
  mount -t tmpfs -o "mode=0700,nr_inodes=16,size=$image_size" mkroot-archive "$ROOT$archive_directory" ||
    die tmpfs "cannot be mounted with size=$image_size"
  fetch_image
  mount_image "$image_file" "$http_server"
  # The node shall need no server any more.
  layers_into_memory=yes
  base_summary="http://$http_server$http_path, $((image_size / 1048576)) MiB in memory, sha256 verified"
}

# require_memory BYTES SERVER: before anything is fetched: a node that runs out of memory half-way says nothing.
require_memory() {
  memory_available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' "$ROOT/proc/meminfo")
  is_number "$memory_available" || return 0
  [ "$memory_available" -ge "$(($1 / 1024 + memory_reserve))" ] ||
    die "$2" "the memory is too small: $(($1 / 1048576)) MiB are to be fetched, $((memory_reserve / 1024)) MiB have to stay free, $((memory_available / 1024)) MiB are available"
}

# fetch_image: from one server after the other, beginning with this node's; what came before a connection broke is kept.
fetch_image() {
  http_port=''
  case $http_servers in
    *:*) http_port=:${http_servers##*:} ;;
  esac
  order_servers "${http_servers%"$http_port"}"
  ordered_servers=$answer
  attempt=1
  while :; do
    for http_server in $ordered_servers; do
      http_server=$http_server$http_port
      if server_address "${http_server%"$http_port"}"; then
        fetch_from "$answer$http_port" && return 0
      else
        fetch_error=$mount_error
      fi
      if [ "$attempt" -ge "$http_attempts" ]; then
        die "$http_server" "$fetch_error ($attempt attempts)"
      fi
      mount_pause "$attempt"
      pause=$answer
      trouble "$http_server" "$fetch_error" "attempt $((attempt + 1)) of $http_attempts in $pause s"
      sleep "$pause"
      attempt=$((attempt + 1))
    done
  done
}

# fetch_from ADDRESS: the rest of the file; $fetch_error if it is not whole then, or not what it has to be. A server with a name may have
# several, so it is told by which one it was asked for.
fetch_from() {
  fetch_log=$ROOT/run/mkroot/fetch.log
  set -- "http://$1$http_path" "$1"
  if [ "$2" = "$http_server" ]; then set -- "$1"; else set -- "$1" --header "Host: $http_server"; fi
  wget -c -O "$ROOT$image_file" "$@" >"$fetch_log" 2>&1 &
  fetching=$!
  watch_fetch
  wait "$fetching" 2>/dev/null
  fetch_status=$?
  size_of "$image_file"
  if [ "$answer" -lt "$image_size" ]; then
    # wget draws a progress bar with carriage returns.
    fetch_error=$(tr '\r' '\n' <"$fetch_log" | sed -n -e 's/^wget: //p' | tail -n 1)
    [ -z "$stalled" ] || fetch_error="no byte for $stall_limit s"
    [ -n "$fetch_error" ] || [ "$fetch_status" -ne 0 ] || fetch_error="the file there is shorter than size="
    fetch_error="${fetch_error:-the connection ended early}, $((answer / 1024)) of $((image_size / 1024)) KiB are here"
    return 1
  fi
  if [ "$answer" -gt "$image_size" ]; then
    fetch_error="the file there is longer than size=$image_size"
  else
    answer=$(sha256sum "$ROOT$image_file")
    [ "${answer%% *}" != "$image_sha256" ] || return 0
    fetch_error="what came is not what was asked for: its sha256 is ${answer%% *}"
  fi
  # Nobody knows which byte is wrong.
  rm -f "$ROOT$image_file"
  return 1
}

# watch_fetch: ends wget when nothing comes any more, for not every busybox has an option for that; $stalled. Tells of long ones.
watch_fetch() {
  stalled='' fetched=0 idle=0
  seconds_up
  tell_at=$((answer + 15))
  while kill -0 "$fetching" 2>/dev/null; do
    sleep 1
    size_of "$image_file"
    if [ "$answer" -gt "$fetched" ]; then idle=0; else idle=$((idle + 1)); fi
    fetched=$answer
    if [ "$idle" -ge "$stall_limit" ]; then
      stalled=yes
      kill -9 "$fetching"
      return 0
    fi
    seconds_up
    if [ "$answer" -ge "$tell_at" ]; then
      tell_at=$((answer + 15))
      print_line 5 "mkroot: $((fetched / 1048576)) of $((image_size / 1048576)) MiB from $http_server"
    fi
  done
}

# size_of FILE: $answer bytes; 0 if there is none.
size_of() {
  answer=0
  if [ -e "$ROOT$1" ]; then
    answer=$(stat -c %s "$ROOT$1")
  fi
}

# is_sha256 TEXT
is_sha256() {
  case $1 in
    *[!0-9a-f]*) return 1 ;;
  esac
  [ "${#1}" -eq 64 ]
}

# keep_layer_in_memory TARGET: copies the layer that is mounted there over NFS, and lets go of the server.
keep_layer_in_memory() {
  mkdir -p "$ROOT/run/mkroot/copy"
  mount -t tmpfs -o mode=0755 "mkroot-${1##*/}" "$ROOT/run/mkroot/copy" || die tmpfs "cannot be mounted for a layer"
  layer_size=$(du -s -k "$ROOT$1")
  require_memory "$((${layer_size%%[!0-9]*} * 1024))" "$location_server"
  cp -a "$ROOT$1/." "$ROOT/run/mkroot/copy/" || die "$location_server:$location_path" "cannot be copied into memory"
  umount "$ROOT$1"
  mount --move "$ROOT/run/mkroot/copy" "$ROOT$1"
  mount -o remount,ro "$ROOT$1"
}
