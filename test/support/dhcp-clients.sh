#!/bin/sh
# dhcp-clients.sh SERVER ETC WORK: starts a DHCP server (dnsmasq, dhcpd, kea) with its file below ETC on br0 and asks it as
# several machines with busybox's client; prints one line per machine. Runs in namespaces of its own, which end it all.
# dnsmasq begins with the leases of ETC/dnsmasq.leases, if there are any.
set -eu
server=$1 etc=$2 work=$3

mount -t tmpfs mkroot-test /run
mount -t tmpfs mkroot-test /var/lib
mount -t tmpfs mkroot-test /srv
mkdir -p /run/kea /run/lock/kea /var/lib/dhcp /var/lib/kea /var/lib/misc /srv/mkroot/netboot/tftp
: >/var/lib/dhcp/dhcpd.leases
[ ! -e "$etc/dnsmasq.leases" ] || cp "$etc/dnsmasq.leases" /var/lib/misc/
ip link set lo up
ip link add br0 type veth peer name client0
ip addr add 10.1.0.1/16 dev br0
ip link set br0 up
ip link set client0 up

case $server in
  dnsmasq) dnsmasq --keep-in-foreground --no-ping --conf-file="$etc/dnsmasq.conf" --pid-file=/run/dnsmasq.pid ;;
  dhcpd) dhcpd -4 -f -d -cf "$etc/dhcp/dhcpd.conf" br0 ;;
  kea) kea-dhcp4 -c "$etc/kea/kea-dhcp4.conf" ;;
esac >"$work/$server.log" 2>&1 &

cat >"$work/lease.sh" <<'SCRIPT'
#!/bin/sh
[ "$1" = bound ] || exit 0
echo "ip=$ip file=$boot_file next=$siaddr name=$hostname router=$router dns=$dns domain=$domain mtu=$mtu ntp=$ntpsrv lease=$lease${vendor:+ class=$vendor}" >>"$LEASES"
SCRIPT
chmod +x "$work/lease.sh"
export LEASES="$work/$server.leases"
: >"$LEASES"

# client MAC [OPTION...]: udhcpc asks every second until the server has started.
client() {
  ip link set client0 down
  ip link set client0 address "$1"
  ip link set client0 up
  shift
  busybox udhcpc -f -n -q -t 15 -T 1 -i client0 -s "$work/lease.sh" -O hostname -O mtu -O ntpsrv "$@" >"$work/client.log" 2>&1 ||
    { cat "$work/client.log" "$work/$server.log" && exit 1; }
}
client 52:54:00:aa:00:01 -x 0x5d:0000
client 52:54:00:aa:00:02 -x 0x5d:0007
client 52:54:00:aa:00:02 -x 0x5d:0009
client 52:54:00:aa:00:02 -x 0x5d:000b
# UEFI HTTP boot: it looks for its own vendor class in the answer.
client 52:54:00:aa:00:02 -x 0x5d:0010 -O 60
client 52:54:00:aa:00:01 -x 0x5d:0007 -x 0xaf:010101
client 52:54:00:aa:ff:01
cat "$LEASES"
