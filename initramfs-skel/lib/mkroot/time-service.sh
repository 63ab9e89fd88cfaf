# shellcheck shell=sh
# Time servers as the network told them (DHCP option 42, or ip=), handed to whichever client of them the new root has. What its own
# configuration names stays; these come on top.

write_time_service() {
  [ -n "$lease_ntp" ] || return 0
  if [ -x "$ROOT/sysroot/lib/systemd/systemd-timesyncd" ]; then
    mkdir -p "$ROOT/run/systemd/timesyncd.conf.d"
    printf '[Time]\nNTP=%s\n' "$lease_ntp" >"$ROOT/run/systemd/timesyncd.conf.d/50-mkroot.conf"
  fi
  # The configurations of Debian and EL read this directory, which their own DHCP clients would write to.
  if [ -x "$ROOT/sysroot/usr/sbin/chronyd" ]; then
    mkdir -p "$ROOT/run/chrony-dhcp"
    for time_server in $lease_ntp; do
      printf 'server %s iburst\n' "$time_server"
    done >"$ROOT/run/chrony-dhcp/mkroot.sources"
  fi
}
