#!/bin/sh
# Lab only. Looks at a node that mkroot booted and reports over its second serial port, one key=value per line:
#   begin=SECONDS          uptime when the check started, that is at multi-user
#   NAME=pass DETAIL       a check that holds
#   NAME=fail DETAIL       a check that does not
#   end=SECONDS            nothing more will come
# Then it powers the node off. What is expected stands in expected.sh beside this file; $ROOT is for tests.

: "${ROOT:=}"
: "${SETTLE:=60}"

# A scenario sets it when it switches the node off itself.
STAY_UP=''
# Set by expected.sh: device for the report; host name; layer names, topmost first; modules that must load.
REPORT='' EXPECT_HOSTNAME='' EXPECT_LAYERS='' EXPECT_MODULES=''

report() {
	# $1 name, $2 pass or fail, $3 detail on one line
	printf '%s=%s %s\n' "$1" "$2" "$(printf '%s' "$3" | tr '\n\t' '  ' | cut -c 1-900)" >&3
}

uptime_seconds() {
	cut -d ' ' -f 1 "$ROOT/proc/uptime"
}

# Fields of the last mount at mount point $1: device, type and options.
mount_at() {
	awk -v at="$1" '$2 == at { found = $1 " " $3 " " $4 } END { if (found != "") print found }' "$ROOT/proc/mounts"
}

check_root_is_overlay() {
	set -f
	# shellcheck disable=SC2046 # three words by construction
	set -- $(mount_at /)
	set +f
	case ${2:-unknown} in
		overlay | fuse.unionfs) report root-is-overlay pass "${1:-}" ;;
		*) report root-is-overlay fail "type ${2:-unknown}" ;;
	esac
}

check_layers_in_order() {
	lower=$(mount_at / | sed -n 's/.*[ ,]lowerdir=\([^, ]*\).*/\1/p')
	# unionfs-fuse has its layers on its own command line.
	[ -n "$lower" ] || lower=$(cat "$ROOT"/proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | sed -n 's/=RO//g; s/^\/rw[^:]*=RW://p' | head -n 1)
	seen=''
	wanted=''
	IFS=:
	set -f
	for directory in $lower; do
		[ -z "$directory" ] && continue
		seen="$seen ${directory##*/}"
	done
	IFS=' '
	for layer in $EXPECT_LAYERS; do
		wanted="$wanted $layer"
		if [ -z "$(mount_at "/run/mkroot/$layer")" ]; then
			report layers-in-order fail "nothing is mounted at /run/mkroot/$layer"
			unset IFS
			set +f
			return
		fi
	done
	unset IFS
	set +f
	top=$(cat "$ROOT/etc/mkroot-self-check/layer" 2>/dev/null)
	if [ "$seen" != "$wanted" ]; then
		report layers-in-order fail "lowerdir=$lower, expected$wanted"
	elif [ "$top" != "${EXPECT_LAYERS%% *}" ]; then
		report layers-in-order fail "the merged tree shows the file of layer '$top', not of '${EXPECT_LAYERS%% *}'"
	else
		report layers-in-order pass "$lower"
	fi
}

check_base_is_read_only() {
	# shellcheck disable=SC2046 # three words by construction
	set -- $(mount_at /run/mkroot/base)
	case ",${3:-}," in
		*,ro,*) ;;
		*)
			report base-is-read-only fail "mounted ${3:-nowhere}"
			return
			;;
	esac
	# In a subshell: a redirection that fails ends the shell that runs a special built-in.
	if (: >"$ROOT/run/mkroot/base/.mkroot-self-check") 2>/dev/null; then
		report base-is-read-only fail 'a file could be made in it'
	else
		report base-is-read-only pass "${1:-} ${2:-}"
	fi
}

