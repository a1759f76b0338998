#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest's part of devices.suite. What it says in "dev:" lines is compared on
# the host; what to do comes on the kernel's command line, dev.do=net|balloon.
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }

case $interface in
?*)	# as udhcpc's script
	[ "$1" = bound ] || exit 0
	ip addr add "$ip/$mask" dev "$interface"
	ip route add default via "$router"
	echo "dev: dhcp $ip gateway $router dns $dns"
	exit 0 ;;
esac

# Until it succeeds, but not for ever: tries N COMMAND...
tries() {
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
}

do_net() {
	ip link set lo up
	ip link set eth0 up
	udhcpc -i eth0 -n -q -t 5 -s /bin/devices_guest > /dev/null 2>&1 || { echo "dev: no lease"; exit 1; }
	echo "dev: address $(ip -4 -o addr show eth0 | awk '{ print $4 }')"
	echo "dev: host says $(echo guest-says-hello | timeout 20 nc 192.0.2.1 7777)"
	echo "dev: loopback $(timeout 5 nc 10.0.2.2 7777 < /dev/null > /dev/null 2>&1 && echo reached || echo closed)"
	echo "dev: listens"
	echo "dev: forwarded $(echo guest-answers | timeout 30 nc -l -p 22)"

	ip addr add 192.168.77.2/24 dev eth1
	ip link set eth1 up
	tries 5 ping -q -c 1 -W 1 192.168.77.1 > /dev/null && echo "dev: own address passes"
	sleep 3		# the host looks at the counters
	ip link set eth1 down
	ip link set eth1 address 52:00:00:00:00:99
	ip link set eth1 up
	ping -q -c 2 -W 1 192.168.77.1 > /dev/null || echo "dev: foreign address is stopped"
	tries 20 ping -q -c 1 -W 1 192.168.77.1 > /dev/null && echo "dev: foreign address passes"

	n=0
	while [ $n -lt 8 ]; do
		echo "dev: tick $n"
		sleep 1
		n=$((n + 1))
	done
}

# Wait until the host has said so, on the console.
told() {
	read -r line < /dev/ttyS0
	[ "$line" = "$1" ] || { echo "dev: told \"$line\" instead of \"$1\""; exit 1; }
}

do_balloon() {
	mkdir -p /fill
	mount -t tmpfs -o size=300M none /fill
	echo "dev: up"
	told fill
	dd if=/dev/zero of=/fill/a bs=1M count=100 2> /dev/null || { echo "dev: no room for 100M"; exit 1; }
	echo "dev: filled"
	told free
	rm /fill/a
	echo "dev: freed"
	told more
	dd if=/dev/zero of=/fill/a bs=1M count=200 2> /dev/null || { echo "dev: no room for 200M"; exit 1; }
	echo "dev: filled more"
	told end
}

do_reset() {
	echo "dev: boot"
	reboot -f
}

"do_$(word dev.do)"
echo "dev: guest done"
