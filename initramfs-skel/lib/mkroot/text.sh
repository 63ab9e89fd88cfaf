# shellcheck shell=sh
# Questions about text that comes from the network or the command line. Such text is compared, cut and quoted,
# never evaluated. POSIX shells have no local variables, so each function's own carry its subject's name. Results that are more than yes or no are left in $answer, which spares a process each.

# is_number TEXT: decimal digits only, at most fifteen, so that shell arithmetic cannot overflow; no zero in front, which would make it
# octal there, and 08 a syntax error that ends the shell.
is_number() {
  case $1 in
    '' | *[!0-9]* | 0?*) return 1 ;;
  esac
  [ "${#1}" -le 15 ]
}

# is_ipv4 TEXT: a dotted quad.
is_ipv4() {
  case $1 in
    '' | *[!0-9.]* | .* | *. | *..*) return 1 ;;
  esac
  ipv4_rest=$1
  ipv4_octets=0
  while :; do
    ipv4_octet=${ipv4_rest%%.*}
    { [ "${#ipv4_octet}" -le 3 ] && [ "$ipv4_octet" -le 255 ]; } || return 1
    ipv4_octets=$((ipv4_octets + 1))
    [ "$ipv4_octet" = "$ipv4_rest" ] && break
    ipv4_rest=${ipv4_rest#*.}
  done
  [ "$ipv4_octets" -eq 4 ]
}

# is_ipv4_network TEXT: a dotted quad and the number of its network's bits, such as 10.1.0.0/16.
is_ipv4_network() {
  case $1 in
    */*) is_ipv4 "${1%%/*}" && is_number "${1#*/}" && [ "${1#*/}" -le 32 ] ;;
    *) return 1 ;;
  esac
}

# is_mtu TEXT: bytes of the largest packet; IPv4 needs 68.
is_mtu() {
  is_number "$1" && [ "$1" -ge 68 ] && [ "$1" -le 65535 ]
}

# is_hostname TEXT: letters, digits, hyphens and dots as RFC 1123 has them; at most 64 bytes, the kernel's limit.
is_hostname() {
  case $1 in
    '' | *[!A-Za-z0-9.-]* | [.-]* | *[.-] | *..* | *.-* | *-.*) return 1 ;;
  esac
  [ "${#1}" -le 64 ]
}

# is_interface_name TEXT: what the kernel accepts as a name and a shell never misreads.
is_interface_name() {
  case $1 in
    '' | . | .. | *[!A-Za-z0-9._-]* | -*) return 1 ;;
  esac
  [ "${#1}" -le 15 ]
}

# is_path TEXT: absolute, of characters that neither mount options nor the shell treat specially.
is_path() {
  case $1 in
    *[!A-Za-z0-9._/%+=@~-]*) return 1 ;;
    /*) return 0 ;;
  esac
  return 1
}

# is_label TEXT: of a file system, of characters that no option or script of a tool treats specially.
is_label() {
  case $1 in
    '' | *[!A-Za-z0-9._-]*) return 1 ;;
  esac
  [ "${#1}" -le 16 ]
}

# is_option_list TEXT: comma-separated mount options; empty is fine.
is_option_list() {
  case $1 in
    *[!A-Za-z0-9,=._:%-]*) return 1 ;;
  esac
  return 0
}

# normalise_mac TEXT: $answer is aa:bb:cc:dd:ee:ff, or empty if TEXT is no MAC address. Takes colons or hyphens, any
# case, with or without the hardware type that pxelinux puts in front (BOOTIF=01-aa-bb-cc-dd-ee-ff). Of an InfiniBand device it is the
# GUID of the port, aa:bb:cc:dd:ee:ff:00:11: the last 8 of its 20 bytes (RFC 4391, 9.1.1); before them are the number of a queue pair and the
# prefix of the subnet, which change.
normalise_mac() {
  answer=$(printf '%s' "$1" | tr 'A-F-' 'a-f:')
  case $answer in
    *[!0-9a-f:]*) answer='' ;;
  esac
  # 7, 9 and 21 bytes.
  case ${#answer} in
    20 | 26 | 62) answer=${answer#???} ;;
  esac
  if [ "${#answer}" -eq 59 ]; then answer=${answer#????????????????????????????????????}; fi
  case $answer in
    [!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]) ;;
    [!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]:[!:][!:]) ;;
    *) answer='' ;;
  esac
}

# prefix_length NETMASK: $answer is the number of bits of a dotted netmask (or of a plain number), empty if it is none.
prefix_length() {
  answer=''
  if is_number "$1"; then
    if [ "$1" -le 32 ]; then answer=$1; fi
    return
  fi
  is_ipv4 "$1" || return 0
  mask_rest=$1.
  mask_bits=0
  mask_ended=''
  while [ -n "$mask_rest" ]; do
    mask_octet=${mask_rest%%.*}
    mask_rest=${mask_rest#*.}
    case $mask_octet in
      255) mask_add=8 ;; 254) mask_add=7 ;; 252) mask_add=6 ;; 248) mask_add=5 ;; 240) mask_add=4 ;; 224) mask_add=3 ;; 192) mask_add=2 ;; 128) mask_add=1 ;;
      0) mask_add=0 ;;
      *) return 0 ;;
    esac
    # A mask is ones, then zeroes: nothing may follow the first mask_octet that is not full.
    if [ -n "$mask_ended" ] && [ "$mask_add" -ne 0 ]; then return 0; fi
    if [ "$mask_add" -ne 8 ]; then mask_ended=yes; fi
    mask_bits=$((mask_bits + mask_add))
  done
  answer=$mask_bits
}

# one_line TEXT: $answer is TEXT with every byte that is not printable ASCII replaced by '?', so that a name from the
# network cannot forge a line on the console.
one_line() {
  answer=$1
  case $answer in
    *[!\ -~]*) answer=$(printf '%s' "$1" | tr -c ' -~' '?') ;;
  esac
}

# shorten TEXT BYTES: $answer is TEXT, which is printable ASCII; of a longer one the middle is left out, as its end says what happens next.
shorten() {
  answer=$1
  [ "${#1}" -gt "$2" ] || return 0
  answer="$(printf '%s' "$1" | head -c "$(($2 - 307))") [...] $(printf '%s' "$1" | tail -c 300)"
}

# random_below N: $answer is a number from 0 to N-1; nodes that fail together must not come back together.
random_below() {
  answer=$(od -A n -N 2 -t u2 "$ROOT/dev/urandom" 2>/dev/null | tr -d ' \n')
  is_number "$answer" || answer=0
  answer=$((answer % $1))
}

# seconds_up: $answer is the whole seconds since the kernel started.
seconds_up() {
  read -r answer _ <"$ROOT/proc/uptime"
  answer=${answer%%.*}
}
