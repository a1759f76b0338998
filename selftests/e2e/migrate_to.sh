#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The machine that a VM is sent to: migrate_to STEP... with the steps
#	lacks	it refuses the VM, whose processor had more
#	saved	it refuses the saved state, likewise
#	killed	the launcher is killed half-way
#	cut	the network is gone half-way, and comes back
#	goes	the VM comes, and what its guest says follows from what it said there
fail() {
	echo "e2e: migrate_to FAIL: $*"
	cat /tmp/receive
	tail -n 30 /tmp/con.b | sed 's/^/| /'
	exit 1
}

export NESTVM_STATE_DIR=/tmp/state NESTVM_RUN_DIR=/tmp/run

receive() {
	nestvm receive b --listen 10.11.0.2 > /tmp/receive 2>&1 &
	receiver=$!
}

# A file from the other machine. Whoever listens has more to say, or the sender stops.
take() {
	[ -p /tmp/silent ] || mkfifo /tmp/silent
	nc -l -p 7312 <> /tmp/silent > "$1"
}

nothing_left() {
	nestvm list | grep -q "^b " && fail "after $step something of the VM is here: $(nestvm list)"
}

received() { cat /sys/class/net/eth0/statistics/rx_bytes; }

# Some of the guest's memory is here, and most of it not.
half_way() {
	want=$(($(received) + 16000000))
	until [ "$(received)" -gt $want ]; do
		usleep 20000
		kill -0 $receiver 2> /dev/null || fail "it did not wait until half-way"
	done
}

do_lacks() {
	receive
	wait $receiver && fail "receive ended with 0"
	grep -q "this host lacks what the VM uses: .*AVX512F" /tmp/receive ||
		fail "the reason is not there"
	nothing_left
}

do_saved() {
	nestvm create b --kernel /boot/vmlinux --initrd /boot/nested --memory 512M \
		--expose-virtualization-extensions on || fail "create ended with $?"
	take /tmp/saved || fail "no state came"
	mv /tmp/saved "$NESTVM_STATE_DIR/vms/b/saved"
	nestvm start b > /tmp/receive 2>&1 && fail "start ended with 0"
	sed "s/^/e2e: $step: /" /tmp/receive
	grep -q "this host lacks what the VM uses: .*AVX512F" /tmp/receive ||
		fail "the reason is not there"
	[ -e "$NESTVM_STATE_DIR/vms/b/saved" ] || fail "the state is gone"
	nestvm remove-saved-state b && nestvm remove b || fail "it cannot be removed"
}

do_killed() {
	receive
	half_way
	killall -9 nestvm
	wait $receiver
	# It never arrived: the next command clears it away, and finds no VM.
	nestvm remove b 2> /tmp/receive && fail "a VM that never came is there"
	grep -q VM_NOT_FOUND /tmp/receive || fail "what is left cannot be removed"
	nothing_left
}

do_cut() {
	receive
	half_way
	ip link set eth0 down
	wait $receiver && fail "receive ended with 0"
	ip link set eth0 up
	cat /tmp/receive
	nothing_left
}

do_goes() {
	receive
	wait $receiver || fail "receive ended with $?"
	nestvm console b < /dev/null > /tmp/con.b 2> /dev/null &
	take /tmp/con.a || fail "what it said there did not come"
	waited=0
	until [ "$(grep -c "e2e: seq" /tmp/con.b)" -ge 3 ]; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 60 ] || fail "the guest says nothing more"
	done
	nestvm kill b || fail "kill ended with $?"
	sleep 1
	cat /tmp/con.a /tmp/con.b | seq_check || fail "the checksums do not follow each other"
	nestvm remove b || fail "remove ended with $?"
}

ip link set lo up && ip link set eth0 up && ip addr add 10.11.0.2/24 dev eth0 ||
	fail "there is no network"
insmod /lib/nestvm.ko || fail "the module does not load"
: > /tmp/con.b
for step in "$@"; do
	echo "e2e: migrate_to: $step"
	"do_$step"
done
counters_zero > /tmp/counters || fail "something of a VM is left: $(cat /tmp/counters)"
rmmod nestvm || fail "the module does not unload"
