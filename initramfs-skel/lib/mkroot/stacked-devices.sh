# shellcheck shell=sh
# Devices that lie over others: a bond of several links, a VLAN on a link or on the bond. Each is made as soon as what it lies over is there,
# and the node boots from the topmost. Words and their syntax are dracut's (dracut.cmdline(7)): bond=, vlan=.

member_timeout=10
bonding_directory=''

# read_bond VALUE: NAME[:MEMBER,…[:OPTION=VALUE,…[:MTU]]]; without a value bond0 of eth0 and eth1, as dracut has it.
read_bond() {
  [ -z "$bond_name" ] || ignore_parameter "the bond $bond_name" "another one comes after it"
  bond_fields=$1:::
  bond_name=${bond_fields%%:*}
  bond_fields=${bond_fields#*:}
  bond_members=${bond_fields%%:*}
  bond_fields=${bond_fields#*:}
  bond_options=${bond_fields%%:*}
  bond_fields=${bond_fields#*:}
  bond_mtu=${bond_fields%%:*}
  bond_name=${bond_name:-bond0}
  bond_members=$(printf '%s' "${bond_members:-eth0,eth1}" | tr , ' ')
  bond_options=${bond_options:-mode=balance-rr}
  for word in "$bond_name" $bond_members; do
    is_interface_name "$word" || { drop_bond "$1" "no interface name" && return; }
  done
  case $bond_options in
    *[!A-Za-z0-9_=,.\;+-]*) drop_bond "$1" "no options of a bond" && return ;;
  esac
  [ -z "$bond_mtu" ] || is_mtu "$bond_mtu" || drop_bond "$1" "no MTU"
}

drop_bond() {
  ignore_parameter "bond=$1" "$2"
  bond_name=''
}

# read_vlan VALUE: NAME[:DEVICE]. The number is the end of the name: vlan5, vlan0005, eth0.5, eth0.0005. Without a device, which dracut has not,
# it lies on the bond, else on the device that BOOTIF= names, else on the first one with a link.
read_vlan() {
  [ -z "$vlan_name" ] || ignore_parameter "the VLAN $vlan_name" "another one comes after it"
  vlan_name=${1%%:*}
  vlan_device=''
  case $1 in
    *:*) vlan_device=${1#*:} ;;
  esac
  case $vlan_name in
    *.*) vlan_id=${vlan_name##*.} ;;
    *) vlan_id=${vlan_name#vlan} ;;
  esac
  while :; do
    case $vlan_id in
      0?*) vlan_id=${vlan_id#0} ;;
      *) break ;;
    esac
  done
  if ! is_interface_name "$vlan_name" || { [ -n "$vlan_device" ] && ! is_interface_name "$vlan_device"; }; then
    ignore_parameter "vlan=$1" "no interface name"
    vlan_name=''
  elif ! is_number "$vlan_id" || [ "$vlan_id" -lt 1 ] || [ "$vlan_id" -gt 4094 ]; then
    ignore_parameter "vlan=$1" "no VLAN: its number is 1 to 4094"
    vlan_name=''
  fi
}

# choose_stacked_device: $stacked_nic, the device over others that the node boots from; none if ip= or bootdev= names one of the hardware.
choose_stacked_device() {
  case $ip_device in
    '') stacked_nic=${vlan_name:-$bond_name} ;;
    "$vlan_name" | "$bond_name") stacked_nic=$ip_device ;;
    *) stacked_nic='' ;;
  esac
}

# list_stacked_nic: $nics is the device that is wanted, once it is made.
list_stacked_nic() {
  if [ -n "$bond_name" ]; then make_bond; fi
  if [ "$stacked_nic" = "$vlan_name" ]; then make_vlan; fi
  nics=''
  if [ -e "$ROOT/sys/class/net/$stacked_nic" ]; then nics=$stacked_nic; fi
}

