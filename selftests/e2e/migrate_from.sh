#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The machine that a VM leaves by the network: migrate_from plain|nested STEP... with the
# steps of migrate_to.sh, in its order. The VM computes a running checksum, or is a guest
# hypervisor whose guest does.
fail() {
	echo "e2e: migrate_from FAIL: $*"
	tail -n 30 /tmp/migrate /tmp/con.a | sed 's/^/| /'
	tail -n 5 "$NESTVM_STATE_DIR"/vms/*/log
	exit 1
}

export NESTVM_STATE_DIR=/tmp/state NESTVM_RUN_DIR=/tmp/run
there=10.11.0.2

lines() { grep -c "e2e: seq" /tmp/con.a; }

goes_on() {
	want=$(($(lines) + 3)) waited=0
	until [ "$(lines)" -ge $want ]; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "${1:-60}" ] || fail "after $step, the guest says nothing more"
	done
}

# The other machine takes some time until it waits for the VM.
migrate() {
	waited=0
	while :; do
		nestvm migrate a --to $there > /tmp/migrate 2>&1
		status=$?
		grep -q "no connection to" /tmp/migrate || break
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 100 ] || fail "the other machine does not wait for the VM"
	done
	sed "s/^/e2e: $step: /" /tmp/migrate
	return $status
}

# It does not go there: refused with this, and the VM goes on here as if nothing had been.
stays() {
	migrate && fail "migrate ended with 0"
	grep -q "$1" /tmp/migrate || fail "the reason is not there: $1"
	nestvm list | grep -q "^a  *running" || fail "the VM does not run any more: $(nestvm list)"
	goes_on
}

do_lacks() { stays "this host lacks what the VM uses: .*AVX512F.*\[MIGRATE_FEATURES\]"; }
do_killed() { stays "\[MIGRATE_FAILED\]"; }
do_cut() { stays "\[MIGRATE_FAILED\]"; }

# A state is refused there for the same reason; it is whole, and good for this machine.
do_saved() {
	nestvm save --no-compress a || fail "save ended with $?"
	waited=0
	until nc $there 7312 < "$NESTVM_STATE_DIR/vms/a/saved"; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 100 ] || fail "the other machine does not take the state"
	done
	nestvm start a || fail "start ended with $?"
	nestvm console a < /dev/null >> /tmp/con.a 2> /dev/null &
	goes_on
}

do_goes() {
	migrate || fail "migrate ended with $status"
	nestvm list | grep -q "^a  *off" || fail "the VM is still here: $(nestvm list)"
	sleep 1
	nc $there 7312 < /tmp/con.a || fail "the other machine does not take the console's text"
}

ip link set lo up && ip link set eth0 up && ip addr add 10.11.0.1/24 dev eth0 ||
	fail "there is no network"
insmod /lib/nestvm.ko || fail "the module does not load"
initramfs=/boot/$1 expose=off
[ "$1" = nested ] && expose=on
shift
nestvm create a --kernel /boot/vmlinux --initrd "$initramfs" --memory 512M \
	--append "$(cat /boot/cmdline) e2e.do=kvm e2e.l2=busy" \
	--expose-virtualization-extensions $expose || fail "create ended with $?"
nestvm start a || fail "start ended with $?"
: > /tmp/con.a
nestvm console a < /dev/null >> /tmp/con.a 2> /dev/null &
step=boot
goes_on 200
for step in "$@"; do
	echo "e2e: migrate_from: $step"
	"do_$step"
done
nestvm list | grep -q "^a  *running" && { nestvm kill a || fail "kill ended with $?"; sleep 1; }
seq_check < /tmp/con.a || fail "the checksums do not follow each other"
counters_zero > /tmp/counters || fail "something of a VM is left: $(cat /tmp/counters)"
rmmod nestvm || fail "the module does not unload"
