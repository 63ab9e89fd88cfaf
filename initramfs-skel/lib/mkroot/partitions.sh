# shellcheck shell=sh
# The local disk that the inventory declares: mkroot.disk=DEVICE[,swap=SIZE][,scratch=LABEL][,consent=if-empty|yes-wipe-DEVICE].
# It is partitioned once, as far as the consent goes, and found by the names in its partition table after that. Whatever goes wrong, the
# node boots without. No other disk is ever partitioned; one that mkroot partitioned is taken instead. docs/writable-tops.md.

# Of a partition that is not finished, so that a boot whose power was cut in between is made up for by the next one.
unfinished_name=mkroot-new
swap_name=mkroot-swap
scratch_name=mkroot-scratch
without_disk='going on without swap and scratch of a local disk'
# sha256 of 4 MiB of zeros.
zeros=bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8

# prepare_disk: what mkroot.disk= asks for is there, and its swap is used; or it is said why not.
prepare_disk() {
  [ -n "$disk_wanted" ] || return 0
  if ! read_disk_wish "$disk_wanted"; then
    trouble - "mkroot.disk=$disk_wanted is not DEVICE,swap=SIZE,scratch=LABEL,consent=if-empty or yes-wipe-DEVICE" "$without_disk"
    return 0
  fi
  if ! until_disk has_disk; then
    trouble "disk $disk_name" "is not there (waited $disk_timeout s)" "$without_disk"
    return 0
  fi
  read_partition_table "$disk_name"
  find_partitions
  judge_disk
  if [ "$disk_state" != made ] && await_made_disk; then take_made_disk "$answer"; fi
  case $disk_state:$disk_consent in
    made:*) ;;
    *:yes-wipe-* | empty:if-empty) make_partitions || return 0 ;;
    empty:)
      trouble "disk $disk_name" "is empty and would get $disk_plan; that takes consent: if-empty in the inventory" "the disk is left as it is"
      return 0
      ;;
    *)
      trouble "disk $disk_name" "holds $disk_holds and would lose that to $disk_plan; that takes consent: yes-wipe-$disk_name in the inventory" "the disk is left as it is"
      return 0
      ;;
  esac
  use_partitions
}

# read_disk_wish VALUE: $disk_name, $swap_size, $scratch_label, $disk_consent, and $disk_plan, which says what is wanted.
read_disk_wish() {
  disk_name=${1%%,*}
  swap_size='' scratch_label='' disk_consent='' disk_plan=''
  case $disk_name in
    '' | *[!a-z0-9]*) return 1 ;;
  esac
  disk_rest=${1#"$disk_name"}
  while [ -n "$disk_rest" ]; do
    disk_rest=${disk_rest#,}
    disk_field=${disk_rest%%,*}
    disk_rest=${disk_rest#"$disk_field"}
    case $disk_field in
      swap=*[kmgKMG]) swap_size=${disk_field#swap=} && is_number "${swap_size%?}" || return 1 ;;
      scratch=?*) scratch_label=${disk_field#scratch=} && is_label "$scratch_label" || return 1 ;;
      consent=if-empty | "consent=yes-wipe-$disk_name") disk_consent=${disk_field#consent=} ;;
      *) return 1 ;;
    esac
  done
  if [ -n "$swap_size" ]; then disk_plan="$swap_size of swap"; fi
  if [ -n "$scratch_label" ]; then disk_plan="$disk_plan${disk_plan:+ and }an ext4 with the label $scratch_label"; fi
  [ -n "$disk_plan" ]
}

# has_disk: /sys/block has whole disks only, and a reader without a card has no size.
has_disk() {
  disk_sectors=0
  if [ -r "$ROOT/sys/block/$disk_name/size" ] && [ -e "$ROOT/dev/$disk_name" ]; then read -r disk_sectors <"$ROOT/sys/block/$disk_name/size"; fi
  [ "$disk_sectors" -gt 0 ]
}

# read_partition_table DISK: a disk is in /sys before the kernel has looked for its partitions; this ends when it has.
read_partition_table() {
  blockdev --rereadpt "$ROOT/dev/$1" 2>/dev/null || :
}

# find_partitions: $partitions of the disk, as vda1 vda2.
find_partitions() {
  partitions=''
  for partition in "$ROOT/sys/block/$disk_name/$disk_name"*; do
    if [ -e "$partition/partition" ]; then partitions="$partitions${partitions:+ }${partition##*/}"; fi
  done
}

# find_partition NAME: $answer is the partition's device below /dev.
find_partition() {
  for answer in $partitions; do
    if grep -q "^PARTNAME=$1\$" "$ROOT/sys/block/$disk_name/$answer/uevent"; then return 0; fi
  done
  return 1
}

# judge_disk: $disk_state is made (by mkroot), empty, or taken; then $disk_holds says by what. Empty is: no partition, and nothing but zeros in
# its first and last 4 MiB, where partition tables, file systems, RAID and LVM keep what they are known by. A disk that cannot be read is not empty.
judge_disk() {
  disk_state=taken
  if find_partition "$unfinished_name"; then
    disk_state=empty
  elif find_partition "$swap_name" || find_partition "$scratch_name"; then
    disk_state=made
  elif [ -n "$partitions" ]; then
    disk_holds="the partitions $partitions"
  elif ! is_zero 0; then
    disk_holds='data in its first 4 MiB'
  elif ! is_zero "$((disk_sectors - 8192))"; then
    disk_holds='data in its last 4 MiB'
  else
    disk_state=empty
  fi
}

# is_zero SECTOR: are the 8192 sectors of 512 bytes from there on?
is_zero() {
  [ "$(dd "if=$ROOT/dev/$disk_name" bs=512 "skip=$1" count=8192 2>/dev/null | sha256sum)" = "$zeros  -" ]
}

# await_made_disk: find_made_disk, and once more when no further disk has come for 3 s if something would be written without one: drivers find
# disks one by one, and the one that mkroot partitioned may come after the one that has its name today.
await_made_disk() {
  if find_made_disk; then return 0; fi
  [ -n "$disk_consent" ] || return 1
  seconds_up
  disk_deadline=$((answer + disk_timeout))
  disks_known=''
  while [ "$answer" -lt "$disk_deadline" ]; do
    disks_now=$(echo "$ROOT"/sys/block/*)
    if [ "$disks_now" != "$disks_known" ]; then
      disks_known=$disks_now
      disks_settle=$((answer + 3))
    fi
    [ "$answer" -lt "$disks_settle" ] || break
    coldplug
    sleep 0.5
    seconds_up
  done
  find_made_disk
}

# take_made_disk DISK: instead of the declared one, whose name it had when it was partitioned. Only its swap is written to, and what mounts
# its scratch goes by the label.
take_made_disk() {
  trouble "disk $disk_name" "is not the one that mkroot partitioned: that is $1, so the disks may have changed their names" "$1 is taken, and $disk_name is left as it is"
  disk_name=$1
  disk_state=made
  find_partitions
}

# find_made_disk: $answer is another disk than the declared one, with partitions of mkroot's names.
find_made_disk() {
  for other_disk in "$ROOT"/sys/block/*; do
    answer=${other_disk##*/}
    case $answer in
      "$disk_name" | '*') continue ;;
    esac
    read_partition_table "$answer"
    # Nothing matches where a disk has no partitions.
    if grep -q -s -E "^PARTNAME=($swap_name|$scratch_name)\$" "$other_disk/$answer"*/uevent; then return 0; fi
  done
  return 1
}

