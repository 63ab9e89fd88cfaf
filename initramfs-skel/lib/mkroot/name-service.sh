# shellcheck shell=sh
# DNS as the network told it, handed to what the new root's /etc/resolv.conf is.

write_name_service() {
  [ -n "$lease_dns" ] || return 0
  if [ -d "$ROOT/sysroot/lib/systemd" ]; then write_resolved_configuration; fi
  link=$(readlink "$ROOT/sysroot/etc/resolv.conf" || :)
  case $link in
    '')
      # A regular file or none. One that an overlay brings is somebody's wish; the base's is the build machine's.
      for directory in "$ROOT"/run/mkroot/host "$ROOT"/run/mkroot/cluster*; do
        [ ! -e "$directory/etc/resolv.conf" ] || return 0
      done
      resolver_lines | replace_file /etc/resolv.conf 0644
      ;;
    *run/systemd/resolve/*) ;;
    /run/* | ../run/*)
      # Another program's file below /run, which it will replace when it knows better.
      target=$ROOT/run/${link#*run/}
      mkdir -p "${target%/*}"
      resolver_lines >"$target"
      ;;
  esac
}

resolver_lines() {
  if [ -n "$lease_domain" ]; then printf 'search %s\n' "$lease_domain"; fi
  for name_server in $lease_dns; do printf 'nameserver %s\n' "$name_server"; done
}

write_resolved_configuration() {
  mkdir -p "$ROOT/run/systemd/resolved.conf.d"
  printf '[Resolve]\nDNS=%s\n%s' "$lease_dns" "${lease_domain:+Domains=$lease_domain
}" >"$ROOT/run/systemd/resolved.conf.d/50-mkroot.conf"
}
