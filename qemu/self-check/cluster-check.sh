# shellcheck shell=sh
# Lab only. Part of self-check.sh on a node of a cluster: is it itself, and does it see what is its own and nothing else?
# What is expected stands in files beside this one, a line each:
#   mounts      LAYER PATH               layer below /run/mkroot, and the directory of the server that it is; `image` for one file,
#                                        `memory` for a copy that needs no server
#   files       LAYER SEEN SHA256 PATH   file of a layer; SEEN yes: the node sees it too, no other layer has one over it
#   whiteouts   PATH                     is in the base, and hidden
#   keys        SHA256 PATH              the node's own ssh host keys
#   machine-id
#   own         SERVER PATH              what the node itself may mount
#   others      NODE SERVER PATH         what it may not
#   persistent  PATH ro|rw TOKEN BOOTS   outlives reboots; in one that is rw .mkroot-lab/planted holds TOKEN, and the node's own
#                                        file beside it a line of each of its BOOTS before

facts=$ROOT/etc/mkroot-self-check
lab_busybox=$ROOT/run/initramfs/bin/busybox

digest() {
	sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1
}

check_layer() {
	# $1 layer, $2 path on the server
	# shellcheck disable=SC2046 # three words by construction
	set -- "$1" "$2" $(mount_at "/run/mkroot/$1")
	case $2:${3:-}:${4:-} in
		image:*:squashfs | image:*:erofs | memory:"mkroot-$1":tmpfs | /*:*:"$2":nfs*) ;;
		*)
			report "layer-$1" fail "${3:-nothing} is mounted, expected $2"
			return
			;;
	esac
	compared=0
	while read -r layer seen sum path; do
		[ "$layer" = "$1" ] || continue
		for file in "$ROOT/run/mkroot/$1$path" "$ROOT$path"; do
			[ "$seen" = yes ] || [ "$file" != "$ROOT$path" ] || continue
			if [ "$(digest "$file")" != "$sum" ]; then
				report "layer-$1" fail "$file is not as it is on the server"
				return
			fi
			compared=$((compared + 1))
		done
	done <"$facts/files"
	report "layer-$1" pass "$3, $compared files compared"
}

check_whiteouts() {
	hidden=''
	while read -r path; do
		if [ ! -e "$ROOT/run/mkroot/base$path" ] && [ ! -L "$ROOT/run/mkroot/base$path" ]; then
			report whiteouts fail "$path is not in the base"
			return
		fi
		if [ -e "$ROOT$path" ] || [ -L "$ROOT$path" ]; then
			report whiteouts fail "$path can be seen"
			return
		fi
		hidden="$hidden $path"
	done <"$facts/whiteouts"
	report whiteouts pass "hidden:$hidden"
}

check_keys() {
	good=''
	while read -r sum path; do
		mode=$(stat -c '%a %u' "$ROOT$path" 2>/dev/null)
		if [ "$mode" != '600 0' ]; then
			report ssh-host-keys fail "$path: mode and owner ${mode:-missing}"
			return
		fi
		if [ "$(digest "$ROOT$path")" != "$sum" ]; then
			report ssh-host-keys fail "$path is not this node's"
			return
		fi
		good="$good ${path##*/}"
	done <"$facts/keys"
	report ssh-host-keys pass "its own, 0600:$good"
}

check_machine_id() {
	seen=$(cat "$ROOT/etc/machine-id")
	wanted=$(cat "$facts/machine-id")
	if [ "$seen" = "$wanted" ]; then report machine-id pass "$seen"; else report machine-id fail "$seen, expected $wanted"; fi
}

# Mounts $3 of server $2 at the lab's mount point by NFS version $1, with what the initramfs left: the root may lack mount.nfs.
lab_mount() {
	timeout 90 "$lab_busybox" mount -t nfs \
		-o "ro,soft,timeo=50,retrans=2,tcp,nolock,vers=$1,clientaddr=0.0.0.0" "$2:$3" "$lab_mount_point" >/dev/null 2>&1
}

# Versions by which the server gives this node what is its own. Only with those does a refusal mean anything.
versions_that_work() {
	working=''
	for version in 3 4.1; do
		while read -r server path; do
			lab_mount "$version" "$server" "$path" || continue
			if [ -n "$(ls -A "$lab_mount_point")" ]; then working="$working $version"; fi
			umount "$lab_mount_point"
		done <"$facts/own"
	done
}

check_others_are_refused() {
	lab_mount_point=$ROOT/run/mkroot-self-check
	mkdir -p "$lab_mount_point"
	versions_that_work
	if [ -z "$working" ]; then
		report others-refused fail 'the node cannot mount what is its own either'
		return
	fi
	tried=''
	while read -r other server path; do
		for version in $working; do
			if lab_mount "$version" "$server" "$path"; then
				umount "$lab_mount_point"
				report others-refused fail "mounted $path of $other by NFS v$version"
				return
			fi
			# Version 4 has one tree of all exports: what cannot be mounted may perhaps be walked to.
			case $version in
				4*) if lab_mount "$version" "$server" /; then
					names=$(ls -A "$lab_mount_point$path" 2>/dev/null)
					umount "$lab_mount_point"
					if [ -n "$names" ]; then
						report others-refused fail "$path of $other can be read from the root of NFS v$version"
						return
					fi
				fi ;;
			esac
		done
		case " $tried " in *" $other "*) ;; *) tried="$tried $other" ;; esac
	done <"$facts/others"
	report others-refused pass "directories of$tried refused by NFS v$(printf '%s' "${working# }" | sed 's/ / and v/g')"
}

check_persistent() {
	# $1 path, $2 ro or rw, $3 token, $4 boots before
	# shellcheck disable=SC2046 # three words by construction
	set -- "$1" "$2" "$3" "$4" $(mount_at "$1")
	name=persistent$(printf '%s' "$1" | tr / -)
	case ${6:-} in
		nfs*) ;;
		*)
			report "$name" fail "${6:-nothing} is mounted at $1"
			return
			;;
	esac
	planted=$3
	if [ "$2" = rw ]; then planted=$(cat "$ROOT$1/.mkroot-lab/planted" 2>&1); fi
	written=$ROOT$1/.mkroot-lab/$EXPECT_HOSTNAME
	if [ "$2" = ro ]; then written=$ROOT$1/.mkroot-lab-$EXPECT_HOSTNAME; fi
	lines=$(grep -c '' "$written" 2>/dev/null)
	if [ "$planted" != "$3" ]; then
		report "$name" fail "does not show what the server has: $planted"
	elif [ "$2" = rw ] && [ "${lines:-0}" != "$4" ]; then
		report "$name" fail "has ${lines:-0} lines of the $4 boots before"
	elif [ "$2" = ro ] && (: >"$written") 2>/dev/null; then
		report "$name" fail 'can be written to'
	elif [ "$2" = rw ] && ! { echo "$3 $EXPECT_HOSTNAME" >>"$written" && sync "$written"; }; then
		report "$name" fail 'cannot be written to'
	else
		report "$name" pass "$5"
	fi
}

while read -r layer path; do check_layer "$layer" "$path"; done <"$facts/mounts"
if [ -s "$facts/whiteouts" ]; then check_whiteouts; fi
check_keys
check_machine_id
if [ -s "$facts/others" ]; then check_others_are_refused; fi
while read -r path access token boots; do check_persistent "$path" "$access" "$token" "$boots"; done <"$facts/persistent"
