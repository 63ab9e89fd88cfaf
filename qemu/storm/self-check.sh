#!/bin/sh
# Lab only. What a node of a storm reports over its second serial port when it is at multi-user, in the words of
# ../self-check/self-check.sh, and nothing more: eight emulated nodes that check themselves would measure the checks.
#   begin=SECONDS            uptime
#   nfs-requests=pass COUNT  remote procedure calls of all NFS mounts so far, by the kernel's own count
#   end=SECONDS

: "${ROOT:=}"
REPORT=''

uptime_seconds() {
	cut -d ' ' -f 1 "$ROOT/proc/uptime"
}

# Per operation: its name, requests, transmissions and so on (nfs-utils, mountstats). Mounts that share a server's
# connection count their own requests only.
nfs_requests() {
	awk '/^device / { nfs = / with fstype nfs/; counting = 0 }
		nfs && counting && $1 ~ /:$/ { sum += $2 }
		/per-op statistics/ { counting = 1 }
		END { print sum + 0 }' "$ROOT/proc/self/mountstats"
}

# shellcheck source=/dev/null
. "$ROOT/etc/mkroot-self-check/expected.sh"
exec 3>"$REPORT"
printf 'begin=%s\n' "$(uptime_seconds)" >&3
printf 'nfs-requests=pass %s\n' "$(nfs_requests)" >&3
printf 'end=%s\n' "$(uptime_seconds)" >&3
