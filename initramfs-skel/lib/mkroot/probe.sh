# shellcheck shell=sh
# Whether an NFS server is there. Used before mounts, and by the last resort.

# server_answers ADDRESS PORT VERSION: an NFS server answers its NULL procedure (RFC 5531: call, RPC 2, program 100003). One
# that is paused still takes connections, so a connection proves nothing. $probe_reply is a file for the answer.
server_answers() {
  zero='\0000\0000\0000\0000'
  : >"$probe_reply"
  # shellcheck disable=SC2094 # The one end waits for what the other writes.
  {
    printf '%b' "\0200\0000\0000\0050mkrt$zero\0000\0000\0000\0002\0000\0001\0206\0243\0000\0000\0000\000$3$zero$zero$zero$zero$zero"
    # The call must not look as if the client had left before the answer is there.
    probe_waits=20
    while [ "$probe_waits" -gt 0 ] && [ ! -s "$probe_reply" ]; do
      probe_waits=$((probe_waits - 1))
      sleep 0.1
    done
  } | timeout -s KILL 4 nc "$1" "$2" | od -A n -N 4 -t x1 >"$probe_reply"
  [ -s "$probe_reply" ]
}
