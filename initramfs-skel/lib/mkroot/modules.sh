# shellcheck shell=sh
# Kernel modules: drivers by what the hardware says it is (modalias), the rest by name.
# busybox modprobe follows modules.dep and modules.alias, but knows no softdep; that is done here.

known_aliases=''

# load_device_modules: the NIC drivers, so that links come up while the rest is still loading.
load_device_modules() {
  soft_dependencies=$ROOT/lib/modules/$MKROOT_KERNEL/modules.softdep
  load_soft_dependencies pre
  coldplug
  load_soft_dependencies post
}

# load_other_modules: what the image always needs (overlay, NFS).
load_other_modules() {
  # shellcheck disable=SC2086 # A list of names, written by the builder.
  modprobe -a -q $MKROOT_MODULES
}

# coldplug: modprobe for every device's alias. A bus driver that loads makes new devices, so until there are no new ones;
# nothing is done when nothing is new, so it is cheap to call again while waiting.
coldplug() {
  while :; do
    aliases=$(cat "$ROOT"/sys/bus/*/devices/*/modalias 2>/dev/null | sort -u)
    [ "$aliases" = "$known_aliases" ] && return 0
    known_aliases=$aliases
    # An alias holds no blanks, but may hold '*' or '[': no globbing.
    set -f
    # shellcheck disable=SC2086
    modprobe -a -q $aliases 2>/dev/null
    set +f
  done
  return 0
}

# load_soft_dependencies pre|post: "softdep NAME pre: a b post: c". The image holds few modules, so every pre is loaded;
# a post only if its module is.
load_soft_dependencies() {
  [ -s "$soft_dependencies" ] || return 0
  set -f
  while read -r keyword name words; do
    [ "$keyword" = softdep ] || continue
    if [ "$1" = post ] && ! grep_module "$name"; then continue; fi
    side=''
    for word in $words; do
      case $word in
        pre: | post:) side=$word ;;
        *) if [ "$side" = "$1:" ]; then modprobe -q "$word" 2>/dev/null; fi ;;
      esac
    done
  done <"$soft_dependencies"
  set +f
}

# grep_module NAME: is it loaded? The kernel writes names with underscores.
grep_module() {
  while read -r loaded _; do
    case $1 in
      "$loaded") return 0 ;;
      *-*) [ "$(printf '%s' "$1" | tr - _)" = "$loaded" ] && return 0 ;;
    esac
  done <"$ROOT/proc/modules"
  return 1
}

# load_named_drivers: the drivers that were asked for, by name: for hardware that has no alias of its own.
load_named_drivers() {
  # shellcheck disable=SC2086 # A list of names, written by the builder.
  [ -z "$MKROOT_NIC_MODULES" ] || modprobe -a -q $MKROOT_NIC_MODULES 2>/dev/null
  coldplug
}
