#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A nested guest: get an address, reach the host, then tell whether the other is there.
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }
say() { echo "net: $me $*"; }
me=$(word net.me) own=$(word net.own) peer=$(word net.peer)

lease() {
	ip link set "$1" up
	udhcpc -q -f -n -t 20 -T 1 -i "$1" -s /bin/net_lease > /tmp/udhcpc 2>&1 || {
		say "has no lease on $1: $(tr '\n' ' ' < /tmp/udhcpc)"
		exit 1
	}
	say "$1 $(cat "/tmp/lease.$1")"
}

lease eth0
ping -c 2 -W 3 192.168.100.1 > /dev/null && say "reaches the gateway"
ping -c 2 -W 3 10.77.0.1 > /dev/null && say "reaches beyond the gateway"
if [ -e /sys/class/net/eth1 ]; then
	NO_ROUTE=1 lease eth1
	ip route add 10.77.0.2 via 192.168.200.1 dev eth1
	ping -c 2 -W 3 10.77.0.2 > /dev/null && say "reaches L0 through the NAT of L1"
fi
ip addr add "192.168.100.$own/24" dev eth0
seen=no
while :; do
	if ping -c 1 -W 1 "192.168.100.$peer" > /dev/null; then
		[ $seen = yes ] || say "hears the other"
		seen=yes
		sleep 1
	else
		[ $seen = no ] || say "lost the other"
		seen=no
	fi
done
