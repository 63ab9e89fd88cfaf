# shellcheck shell=sh
# From the initramfs to the real root: what is mounted and moved, and what is written below /run so that the system which
# takes over leaves the boot device alone and can shut down without its root.

# mount_kernel_file_systems: /run as systemd would mount it, since it keeps the one that it finds.
mount_kernel_file_systems() {
  mount -t proc -o nosuid,noexec,nodev proc "$ROOT/proc"
  mount -t sysfs -o nosuid,noexec,nodev sysfs "$ROOT/sys"
  # Some kernels mount devtmpfs by themselves.
  mount -t devtmpfs -o nosuid,mode=0755 devtmpfs "$ROOT/dev" 2>/dev/null || :
  mount -t tmpfs -o nosuid,nodev,mode=0755,size=20%,nr_inodes=800k tmpfs "$ROOT/run"
  mkdir -p "$ROOT/run/mkroot"
  # More than ten lines in five seconds would be dropped.
  echo on >"$ROOT/proc/sys/kernel/printk_devkmsg" 2>/dev/null || :
}

# prepare_shutdown_root: /run/initramfs, to which systemd-shutdown pivots so that the root itself can be unmounted
# (systemd's "Initrd interface"). The DHCP client lives in it too, and the last resort.
prepare_shutdown_root() {
  (
    cd "$ROOT/run" || exit
    mkdir -p initramfs
    # A mount of its own: sysvinit's scripts forbid programs in /run. Before anything runs in it.
    mount --bind "$ROOT/run/initramfs" "$ROOT/run/initramfs"
    mkdir -p initramfs/bin initramfs/lib initramfs/state initramfs/dev initramfs/proc initramfs/sys initramfs/run initramfs/oldroot initramfs/top
    # /bin may itself be a link, and programs beside busybox are of no use here.
    set -- "$ROOT/bin/busybox" "$ROOT/shutdown"
    for applet in "$ROOT"/bin/*; do
      # shellcheck disable=SC3013 # busybox and dash have it, and asking readlink would be a process for each.
      if [ -L "$applet" ] && [ "$applet" -ef "$ROOT/bin/busybox" ]; then set -- "$@" "$applet"; fi
    done
    cp -a "$@" initramfs/bin/
    # Programs of the root may have taken the names of applets.
    for applet in "$ROOT"/bin/*; do
      applet=initramfs/bin/${applet##*/}
      [ -e "$applet" ] || ln -s busybox "$applet"
    done
    mv initramfs/bin/shutdown initramfs/
    cp -a "$ROOT/lib/mkroot" initramfs/lib/
    ln -s bin initramfs/sbin
    # systemd-shutdown spares processes whose name begins with '@' ("Storage Daemons for the Root File System").
    mkdir -p initramfs/@
    ln -s ../bin/busybox initramfs/@/busybox
    # What a shell in the background reads; a device would be of no use on a file system without devices.
    : >initramfs/dev/null
    # The last resort asks nobody if nothing of the root is on a server.
    : >initramfs/state/servers
  )
}

write_hand_over() {
  mkdir -p "$ROOT/run/systemd/network" "$ROOT/run/NetworkManager/conf.d" "$ROOT/run/network"
  list_lower_nics "$boot_nic"
  write_networkd_configuration
  write_network_manager_configuration
  write_ifupdown_state
  if has_sysvinit; then
    write_sysv_hand_over
  else
    leave_archive_alone
    write_journal_configuration
    write_last_resort poweroff 'poweroff.target halt.target'
    write_last_resort reboot 'reboot.target kexec.target'
  fi
  write_boot_facts
  write_report_state
  hand_over_summary="hostname $node_name, $boot_nic kept"
  [ "$capabilities_restored" -eq 0 ] || hand_over_summary="$hand_over_summary, file capabilities restored: $capabilities_restored"
}

# write_file PATH: standard input becomes the file, without a process.
write_file() {
  while IFS= read -r line; do
    printf '%s\n' "$line"
  done >"$1"
}

# write_networkd_configuration: the device keeps its name and its addresses. It stays managed, with KeepConfiguration=,
# because systemd-networkd-wait-online fails when the only device is unmanaged.
write_networkd_configuration() {
  write_file "$ROOT/run/systemd/network/00-mkroot-boot.link" <<END
[Match]
MACAddress=$nic_address
[Link]
NamePolicy=keep
AlternativeNamesPolicy=database onboard slot path
MACAddressPolicy=none
END
  write_file "$ROOT/run/systemd/network/00-mkroot-boot.network" <<END
[Match]
Name=$boot_nic
[Link]
RequiredForOnline=yes
[Network]
DHCP=no
LinkLocalAddressing=no
IPv6AcceptRA=no
KeepConfiguration=yes
IgnoreCarrierLoss=yes
ConfigureWithoutCarrier=yes
END
  [ -z "$lower_nics" ] || write_file "$ROOT/run/systemd/network/00-mkroot-lower.network" <<END
[Match]
Name=$lower_nics
[Link]
Unmanaged=yes
END
}