# forget_stacked_device: the node goes on with what hardware there is.
forget_stacked_device() {
  bond_name='' vlan_name='' stacked_nic=''
}

# make_bond: once its devices are there, or some of them for $member_timeout s.
make_bond() {
  [ -z "$bonding_directory" ] || return 0
  members='' missing=''
  for nic in $bond_members; do
    if [ -e "$ROOT/sys/class/net/$nic" ]; then members="$members $nic"; else missing="$missing $nic"; fi
  done
  [ -n "$members" ] || return 0
  if [ -n "$missing" ]; then
    seconds_up
    members_deadline=${members_deadline:-$((answer + member_timeout))}
    [ "$answer" -ge "$members_deadline" ] || return 0
    trouble "$bond_name" "no such network device within $member_timeout s:$missing" "a bond of$members"
  fi
  modprobe -q bonding 2>/dev/null
  [ -e "$ROOT/sys/class/net/$bond_name" ] || ip link add name "$bond_name" type bond ||
    die "$bond_name" "the kernel makes no bond: does the initrd have the driver bonding"
  bonding_directory=$ROOT/sys/class/net/$bond_name/bonding
  set_bond_options
  for nic in $members; do
    ip link set dev "$nic" down
    bond_setting slaves "+$nic"
  done
  [ -z "$bond_mtu" ] || ip link set dev "$bond_name" mtu "$bond_mtu" || trouble "$bond_name" "does not take an MTU of $bond_mtu" "going on without"
}

# set_bond_options: the mode first, which most others depend on. Without a way to watch the links a bond would not notice that one is down.
set_bond_options() {
  bond_mode='' bond_watches='' bond_others=''
  for option in $(printf '%s' "$bond_options" | tr , ' '); do
    case $option in
      mode=*) bond_mode=${option#*=} ;;
      *=*)
        bond_others="$bond_others $option"
        case $option in
          miimon=* | arp_interval=*) bond_watches=yes ;;
        esac
        ;;
    esac
  done
  [ -z "$bond_mode" ] || bond_setting mode "$bond_mode"
  [ -n "$bond_watches" ] || bond_setting miimon 100
  for option in $bond_others; do
    case $option in
      arp_ip_target=*)
        for target in $(printf '%s' "${option#*=}" | tr ';' ' '); do bond_setting arp_ip_target "+$target"; done
        ;;
      *) bond_setting "${option%%=*}" "${option#*=}" ;;
    esac
  done
}

# bond_setting NAME VALUE
bond_setting() {
  { printf '%s\n' "$2" >"$bonding_directory/$1"; } 2>/dev/null || trouble "$bond_name" "does not take $1=$2" "going on without"
}

# make_vlan: once the device that it lies on is there.
make_vlan() {
  [ ! -e "$ROOT/sys/class/net/$vlan_name" ] || return 0
  parent=${vlan_device:-$bond_name}
  if [ -z "$parent" ]; then
    list_hardware_nics
    list_linked_nics
    parent=${linked_nics%% *}
  fi
  [ -n "$parent" ] && [ -e "$ROOT/sys/class/net/$parent" ] || return 0
  modprobe -q 8021q 2>/dev/null
  ip link set dev "$parent" up
  ip link add link "$parent" name "$vlan_name" type vlan id "$vlan_id" ||
    die "$vlan_name" "the kernel makes no VLAN on $parent: does the initrd have the driver 8021q"
}

# list_lower_nics NIC: $lower_nics are the devices that it lies over, from the bottom to the top.
list_lower_nics() {
  lower_nics=''
  unvisited=$1
  while [ -n "$unvisited" ]; do
    visited=$unvisited unvisited=''
    for nic in $visited; do
      for lower in "$ROOT/sys/class/net/$nic"/lower_*; do
        [ -e "$lower" ] || continue
        unvisited="$unvisited ${lower##*/lower_}"
      done
    done
    lower_nics="${unvisited# }${unvisited:+${lower_nics:+ }}$lower_nics"
  done
}
