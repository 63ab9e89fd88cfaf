# shellcheck shell=sh
# The kernel command line, turned into variables. Every key: docs/boot-protocol.md.
# Precedence: mkroot.* over the standard arguments over DHCP over the image's defaults (MKROOT_DEFAULTS).

# read_command_line TEXT: sets the variables below; words that are not ours are left to the kernel and the real init.
read_command_line() {
  # Where the layers are: [nfs:][server:]/path[,options] each.
  base_wanted='' base_standard='' cluster_wanted='' host_wanted='' roots_directory=''
  nfs_version='' nfs_extra_options='' top_wanted='' disk_wanted='' hostname_wanted=''
  # Addresses. ip_mode: dhcp (default), static, none.
  ip_mode=dhcp ip_address='' ip_server='' ip_gateway='' ip_netmask='' ip_hostname='' ip_device='' ip_dns=''
  ip_ntp='' ip_mtu='' boot_mac=''
  # Devices over others: stacked-devices.sh.
  bond_name='' vlan_name='' stacked_nic=''
  # When things go wrong.
  break_before='' shell_on_failure='' panic_delay=''
  init_wanted='' parameter_problems=''
  # Who is told of the boot.
  report_address='' report_port=''

  # The words are split at blanks with globbing off: a '*' on the command line stays one.
  set -f
  for word in $1; do
    read_parameter "$word"
  done
  for word in $MKROOT_DEFAULTS; do
    read_default "$word"
  done
  set +f
}

# ignore_parameter WORD WHY: told once the console can be written to; a typing mistake must not be silent.
ignore_parameter() {
  parameter_problems="$parameter_problems${parameter_problems:+, }$1 ($2)"
}

read_parameter() {
  value=${1#*=}
  case $1 in
    mkroot.base=*) base_wanted=$value ;;
    mkroot.cluster=*) cluster_wanted="$cluster_wanted $value" ;;
    mkroot.host=*) host_wanted=$value ;;
    mkroot.roots=*) roots_directory=$value ;;
    mkroot.nfsvers=*) read_nfs_version "$1" "$value" ;;
    mkroot.nfsopts=*) nfs_extra_options=$value ;;
    mkroot.rw=*) top_wanted=$value ;;
    mkroot.disk=*) disk_wanted=$value ;;
    mkroot.hostname=*) hostname_wanted=$value ;;
    mkroot.report=*) read_report_server "$value" ;;
    # What the boot entry is called; it decides nothing here and is read from /proc/cmdline by whoever asks.
    mkroot.image=* | mkroot.generation=*) ;;
    mkroot.*) ignore_parameter "$1" "no such key" ;;
    root=*) read_root "$value" ;;
    # The kernel's own name for the server's directory wins over root=/dev/nfs, which only says "NFS".
    nfsroot=*) base_standard=$value ;;
    ip=*) read_ip "$value" ;;
    bond) read_bond '' ;;
    bond=*) read_bond "$value" ;;
    vlan=*) read_vlan "$value" ;;
    BOOTIF=*) read_boot_mac "$value" ;;
    bootdev=*) read_device "$1" "$value" ;;
    init=*) init_wanted=$value ;;
    rd.break) break_before=switch-root ;;
    rd.break=*) read_break "$1" "$value" ;;
    rd.shell | rd.shell=1) shell_on_failure=yes ;;
    rd.debug | rd.debug=1) set -x ;;
    panic=*) read_panic "$1" "$value" ;;
  esac
}

# read_default WORD: the image's own wish, taken only where the command line has none.
read_default() {
  value=${1#*=}
  case $1 in
    mkroot.base=*) base_default=$value ;;
    mkroot.cluster=*) cluster_wanted=${cluster_wanted:-$value} ;;
    mkroot.host=*) host_wanted=${host_wanted:-$value} ;;
    mkroot.roots=*) roots_directory=${roots_directory:-$value} ;;
    mkroot.nfsvers=*) nfs_version=${nfs_version:-$value} ;;
    mkroot.nfsopts=*) nfs_extra_options=${nfs_extra_options:-$value} ;;
    mkroot.rw=*) top_wanted=${top_wanted:-$value} ;;
  esac
}

