#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host's part of network.suite.
fail() {
	echo "net: FAIL: $*"
	sed 's/^/| a: /' /tmp/a.out
	sed 's/^/| b: /' /tmp/b.out
	nestvm nat show n
	exit 1
}
do_nestvm() { nestvm "$@" > /tmp/said 2>&1 || fail "nestvm $*: $(cat /tmp/said)"; }

# heard SECONDS VM TEXT [TIMES]
heard() {
	waited=0
	until [ "$(grep -c "net: $2 $3" "/tmp/$2.out")" -ge "${4:-1}" ]; do
		grep -q "FAIL" "/tmp/$2.out" && fail "VM $2 failed"
		[ $waited -lt "$1" ] || fail "VM $2 did not say \"$3\" ${4:-1} times within $1 s"
		sleep 1
		waited=$((waited + 1))
	done
	echo "net: $2 $3"
}

# counter VM NAME
counter() { nestvm adapter show "$1" eth0 --json | sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p"; }

: > /tmp/a.out
: > /tmp/b.out
ip link set lo up
ip addr add 10.77.0.1/32 dev lo
ip addr add 10.77.0.2/32 dev lo
insmod /lib/nestvm.ko || fail "nestvm.ko does not load"
# One that stays without VMs: this kernel has what its wall is made of, and all is there.
do_nestvm switch create closed --type private
do_nestvm switch create lab --type internal
do_nestvm nat create n --switch lab --prefix 192.168.100.0/24 --gateway .1 --dns 192.168.100.1
# vm NAME "WORDS"
vm() {
	do_nestvm create "$1" --kernel /boot/vmlinux --initrd /boot/initramfs --memory 600M \
		--dynamic-memory off --expose-virtualization-extensions on \
		--append "$(cat /boot/cmdline) net.me=$1 $2"
	do_nestvm adapter add "$1" --switch lab --mac-spoofing on
	do_nestvm start "$1"
	sleep 1000 | nestvm console "$1" > "/tmp/$1.out" 2>&1 &
}
vm a "net.own=201 net.peer=202"
vm b "net.own=202 net.peer=201 net.nat=1"

for me in a b; do
	heard 200 $me "eth0 192.168.100.[2-5] 192.168.100.1 192.168.100.1"
	heard 20 $me "reaches the gateway"
	heard 20 $me "reaches beyond the gateway"
done
heard 20 b "eth1 192.168.200.2 192.168.200.1 192.168.200.1"
heard 20 b "reaches L0 through the NAT of L1"
heard 40 a "hears the other"
heard 40 b "hears the other"
nestvm nat show n --json | grep -c '"adapter"' | grep -q 3 || fail "there are not three leases"

# Foreign MACs, those of the nested guests, end at the adapter and are counted.
[ "$(counter a tx-spoofed)" = 0 ] || fail "frames were dropped with spoofing on"
do_nestvm adapter set a eth0 --mac-spoofing off
heard 30 a "lost the other"
sleep 2
dropped=$(counter a tx-spoofed)
[ "$dropped" -gt 0 ] || fail "no foreign frame was counted"
echo "net: $dropped frames of foreign MACs dropped"
do_nestvm adapter set a eth0 --mac-spoofing on
heard 30 a "hears the other" 2

do_nestvm kill a
do_nestvm kill b
[ "$(nestvm switch repair)" = "nothing to repair" ] || fail "something was broken: $(nestvm switch repair)"
do_nestvm nat remove n
do_nestvm switch remove lab
do_nestvm switch remove closed
ip link | grep -q "nv[st]-" && fail "an interface is left: $(ip link)"
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || fail "forwarding stays on"
counters_zero > /tmp/counters || fail "something of a VM is left: $(cat /tmp/counters)"
rmmod nestvm || fail "the module does not unload"
