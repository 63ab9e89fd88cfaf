#!/bin/sh
# nfs-clients.sh CONFIGURATION WORK: starts nfs-ganesha with a small site's exports and reads the key of each of two nodes
# from three addresses, as root and over NFS 3; prints one line per attempt. Runs in namespaces of its own, which end it all.
set -eu
configuration=$1 work=$2

mount -t tmpfs mkroot-test /run
mount -t tmpfs mkroot-test /srv
mount -t tmpfs mkroot-test /var/lib
mkdir -p /run/rpcbind /run/ganesha /var/lib/nfs/ganesha /var/lib/mkroot/images /srv/mkroot/overlays /srv/beowulf
mkdir -p /srv/mkroot/persistent/n002/var/log /var/lib/mkroot/images/compute/generations/g1/root
echo base >/var/lib/mkroot/images/compute/generations/g1/root/name
for name in n001 n002 n010 s01; do
  mkdir -p "/srv/mkroot/hosts/$name"
  (umask 077 && echo "key of $name" >"/srv/mkroot/hosts/$name/key")
done
ip link set lo up
ip link add br0 type veth peer name client0
ip addr add 10.1.0.1/16 dev br0
ip link set br0 up
rpcbind -w
ganesha.nfsd -F -f "$configuration" -L STDOUT -p /run/ganesha.pid >"$work/ganesha.log" 2>&1 &
tries=0
until grep -q 'NFS SERVER INITIALIZED' "$work/ganesha.log"; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { cat "$work/ganesha.log" && exit 1; }
  sleep 0.1
done
grep -o 'Configuration file successfully parsed' "$work/ganesha.log"

unshare --net sleep 60 &
client=$!
own=$(readlink /proc/self/ns/net)
while [ "$(readlink "/proc/$client/ns/net")" = "$own" ]; do sleep 0.05; done
ip link set client0 netns "$client"
inside() { nsenter --target "$client" --net "$@"; }
inside ip link set client0 up
for address in 10.1.0.11 10.1.0.12 10.1.0.99; do
  inside ip addr flush dev client0
  inside ip addr add "$address/16" dev client0
  for name in n001 n002; do
    answer=$(inside nfs-cat "nfs://10.1.0.1/srv/mkroot/hosts/$name/key?version=3&uid=0&gid=0" 2>&1) ||
      answer=$(echo "$answer" | grep -o 'MNT3ERR_ACCES' || echo "$answer")
    echo "$address $name: $answer"
  done
  # A node mounts a generation's root, a directory below the one that is exported.
  echo "$address base: $(inside nfs-cat "nfs://10.1.0.1/var/lib/mkroot/images/compute/generations/g1/root/name?version=3&uid=0&gid=0" 2>&1)"
done