# read_root VALUE: the spellings of root= that mean NFS; a block device is not ours to mount.
read_root() {
  case $1 in
    /dev/nfs | nfs | dhcp | '') ;;
    nfs:* | nfs3:* | nfs4:* | live:http://* | http://*) base_standard=${base_standard:-$1} ;;
    *)
      case ${1%%:/*} in
        # No ":/" in it, or a UUID= or LABEL= before that; mount options behind it have '=' as well.
        "$1" | *=* | [!0-9A-Za-z]*) ignore_parameter "root=$1" "not a network root" ;;
        *) base_standard=${base_standard:-$1} ;;
      esac
      ;;
  esac
}

read_nfs_version() {
  case $2 in
    3 | 4 | 4.0 | 4.1 | 4.2) nfs_version=$2 ;;
    *) ignore_parameter "$1" "no version of NFS" ;;
  esac
}

read_break() {
  if is_stage "$2"; then break_before=$2; else ignore_parameter "$1" "no stage"; fi
}

read_boot_mac() {
  [ -n "$1" ] || return 0
  normalise_mac "$1"
  boot_mac=$answer
  [ -n "$boot_mac" ] || ignore_parameter "BOOTIF=$1" "no MAC address"
}

read_device() {
  if is_interface_name "$2"; then ip_device=$2; else ignore_parameter "$1" "no interface name"; fi
}

read_panic() {
  if is_number "${2#-}"; then panic_delay=$2; else ignore_parameter "$1" "no number"; fi
}

# read_mtu WORD MTU[:MAC]: the end of dracut's ip=.
read_mtu() {
  case $2 in
    *:?*) ignore_parameter "$1" "its MAC address: a device keeps its own" ;;
  esac
  ip_mtu=${2%%:*}
  [ -z "$ip_mtu" ] || is_mtu "$ip_mtu" || { ignore_parameter "$1" "MTU is not valid" && ip_mtu=''; }
}

# read_ip VALUE: the kernel's ip=client:server:gateway:netmask:hostname:device:autoconf:dns0:dns1:ntp0, its short forms
# (dhcp, none, ...) and dracut's: ip=<interface>:dhcp[:<mtu>], and an MTU in the place of dns0.
read_ip() {
  case $1 in
    '') return 0 ;;
    dhcp | on | any | both | bootp) ip_mode=dhcp && return 0 ;;
    none | off) ip_mode=none && return 0 ;;
    *\[* ) ignore_parameter "ip=$1" "IPv6 is not supported" && return 0 ;;
  esac
  ip_rest=${1#*:}:
  case ${ip_rest%%:*} in
    dhcp | on | any)
      read_device "ip=$1" "${1%%:*}"
      ip_rest=${ip_rest#*:}
      read_mtu "ip=$1" "${ip_rest%:}"
      return 0
      ;;
  esac
  ip_fields=$1::::::::::
  ip_autoconf=''
  for ip_part in address server gateway netmask hostname device autoconf dns dns2 ntp; do
    ip_field=${ip_fields%%:*}
    ip_fields=${ip_fields#*:}
    [ -n "$ip_field" ] || continue
    if [ "$ip_part" = dns ] && is_number "$ip_field"; then
      read_mtu "ip=$1" "$ip_field"
      continue
    fi
    case $ip_part in
      address | server | gateway | dns | dns2 | ntp) is_ipv4 "$ip_field" ;;
      netmask) prefix_length "$ip_field" && [ -n "$answer" ] ;;
      hostname) is_hostname "$ip_field" ;;
      device) is_interface_name "$ip_field" ;;
    esac || { ignore_parameter "ip=$1" "$ip_part is not valid" && continue; }
    case $ip_part in
      address) ip_address=$ip_field ;;
      server) ip_server=$ip_field ;;
      gateway) ip_gateway=$ip_field ;;
      netmask) ip_netmask=$ip_field ;;
      hostname) ip_hostname=$ip_field ;;
      device) ip_device=$ip_field ;;
      autoconf) ip_autoconf=$ip_field ;;
      dns | dns2) ip_dns="$ip_dns${ip_dns:+ }$ip_field" ;;
      ntp) ip_ntp=$ip_field ;;
    esac
  done
  case $ip_autoconf in
    dhcp | on | any | both | bootp) ip_mode=dhcp ;;
    *) if [ -n "$ip_address" ]; then ip_mode=static; fi ;;
  esac
}
