# shellcheck shell=sh
# Lab only. The end of self-check.sh on a node that stays up while something happens to its head node: it looks at its layers
# again and again, and each look reads them anew from the server:
#   look-N=pass DETAIL     as at the first look
#   look-N=fail DETAIL     what is different
# The lab switches it off in the end.

# Read by self-check.sh when it ends.
# shellcheck disable=SC2034
STAY_UP=yes

# Digest of what the layers hold; of the base, which is large, the first programs.
look_at_layers() {
	echo 3 >"$ROOT/proc/sys/vm/drop_caches"
	for layer in $EXPECT_LAYERS; do
		if [ "$layer" = base ]; then
			find "$ROOT/run/mkroot/base/usr/bin/" -type f 2>&1 | sort | head -n 20
		else
			find "$ROOT/run/mkroot/$layer" -type f 2>&1 | sort
		fi
	done | while read -r file; do sha256sum "$file" 2>&1; done | sha256sum | cut -d ' ' -f 1
}

number=1
first=$(look_at_layers)
report "look-$number" pass "$first"
while sleep 2; do
	number=$((number + 1))
	now=$(look_at_layers)
	failed=$(systemctl list-units --failed --plain --no-legend 2>&1 | cut -d ' ' -f 1)
	if [ "$now" != "$first" ]; then
		report "look-$number" fail "its layers read as $now, before as $first"
	elif [ -n "$failed" ]; then
		report "look-$number" fail "failed units: $failed"
	else
		report "look-$number" pass "$now"
	fi
done
