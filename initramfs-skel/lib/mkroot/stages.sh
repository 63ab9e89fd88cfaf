# shellcheck shell=sh
# The stages of the boot and the one form in which they are told. src/netboot/boot-stages.ts holds the same table for the
# host's side; a unit test keeps the two equal.

# stage_name_of NUMBER: $answer is the stage's name.
stage_name_of() {
  case $1 in
    10) answer=start ;;
    20) answer=modules ;;
    30) answer=device ;;
    40) answer=dhcp ;;
    50) answer=base ;;
    60) answer=layers ;;
    70) answer=overlay ;;
    75) answer=persistent ;;
    80) answer=hand-over ;;
    90) answer=switch-root ;;
    *) answer=unknown ;;
  esac
}

# is_stage TEXT: the number or name of a stage.
is_stage() {
  for stage_number in 10 20 30 40 50 60 70 75 80 90; do
    stage_name_of "$stage_number"
    if [ "$1" = "$stage_number" ] || [ "$1" = "$answer" ]; then return 0; fi
  done
  return 1
}

# enter_stage NUMBER: what is said from now on belongs to this stage; stops for a shell where rd.break= asks for it.
enter_stage() {
  stage=$1
  stage_name_of "$1"
  stage_name=$answer
  if [ "${break_before:-}" = "$stage_name" ] || [ "${break_before:-}" = "$stage" ]; then
    open_shell "rd.break: before stage $stage $stage_name"
  fi
}

# A write of more bytes to /dev/kmsg fails, and nothing is shown at all: 992 with the line's end on Linux 6.1, 1,024 on 6.12.
longest_line=900

# find_consoles: once, before the first line. $console_level hides what is not more severe; files of /proc/sys can only be
# read whole, which the shell's read does not do.
find_consoles() {
  console_level=$(cat "$ROOT/proc/sys/kernel/printk" 2>/dev/null)
  console_level=${console_level%%[!0-9]*}
  console_level=${console_level:-0}
  consoles=$(cat "$ROOT/sys/class/tty/console/active" 2>/dev/null)
  consoles=${consoles:-console}
}

# print_line LEVEL TEXT: one line on every console and in the kernel's log, LEVEL being a syslog severity. The kernel's
# printk writes a line whole, between its own lines; only when its console level hides LEVEL are the consoles written to.
print_line() {
  one_line "$2"
  shorten "$answer" "$((longest_line - 3))"
  printf '<%s>%s\n' "$1" "$answer" >>"$ROOT/dev/kmsg"
  [ "$console_level" -le "$1" ] || return 0
  for console in $consoles; do
    printf '%s\n' "$answer" >>"$ROOT/dev/$console"
  done 2>/dev/null
  return 0
}

# say DETAIL: the current stage reached its end, or something happened within it.
say() {
  print_line 5 "mkroot: [$stage] $stage_name: $1"
  report ok "$1"
}

# trouble SERVER MESSAGE NEXT: something failed and NEXT is what happens now. SERVER may be '-' if none is involved.
trouble() {
  print_line 3 "mkroot: FAILED [$stage] $stage_name: $1 $2; next: $3"
  report failed "$1 $2; next: $3"
}
