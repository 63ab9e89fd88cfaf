# shellcheck shell=sh
# Local disks: waiting for one, and the check of a file system before it is mounted.

disk_timeout=30

# until_disk COMMAND...: tries it until it succeeds, for $disk_timeout s. Drivers find their disks after they are loaded, one by one.
until_disk() {
  seconds_up
  disk_deadline=$((answer + disk_timeout))
  until "$@"; do
    seconds_up
    [ "$answer" -lt "$disk_deadline" ] || return 1
    coldplug
    sleep 0.5
  done
}

# find_tool NAME: $answer is the path of a program of the root that came along into the initrd.
find_tool() {
  for directory in /usr/sbin /sbin /usr/bin /bin; do
    answer=$directory/$1
    [ ! -x "$ROOT$answer" ] || return 0
  done
  return 1
}

# check_ext4 FILE_OR_DEVICE: e2fsck in the way that asks nothing; $check_error if it does not mend it.
check_ext4() {
  check_error="cannot be checked: the initrd has no e2fsck (mkroot initrd --top)"
  find_tool e2fsck || return 1
  fsck_output=$("$ROOT$answer" -p "$1" 2>&1)
  # e2fsck(8): 1 and 2 are errors that were mended.
  fsck_status=$?
  case $fsck_status$fsck_output in
    0*recovering* | [1-9]*) print_line 5 "mkroot: e2fsck of $1: $(printf '%s' "$fsck_output" | tail -n 2 | tr '\n' ' ')" ;;
  esac
  check_error="is damaged, e2fsck ends with $fsck_status"
  [ "$fsck_status" -lt 4 ]
}
