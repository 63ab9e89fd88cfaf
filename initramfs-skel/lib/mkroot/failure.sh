# shellcheck shell=sh
# How a boot that cannot go on ends: one line that says so, then a reboot after a jittered delay. A shell only if asked.

# die SERVER MESSAGE: never returns.
die() {
  trap - EXIT
  if [ -n "${shell_on_failure:-}" ]; then
    trouble "$1" "$2" "a shell (rd.shell), then reboot"
    open_shell "rd.shell"
    restart_machine
  fi
  delay=${panic_delay:-30}
  case $delay in
    0)
      trouble "$1" "$2" "nothing (panic=0), the machine stays like this"
      while :; do sleep 3600; done
      ;;
    -*) delay=0 ;;
    *)
      random_below "$((delay / 2 + 1))"
      delay=$((delay + answer))
      ;;
  esac
  trouble "$1" "$2" "reboot in $delay s"
  sleep "$delay"
  restart_machine
}

# stopped_unexpectedly: process 1 must not end, the kernel would panic without a word about why.
stopped_unexpectedly() {
  die - "/init stopped unexpectedly (a defect of mkroot)"
}

restart_machine() {
  reboot -n -f
  # Only if the reboot call itself fails.
  while :; do sleep 3600; done
}

# open_shell WHY: an interactive shell on the console; goes on when it is left.
open_shell() {
  print_line 3 "mkroot: shell on the console ($1); exit goes on"
  # cttyhack finds the real terminal behind /dev/console, which init already has as its standard files.
  setsid cttyhack sh || :
}
