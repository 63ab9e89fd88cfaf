# shellcheck shell=sh
# What the node tells the head node about its boot: a small HTTP message for each line that the console shows, sent in the
# background. Nothing waits for it, and a boot never fails because of it. Read by src/serving/node-report.ts;
# docs/boot-protocol.md has the fields.

report_port_default=7752

# read_report_server VALUE: mkroot.report=ADDRESS[:PORT] into $report_address and $report_port.
read_report_server() {
  report_address=${1%%:*}
  report_port=$report_port_default
  case $1 in
    *:*) report_port=${1#*:} ;;
  esac
  if is_ipv4 "$report_address" && is_number "$report_port" && [ "$report_port" -le 65535 ]; then return 0; fi
  report_address=''
  ignore_parameter "mkroot.report=$1" "no ADDRESS[:PORT]"
}

# report STATE DETAIL: STATE is ok or failed, of the current stage. Before the node has an address there is nobody to tell.
report() {
  [ -n "${report_address:-}" ] && [ -n "${node_mac:-}" ] || return 0
  one_line "$2"
  shorten "$answer" "$longest_line"
  report_fields
  send_report "$report_text
uptime=$report_uptime
stage=$stage
name=$stage_name
state=$1
detail=$answer" "$1" >/dev/null 2>&1 &
}

# report_fields: $report_text is what does not change from report to report, $report_uptime the seconds since the kernel
# started.
report_fields() {
  if [ -d "$ROOT/sys/firmware/efi" ]; then report_firmware=uefi; else report_firmware=bios; fi
  report_boot=${report_boot:-$(cat "$ROOT/proc/sys/kernel/random/boot_id" 2>/dev/null)}
  report_uptime=0
  { read -r report_uptime _ <"$ROOT/proc/uptime"; } 2>/dev/null
  report_text="mkroot-report=1
boot=$report_boot
node=${node_name:-}
mac=$node_mac
ip=$node_ip
image=$MKROOT_IMAGE
generation=$MKROOT_GENERATION
firmware=$report_firmware
base=${base_summary:-}
layers=${layers_summary:-}"
}

# write_report_state: what report-state needs when this file system is gone.
write_report_state() {
  [ -n "${report_address:-}" ] || return 0
  report_fields
  printf '%s %s\n' "$report_address" "$report_port" >"$ROOT/run/initramfs/state/report-to"
  printf '%s\n' "$report_text" >"$ROOT/run/initramfs/state/report"
  # Its inittab has a line for this.
  if has_sysvinit; then return 0; fi
  mkdir -p "$ROOT/run/systemd/system/multi-user.target.wants"
  write_file "$ROOT/run/systemd/system/mkroot-report.service" <<END
[Unit]
Description=Tell the head node that this node is up
DefaultDependencies=no
IgnoreOnIsolate=yes
Conflicts=shutdown.target
After=multi-user.target
[Service]
ExecStart=-/run/initramfs/bin/busybox sh /run/initramfs/lib/mkroot/report-state up /run/initramfs
StandardOutput=null
StandardError=null
END
  ln -s ../mkroot-report.service "$ROOT/run/systemd/system/multi-user.target.wants/"
}