check_writing_works() {
	base=$ROOT/run/mkroot/base
	new=$ROOT/etc/mkroot-self-check/written
	changed=$ROOT/usr/lib/os-release
	gone=$ROOT/etc/debian_version
	if ! { echo new >"$new" && mv "$new" "$new.moved" && [ "$(cat "$new.moved")" = new ]; }; then
		report writing-works fail "cannot make and rename $new"
	elif ! { echo '# changed' >>"$changed" && grep -q '^# changed$' "$changed"; }; then
		report writing-works fail "cannot append to $changed, which the base brings"
	elif grep -q '^# changed$' "$base/usr/lib/os-release"; then
		report writing-works fail 'a change went through to the base'
	elif [ -e "$gone" ] && ! { rm "$gone" && [ ! -e "$gone" ]; }; then
		report writing-works fail "cannot remove $gone, which the base brings"
	elif [ -z "$(mount_at /run/mkroot/rw)" ]; then
		report writing-works fail 'nothing is mounted at /run/mkroot/rw'
	else
		report writing-works pass 'made, renamed, appended, removed'
	fi
}

check_hostname() {
	name=$(cat "$ROOT/proc/sys/kernel/hostname")
	if [ "$name" = "$EXPECT_HOSTNAME" ]; then report hostname pass "$name"; else report hostname fail "$name, expected $EXPECT_HOSTNAME"; fi
}

# Process 1 of sysvinit calls itself init, that of systemd systemd. That there is a systemctl proves nothing: udev brings one.
runs_sysvinit() {
	[ "$(cat "$ROOT/proc/1/comm" 2>/dev/null)" = init ]
}

# Of sysvinit: every script of the level has ended. What they say is on the console only.
check_run_level() {
	waited=0
	while grep -q -s -a '/etc/init.d/rc' "$ROOT"/proc/[0-9]*/cmdline; do
		waited=$((waited + 1))
		if [ "$waited" -gt "$SETTLE" ]; then
			report no-failed-units fail 'the scripts of the run level have not ended'
			return
		fi
		sleep 1
	done
	# As init tells its children; runlevel(8) wants a utmp that trixie does not keep.
	level="${PREVLEVEL:-} ${RUNLEVEL:-}"
	if [ "$level" = 'N 2' ]; then report no-failed-units pass "run level $level"; else report no-failed-units fail "run level $level"; fi
}

check_no_failed_units() {
	if runs_sysvinit; then
		check_run_level
		return
	fi
	state=$(timeout "$SETTLE" systemctl is-system-running --wait 2>&1)
	failed=$(systemctl list-units --failed --plain --no-legend 2>&1 | cut -d ' ' -f 1)
	if [ -n "$failed" ]; then
		report no-failed-units fail "$failed"
	elif [ "$state" != running ]; then
		report no-failed-units fail "the system is '$state': $(systemctl list-jobs --plain --no-legend 2>&1 | head -n 5)"
	else
		report no-failed-units pass "$state"
	fi
}

check_module() {
	if ! plan=$(modprobe --dry-run --verbose "$1" 2>&1); then
		report "module-$1" fail "$plan"
	elif ! loaded=$(modprobe "$1" 2>&1); then
		report "module-$1" fail "does not load: $loaded"
	else
		file=$(modinfo -F filename "$1" 2>/dev/null)
		report "module-$1" pass "loads, ${file:-built in}"
	fi
}

# However the check ends, the lab learns of it and the node goes down, unless somebody else sees to that.
finish() {
	printf 'end=%s\n' "$(uptime_seconds)" >&3
	[ -z "$ROOT$STAY_UP" ] || return 0
	if runs_sysvinit; then poweroff; else systemctl poweroff --no-block; fi
}

# shellcheck source=/dev/null
. "$ROOT/etc/mkroot-self-check/expected.sh"
exec 3>"$REPORT"
trap finish EXIT
printf 'begin=%s\n' "$(uptime_seconds)" >&3
check_no_failed_units
check_root_is_overlay
check_layers_in_order
check_base_is_read_only
# Before anything is written: it compares what the node sees with what the server has.
if [ -e "$ROOT/etc/mkroot-self-check/cluster-check.sh" ]; then
	# shellcheck source=qemu/self-check/cluster-check.sh
	. "$ROOT/etc/mkroot-self-check/cluster-check.sh"
fi
check_writing_works
check_hostname
for module in $EXPECT_MODULES; do check_module "$module"; done
if [ -e "$ROOT/etc/mkroot-self-check/scenario.sh" ]; then
	# shellcheck source=/dev/null
	. "$ROOT/etc/mkroot-self-check/scenario.sh"
fi
