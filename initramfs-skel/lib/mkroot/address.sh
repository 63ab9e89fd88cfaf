# shellcheck shell=sh
# The node's address: static from ip=, else by DHCP. The DHCP clients live in /run/initramfs, because the one that wins
# goes on renewing its lease after the real root has taken over and this file system is gone.

lease_timeout=300

# configure_address: sets $boot_nic, $node_ip, $lease_* and $address_summary; $node_mac, which is this machine's at every boot (empty if the
# device has nothing of the kind), and $nic_address, all that the kernel says of the device's address.
configure_address() {
  lease_mask='' lease_dns='' lease_ntp='' lease_hostname='' lease_domain=''
  lease_rootpath='' lease_siaddr='' lease_serverid='' lease_mtu='' lease_refused=''
  case $ip_mode in
    static) configure_static_address ;;
    none) die - "ip=none, but the root is on the network" ;;
    *) configure_address_by_dhcp ;;
  esac
  use_mtu
  nic_address=$(cat "$ROOT/sys/class/net/$boot_nic/address")
  normalise_mac "$nic_address"
  node_mac=$answer
}

# use_mtu: that of the command line, else DHCP's (option 26); before anything is mounted, since a connection keeps the size it began with.
# What the device lies over has to carry it first. A driver that takes its link down for this has it up again before a mount gives up.
use_mtu() {
  mtu=${ip_mtu:-$lease_mtu}
  [ -n "$mtu" ] || return 0
  list_lower_nics "$boot_nic"
  for nic in $lower_nics "$boot_nic"; do
    mtu_now=0
    read -r mtu_now <"$ROOT/sys/class/net/$nic/mtu"
    if [ "$mtu_now" -ge "$mtu" ] && [ "$nic" != "$boot_nic" ] || [ "$mtu_now" = "$mtu" ]; then continue; fi
    if ! ip link set dev "$nic" mtu "$mtu"; then
      trouble "$nic" "does not take an MTU of $mtu" "going on with $mtu_now"
      return
    fi
  done
  address_summary="$address_summary, MTU $mtu"
}

configure_static_address() {
  boot_nic=${linked_nics%% *}
  prefix_length "${ip_netmask:-24}"
  lease_mask=$answer
  node_ip=$ip_address
  lease_dns=$ip_dns
  lease_ntp=$ip_ntp
  lease_siaddr=$ip_server
  ip addr add "$node_ip/$lease_mask" broadcast + dev "$boot_nic" || die "$boot_nic" "the kernel refuses $node_ip/$lease_mask"
  [ -z "$ip_gateway" ] || ip route replace default via "$ip_gateway" dev "$boot_nic" ||
    trouble "$ip_gateway" "cannot be used as gateway" "going on without one"
  address_summary="$boot_nic $node_ip/$lease_mask static"
}

# configure_address_by_dhcp: one client on each device with a link, also on those that get theirs later; first lease wins.
configure_address_by_dhcp() {
  state=$ROOT/run/initramfs/state
  clients='' asked_nics=''
  seconds_up
  lease_started=$answer
  complain_at=$((answer + 15))
  while [ ! -e "$state/lease" ]; do
    list_nics
    list_linked_nics
    for nic in $linked_nics; do
      case " $asked_nics " in
        *" $nic "*) continue ;;
      esac
      asked_nics="$asked_nics $nic"
      start_dhcp_client "$nic"
    done
    seconds_up
    if [ "$answer" -ge "$complain_at" ]; then
      complain_at=$((answer + 15))
      if [ "$answer" -ge "$((lease_started + lease_timeout))" ]; then
        die DHCP "no answer on$asked_nics within $lease_timeout s"
      fi
      trouble DHCP "no answer on$asked_nics for $((answer - lease_started)) s" "asking again"
    fi
    sleep 0.05
  done
  read_lease "$state/lease"
  lease_dns=${ip_dns:-$lease_dns}
  lease_ntp=${ip_ntp:-$lease_ntp}
  stop_other_dhcp_clients
  [ -z "$lease_refused" ] || trouble "${lease_serverid:-DHCP}" "sent what cannot be used: $lease_refused" "going on without"
  address_summary="$boot_nic $node_ip/$lease_mask from DHCP server ${lease_serverid:-unknown}"
}

# start_dhcp_client NIC: in a process group of its own, so that it can be ended with its children.
start_dhcp_client() {
  setsid chroot "$ROOT/run/initramfs" /lib/mkroot/dhcp-client "$1" <"$ROOT/dev/urandom" >/dev/null 2>&1 &
  clients="$clients $1=$!"
}

stop_other_dhcp_clients() {
  for client in $clients; do
    [ "${client%=*}" = "$boot_nic" ] || kill -- "-${client#*=}" 2>/dev/null
  done
}

# read_lease FILE: key=value lines, already checked by dhcp-event; still only compared, never evaluated.
read_lease() {
  while IFS='=' read -r key value; do
    case $key in
      nic) boot_nic=$value ;;
      ip) node_ip=$value ;;
      mask) lease_mask=$value ;;
      dns) lease_dns=$value ;;
      hostname) lease_hostname=$value ;;
      domain) lease_domain=$value ;;
      rootpath) lease_rootpath=$value ;;
      siaddr) lease_siaddr=$value ;;
      serverid) lease_serverid=$value ;;
      mtu) lease_mtu=$value ;;
      ntpsrv) lease_ntp=$value ;;
      refused) lease_refused="$lease_refused${lease_refused:+, }$value" ;;
    esac
  done <"$1"
}
