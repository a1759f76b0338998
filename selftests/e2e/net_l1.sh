#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# L1 of network.suite: the nested guest is on an external switch, whose uplink is L1's
# own adapter. With net.nat it has a second adapter, on a NAT network of L1's.
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }
fail() { echo "net: L1 FAIL: $*"; exit 1; }
do_nestvm() { nestvm "$@" > /tmp/said 2>&1 || fail "nestvm $*: $(cat /tmp/said)"; }

ip link set lo up
insmod /lib/nestvm.ko || fail "nestvm.ko does not load"
do_nestvm switch create up --type external --uplink eth0
words="$(cat /boot/cmdline) net.me=$(word net.me) net.own=$(word net.own) net.peer=$(word net.peer)"
do_nestvm create inner --kernel /boot/vmlinux --initrd /boot/initramfs --memory 128M --append "$words"
do_nestvm adapter add inner --switch up
if [ "$(word net.nat)" = 1 ]; then
	udhcpc -q -f -n -t 20 -T 1 -i nvs-up -s /bin/net_lease > /dev/null 2>&1 || fail "no lease for L1"
	do_nestvm switch create lan --type internal
	do_nestvm nat create n --switch lan --prefix 192.168.200.0/24 --dns 192.168.200.1
	do_nestvm adapter add inner --switch lan
fi
do_nestvm start inner
sleep 1000 | nestvm console inner 2>&1 | while IFS= read -r line; do
	case $line in
	*net:*) echo "$line" ;;
	esac
done
