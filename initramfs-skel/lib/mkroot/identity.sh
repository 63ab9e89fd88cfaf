# shellcheck shell=sh
# Who the node is: its name and its machine-id, the same at every boot and never shared with another node.

# choose_hostname: $node_name; the command line before ip= before DHCP. A name from the network that is not a host name is
# refused whole: what is left of "$(reboot)" after cutting would be somebody else's name.
choose_hostname() {
  node_name=''
  for candidate in "$hostname_wanted" "$ip_hostname" "$lease_hostname"; do
    [ -n "$candidate" ] || continue
    if is_hostname "$candidate"; then
      node_name=$candidate
      break
    fi
    trouble "hostname" "\"$candidate\" is no host name" "trying the next source"
  done
  if [ -n "$node_name" ]; then hostname "$node_name"; fi
}

# has_own FILE: does the host layer, the only one that is this node's, bring it?
has_own() {
  [ -s "$ROOT/run/mkroot/host/$1" ]
}

# replace_file PATH MODE: standard input becomes the file in the new root; a link that a layer put there is not followed.
replace_file() {
  rm -f "$ROOT/sysroot$1"
  cat >"$ROOT/sysroot$1"
  chmod "$2" "$ROOT/sysroot$1"
}

write_identity() {
  write_hostname
  write_machine_id
  drop_root_from_fstab
}

# write_hostname: a host layer's own /etc/hostname counts more than DHCP, less than the command line. Shared layers carry
# the name of the machine that built them, which is never right.
write_hostname() {
  if [ -z "$hostname_wanted$ip_hostname" ] && has_own etc/hostname; then
    read -r own_name <"$ROOT/run/mkroot/host/etc/hostname" || :
    if is_hostname "$own_name"; then node_name=$own_name; fi
  fi
  if [ -z "$node_name" ]; then node_name=node-$(printf '%s' "${node_mac:-$node_ip}" | tr -d : | tr . -); fi
  hostname "$node_name"
  printf '%s\n' "$node_name" | replace_file /etc/hostname 0644
}

# write_machine_id: derived from the boot device's MAC (of one without, from the node's address), so stable and unlike any other node's; a hash, because systemd wants
# it not to be guessed from the network (machine-id(5)). A host layer may bring its own.
write_machine_id() {
  has_own etc/machine-id && return 0
  machine_id=$(printf 'mkroot machine-id %s\n' "${node_mac:-$node_ip}" | sha256sum | cut -c 1-32)
  printf '%s\n' "$machine_id" | replace_file /etc/machine-id 0444
}

# drop_root_from_fstab: an entry for / names a disk that this node does not have; systemd-remount-fs would fail on it.
drop_root_from_fstab() {
  fstab=$ROOT/sysroot/etc/fstab
  [ -f "$fstab" ] && [ ! -L "$fstab" ] || return 0
  awk '$1 !~ /^#/ && $2 == "/" { found = 1 } END { exit !found }' "$fstab" || return 0
  kept=$(awk '$1 ~ /^#/ || $2 != "/"' "$fstab")
  printf '%s\n' "$kept" | replace_file /etc/fstab 0644
}
