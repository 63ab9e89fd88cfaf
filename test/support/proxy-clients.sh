#!/bin/sh
# proxy-clients.sh ETC WORK NODE CLIENT: starts dnsmasq as a proxyDHCP server and asks it as firmware of several kinds; prints one
# line per machine. Runs in namespaces of its own, which end it all.
set -eu
etc=$1 work=$2 node=$3 pxe_client=$4

mount -t tmpfs mkroot-test /run
mount -t tmpfs mkroot-test /srv
mkdir -p /srv/mkroot/netboot/tftp
ip link set lo up
ip link add br0 type veth peer name client0
ip addr add 10.1.0.1/16 dev br0
ip link set br0 up
dnsmasq --keep-in-foreground --conf-file="$etc/dnsmasq-proxy.conf" --pid-file=/run/dnsmasq.pid >"$work/proxy.log" 2>&1 &

unshare --net sleep 60 &
client=$!
own=$(readlink /proc/self/ns/net)
while [ "$(readlink "/proc/$client/ns/net")" = "$own" ]; do sleep 0.05; done
ip link set client0 netns "$client"
inside() { nsenter --target "$client" --net "$@"; }
inside ip link set client0 up
# The address that another server gave.
inside ip addr add 10.1.0.50/16 dev client0
inside ip route add default dev client0
for kind in 0 7 9 11; do
  inside "$node" "$pxe_client" 52:54:00:aa:00:01 "$kind" 10.1.0.50 || cat "$work/proxy.log"
done
inside "$node" "$pxe_client" 52:54:00:aa:00:01 7 10.1.0.50 ipxe || cat "$work/proxy.log"
