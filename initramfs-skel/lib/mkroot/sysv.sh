# shellcheck shell=sh
# What a root whose init is sysvinit is told: nothing for one with systemd. Its scripts know no root on the network below an overlay.

# has_sysvinit: then /run/systemd/system must not exist: by it every program tells whether systemd runs, and init scripts hand over
# to a systemctl that has nobody to talk to (seen on trixie).
has_sysvinit() {
  [ -f "$ROOT/sysroot/etc/inittab" ] &&
    awk -F : '$1 !~ /^#/ && $3 == "initdefault" { found = 1 } END { exit !found }' "$ROOT/sysroot/etc/inittab"
}

# write_sysv_hand_over: a line in inittab for each way down, no check of file systems, and a network that stays up to the end.
write_sysv_hand_over() {
  # sysvinit stops what does not belong into the level that it goes to, before it starts the scripts of that level: 0 is
  # power-off, 6 is reset. These lines come last, hence after the scripts of the level that the node works in.
  # In a top that lasts those of the last boot are there. awk ends a last line that has no end.
  {
    awk '!/^mkr[pru]:/' "$ROOT/sysroot/etc/inittab"
    printf 'mkrp:123456:respawn:%s poweroff sysv\nmkrr:012345:respawn:%s reboot sysv\n' \
      "$sysv_last_resort" "$sysv_last_resort"
    [ -z "${report_address:-}" ] || printf 'mkru:2345:once:%s up /run/initramfs\n' "$sysv_report"
  } | replace_file_by_new /etc/inittab 0644
  # The root is checked by nobody; there is no disk.
  : | replace_file /fastboot 0644
  if [ ! -L "$ROOT/sysroot/etc/mtab" ]; then
    rm -f "$ROOT/sysroot/etc/mtab"
    ln -s ../proc/self/mounts "$ROOT/sysroot/etc/mtab"
  fi
  # halt and reboot would take down the devices, the root's among them, while they are still running from it.
  if [ -d "$ROOT/sysroot/etc/default" ]; then
    { awk '$0 != "NETDOWN=no"' "$ROOT/sysroot/etc/default/halt" 2>/dev/null; printf 'NETDOWN=no\n'; } | replace_file_by_new /etc/default/halt 0644
  fi
  # sendsigs kills everybody else, and with the last resort what ends a node whose server goes away meanwhile.
  mkdir -p "$ROOT/run/sendsigs.omit.d"
  for verb in poweroff reboot; do
    ln -s "/run/initramfs/state/omit-$verb" "$ROOT/run/sendsigs.omit.d/mkroot-$verb"
  done
}

sysv_report='/run/initramfs/bin/busybox sh /run/initramfs/lib/mkroot/report-state'
sysv_last_resort='/run/initramfs/bin/busybox sh /run/initramfs/lib/mkroot/sysv-last-resort'

# replace_file_by_new PATH MODE: as replace_file, for input that is made from the file itself.
replace_file_by_new() {
  cat >"$ROOT/run/mkroot/new"
  replace_file "$1" "$2" <"$ROOT/run/mkroot/new"
  rm "$ROOT/run/mkroot/new"
}
