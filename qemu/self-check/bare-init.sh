#!/bin/sh
# Lab only: process 1 of a scenario with `init: guest`. Runs the scenario's script in the merged root without the system's own init,
# reports like the self-check, and powers the node off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Set by expected.sh.
REPORT=''

report() {
	# $1 name, $2 pass or fail, $3 detail on one line
	printf '%s=%s %s\n' "$1" "$2" "$(printf '%s' "$3" | tr '\n\t' '  ' | cut -c 1-900)" >&3
}

# shellcheck source=/dev/null
. /etc/mkroot-self-check/expected.sh
exec 3>"$REPORT"
printf 'begin=%s\n' "$(cut -d ' ' -f 1 /proc/uptime)" >&3
# In a process of its own: whatever becomes of it, the node ends.
(
	# shellcheck source=/dev/null
	. /etc/mkroot-self-check/scenario.sh
)
printf 'end=%s\n' "$(cut -d ' ' -f 1 /proc/uptime)" >&3
# What was written to a server, and only that. umount(8) would ask a helper of nfs-utils.
busybox=/run/initramfs/bin/busybox
awk '$3 ~ /^nfs/ && $4 ~ /^rw/ { print $2 }' /proc/mounts | while read -r point; do "$busybox" umount "$point"; done
exec "$busybox" poweroff -f -n
