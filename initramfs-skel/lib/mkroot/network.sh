# shellcheck shell=sh
# Which network device to boot from: the one BOOTIF names, else the one ip= or bootdev= names, else every one with a link.

device_timeout=180
carrier_timeout=60

# list_nics: $nics are the devices that the boot may use now: one that lies over others, or hardware.
list_nics() {
  choose_stacked_device
  if [ -n "$stacked_nic" ]; then list_stacked_nic; else list_hardware_nics; fi
}

# list_hardware_nics: $nics are the physical Ethernet and InfiniBand devices.
list_hardware_nics() {
  nics=''
  for device in "$ROOT"/sys/class/net/*; do
    # Bridges, tunnels and lo have no hardware behind them.
    [ -e "$device/device" ] || continue
    nic=${device##*/}
    is_interface_name "$nic" || continue
    if [ -n "$boot_mac" ]; then
      read -r address <"$device/address" || continue
      normalise_mac "$address"
      [ "$answer" = "$boot_mac" ] || continue
    elif [ -n "$ip_device" ] && [ "$ip_device" != "$stacked_nic" ]; then
      [ "$nic" = "$ip_device" ] || continue
    fi
    nics="$nics${nics:+ }$nic"
  done
}

# list_linked_nics: brings every device of $nics up once; $linked_nics are those with a carrier.
list_linked_nics() {
  linked_nics=''
  for nic in $nics; do
    case " $raised_nics " in
      *" $nic "*) ;;
      *)
        ip link set dev "$nic" up 2>/dev/null
        raised_nics="$raised_nics $nic"
        ;;
    esac
    carrier=0
    # Reading carrier is an error while a device is down.
    { read -r carrier <"$ROOT/sys/class/net/$nic/carrier"; } 2>/dev/null
    if [ "$carrier" = 1 ]; then linked_nics="$linked_nics${linked_nics:+ }$nic"; fi
  done
}

# start_links: as soon as the drivers are there; while the link comes up (2 s are usual) other work goes on.
start_links() {
  raised_nics=''
  list_nics
  list_linked_nics
}

# wait_for_device: until one device has a link. Switches with spanning tree take half a minute to let a link through.
wait_for_device() {
  seconds_up
  device_deadline=$((answer + device_timeout))
  carrier_deadline=''
  named_drivers_at=$((answer + 3))
  [ -z "$parameter_problems" ] || trouble "command line" "ignored: $parameter_problems" "going on without"
  while :; do
    list_nics
    list_linked_nics
    [ -z "$linked_nics" ] || break
    seconds_up
    if [ -z "$nics" ]; then
      await_hardware "$answer"
    elif [ -z "$carrier_deadline" ]; then
      carrier_deadline=$((answer + carrier_timeout))
    elif [ "$answer" -ge "$carrier_deadline" ]; then
      die "$nics" "no link within $carrier_timeout s"
    fi
    sleep 0.05
  done
  describe_nics
}

# await_hardware NOW: one turn of waiting for a device to appear.
await_hardware() {
  if [ -n "$named_drivers_at" ] && [ "$1" -ge "$named_drivers_at" ]; then
    named_drivers_at=''
    load_named_drivers
  else
    coldplug
  fi
  [ "$1" -ge "$device_deadline" ] || return 0
  wanted_nic=${stacked_nic:-${boot_mac:-$ip_device}}
  if [ -n "$wanted_nic" ]; then
    trouble "$wanted_nic" "no such network device within $device_timeout s" "any network device"
    boot_mac='' ip_device=''
    forget_stacked_device
    device_deadline=$(($1 + carrier_timeout))
  else
    die - "no network device within $device_timeout s"
  fi
}

# describe_nics: $device_summary, such as "eth0 52:54:00:12:34:56 e1000" or "vlan5 52:54:00:12:34:56 over eth0".
describe_nics() {
  device_summary=''
  for nic in $linked_nics; do
    if [ "$nic" = "$stacked_nic" ]; then
      list_lower_nics "$nic"
      nic=$stacked_nic driver="over $lower_nics"
    else
      driver=$(readlink "$ROOT/sys/class/net/$nic/device/driver") || driver=unknown
    fi
    read -r address <"$ROOT/sys/class/net/$nic/address" || address=unknown
    device_summary="$device_summary${device_summary:+, }$nic $address ${driver##*/}"
  done
}
