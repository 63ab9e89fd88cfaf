# shellcheck shell=sh
# The journal of a node whose writable top is memory: in memory once, not twice, and little of it.

# KiB; journald's own limit is a tenth of /run, up to 4 GiB.
journal_limit=65536

# write_journal_configuration: a site's own drop-in comes after this one and wins. Where /var/log lasts (a disk, an image, a persistent
# path), where the journal is kept is left to the root.
write_journal_configuration() {
  memory_total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' "$ROOT/proc/meminfo")
  journal_size=$journal_limit
  if is_number "$memory_total" && [ "$((memory_total / 50))" -lt "$journal_limit" ]; then
    journal_size=$((memory_total / 50))
  fi
  mkdir -p "$ROOT/run/systemd/journald.conf.d"
  {
    printf '[Journal]\nRuntimeMaxUse=%sK\n' "$journal_size"
    if top_is_memory && ! log_lasts; then printf 'Storage=volatile\n'; fi
  } >"$ROOT/run/systemd/journald.conf.d/00-mkroot.conf"
}

top_is_memory() {
  case ${top_wanted:-tmpfs} in
    tmpfs*) return 0 ;;
  esac
  return 1
}

# log_lasts: is the journal's directory on a persistent path?
log_lasts() {
  awk '$2 ~ /\/sysroot\/var(\/log(\/journal)?)?$/ && $3 ~ /^nfs/ { found = 1 } END { exit !found }' "$ROOT/proc/mounts"
}