# write_network_manager_configuration: by address, whatever the device is called; what lies over others has none of its own.
write_network_manager_configuration() {
  kept_devices=mac:$nic_address
  for nic in ${lower_nics:+$lower_nics $boot_nic}; do kept_devices="$kept_devices,interface-name:=$nic"; done
  write_file "$ROOT/run/NetworkManager/conf.d/00-mkroot-boot.conf" <<END
[device-mkroot-boot]
match-device=$kept_devices
managed=0
END
}

# write_ifupdown_state: for ifup the device is up already; ifdown at power-off must not take it down.
write_ifupdown_state() {
  kept_devices='' excluded_devices=''
  for nic in $lower_nics "$boot_nic"; do
    kept_devices="$kept_devices$nic=$nic
"
    excluded_devices="$excluded_devices --exclude=$nic"
  done
  printf '%s' "$kept_devices" >"$ROOT/run/network/ifstate"
  # By itself the script of sysvinit takes no device down while something is mounted over NFS.
  if has_sysvinit; then return 0; fi
  mkdir -p "$ROOT/run/systemd/system/networking.service.d"
  write_file "$ROOT/run/systemd/system/networking.service.d/50-mkroot-boot.conf" <<END
[Service]
ExecStop=
ExecStop=-/sbin/ifdown -a --read-environment --exclude=lo$excluded_devices
END
}

# leave_archive_alone: what the root is a file of cannot be unmounted while that is in use; systemd need not try.
leave_archive_alone() {
  mkdir -p "$ROOT/run/systemd/system/run-mkroot-archive.mount.d"
  printf '[Unit]\nDefaultDependencies=no\n' >"$ROOT/run/systemd/system/run-mkroot-archive.mount.d/50-mkroot.conf"
}

# write_last_resort VERB TARGETS: a unit whose process learns that the machine goes down by being stopped. systemd stops first
# what was started last, so it is asked before a unit can make PID 1 wait for the server: hence After=. It has nothing to
# execute then.
write_last_resort() {
  mkdir -p "$ROOT/run/systemd/system/multi-user.target.wants"
  write_file "$ROOT/run/systemd/system/mkroot-last-resort-$1.service" <<END
[Unit]
Description=Last resort: $1 when the server of the root is gone
DefaultDependencies=no
IgnoreOnIsolate=yes
RefuseManualStop=yes
Conflicts=$2
After=sysinit.target basic.target network.target remote-fs.target multi-user.target graphical.target
[Service]
ExecStartPre=-/run/initramfs/bin/busybox sh /run/initramfs/lib/mkroot/ready-process-one
ExecStart=@/run/initramfs/bin/busybox @/chroot /run/initramfs @/busybox sh /lib/mkroot/last-resort $1
KillMode=process
StandardOutput=file:/dev/kmsg
StandardError=null
END
  ln -s "../mkroot-last-resort-$1.service" "$ROOT/run/systemd/system/multi-user.target.wants/"
}

# write_boot_facts: /run/mkroot/boot, key=value lines for whoever asks later what this node booted.
write_boot_facts() {
  write_file "$ROOT/run/mkroot/boot" <<END
version=$MKROOT_VERSION
image=$MKROOT_IMAGE
generation=$MKROOT_GENERATION
kernel=$MKROOT_KERNEL
nic=$boot_nic
mac=$node_mac
ip=$node_ip
hostname=$node_name
base=$base_summary
layers=$layers_summary
lowerdir=$lower_directories
persistent=$persistent_summary
END
}

# find_real_init: $real_init. A link is as good as a file: its target is absolute within the new root. A root whose programs
# cannot be executed (unreadable over NFS, another architecture) is told here; the kernel would only panic.
find_real_init() {
  for real_init in ${init_wanted:+"$init_wanted"} /sbin/init /usr/sbin/init /lib/systemd/systemd; do
    if [ -x "$ROOT/sysroot$real_init" ] || [ -L "$ROOT/sysroot$real_init" ]; then
      [ "$real_init" = "${init_wanted:-$real_init}" ] ||
        trouble - "the new root has no program $init_wanted, which init= names" "$real_init"
      try_program
      return 0
    fi
  done
  die - "the new root has no /sbin/init: $base_summary is no root directory"
}

try_program() {
  program_output=$(chroot "$ROOT/sysroot" /bin/true 2>&1)
  # 126 is "found, but not executed"; a root without /bin/true proves nothing.
  [ "$?" -ne 126 ] || die "$base_summary" "programs of the root cannot be executed: ${program_output##*: }"
}

# move_kernel_file_systems: /run takes the layers along.
move_kernel_file_systems() {
  trap - EXIT
  for directory in dev proc sys run; do
    # Copies of a running system often lack some of them.
    [ -d "$ROOT/sysroot/$directory" ] || mkdir -p "$ROOT/sysroot/$directory"
    mount --move "$ROOT/$directory" "$ROOT/sysroot/$directory"
  done
}