# make_partitions: says loudly what is lost.
make_partitions() {
  if ! { find_tool sfdisk && sfdisk=$ROOT$answer && find_tool mkfs.ext4 && mkfs=$ROOT$answer; }; then
    trouble "disk $disk_name" "cannot be partitioned: the initrd has no sfdisk or no mkfs.ext4 (mkroot initrd --top partitions)" "$without_disk"
    return 1
  fi
  case $disk_state in
    empty) print_line 5 "mkroot: disk $disk_name is empty and gets $disk_plan" ;;
    *) print_line 3 "mkroot: disk $disk_name LOSES $disk_holds and gets $disk_plan, by consent $disk_consent" ;;
  esac
  if ! disk_output=$(write_partitions 2>&1); then
    trouble "disk $disk_name" "was not partitioned to the end: $(printf '%s' "$disk_output" | tail -n 1)" "$without_disk"
    return 1
  fi
  find_partitions
}

# write_partitions: they get their names when they can be used, so that one whose making was cut off is known by the next boot.
write_partitions() {
  {
    echo 'label: gpt'
    if [ -n "$swap_size" ]; then echo "size=$(printf '%s' "$swap_size" | tr kmg KMG), type=S, name=$unfinished_name"; fi
    if [ -n "$scratch_label" ]; then echo "type=L, name=$unfinished_name"; fi
  } | "$sfdisk" --quiet --wipe always --wipe-partitions always "$ROOT/dev/$disk_name" || return
  find_partitions
  if [ -z "$partitions" ]; then
    echo 'the kernel does not see the new partitions'
    return 1
  fi
  partition_number=0
  for partition in $partitions; do
    partition_number=$((partition_number + 1))
    if [ -n "$swap_size" ] && [ "$partition_number" -eq 1 ]; then
      finished_name=$swap_name
      mkswap -L "$swap_name" "$ROOT/dev/$partition" || return
    else
      finished_name=$scratch_name
      "$mkfs" -q -F -m 0 -L "$scratch_label" "$ROOT/dev/$partition" || return
    fi
    sync
    "$sfdisk" --quiet --part-label "$ROOT/dev/$disk_name" "$partition_number" "$finished_name" || return
  done
  # sfdisk tells the kernel of new places only, not of new names.
  blockdev --rereadpt "$ROOT/dev/$disk_name"
}

# use_partitions: those that are wanted now; what was made is not made otherwise because the inventory says something else today.
use_partitions() {
  disk_found=''
  for partition_name in ${swap_size:+"$swap_name"} ${scratch_label:+"$scratch_name"}; do
    if ! find_partition "$partition_name"; then
      trouble "disk $disk_name" "has no partition $partition_name, and what mkroot once made it leaves as it is" "going on without that"
    elif [ "$partition_name" = "$swap_name" ] && ! swap_output=$(swapon "$ROOT/dev/$answer" 2>&1); then
      trouble "disk $disk_name" "has no swap on $answer: ${swap_output##*: }" "going on without swap"
    else
      disk_found="$disk_found, $partition_name is $answer"
    fi
  done
  [ -z "$disk_found" ] || print_line 5 "mkroot: disk $disk_name${disk_found}"
}
