#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest hypervisor whose guest computes a running checksum is saved and started,
# put back to a checkpoint, and migrated: state_l0 TURNS WORD... with the words save,
# checkpoint and migrate. What the innermost guest says, over all of that, has no gap
# and no repeat, and its clock never goes back.
fail() {
	echo "e2e: state FAIL: $*"
	sed 's/^/| /' /tmp/con.* | tail -n 30
	tail -n 5 "$NESTVM_STATE_DIR"/vms/*/log
	exit 1
}

export NESTVM_STATE_DIR=/tmp/state NESTVM_RUN_DIR=/tmp/run
part=0
vm=a

# What the VM's console says goes to a file for each of its lives.
listen() {
	part=$((part + 1))
	nestvm console "$vm" < /dev/null > "/tmp/con.$(printf %03d $part)" 2> /dev/null &
}

# Lines of the innermost guest so far, in all of its lives.
lines() { cat /tmp/con.* 2> /dev/null | grep -c "e2e: seq"; }

# It says three more of them.
goes_on() {
	want=$(($(lines) + 3)) waited=0
	until [ "$(lines)" -ge $want ]; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "${1:-30}" ] || fail "after $what, the guest of the guest says nothing more"
	done
}

do_save() {
	nestvm save --no-compress "$vm" || fail "save ended with $?"
	[ -e "$NESTVM_STATE_DIR/vms/$vm/saved" ] || fail "there is no saved state"
	nestvm start "$vm" || fail "start from the saved state ended with $?"
	[ -e "$NESTVM_STATE_DIR/vms/$vm/saved" ] && fail "the saved state is still there"
	listen
}

# Back to the checkpoint: the lines since then come once more, the same ones.
do_checkpoint() {
	nestvm checkpoint create --no-compress "$vm" here || fail "checkpoint create ended with $?"
	goes_on
	nestvm kill "$vm" || fail "kill ended with $?"
	sleep 1
	# The last line was perhaps cut off; the next one perhaps begins in its middle.
	sed -i '$d' "/tmp/con.$(printf %03d $part)"
	part=$((part + 1))
	echo "e2e: seq back" > "/tmp/con.$(printf %03d $part)"
	nestvm checkpoint apply "$vm" here || fail "checkpoint apply ended with $?"
	nestvm start "$vm" || fail "start from the checkpoint ended with $?"
	listen
	nestvm checkpoint remove "$vm" here || fail "checkpoint remove ended with $?"
}

do_migrate() {
	other=$([ $vm = a ] && echo b || echo a)
	nestvm receive "$other" --listen 127.0.0.1 > /tmp/receive 2>&1 &
	receiver=$!
	sleep 1
	nestvm migrate "$vm" --to 127.0.0.1 || fail "migrate ended with $?: $(cat /tmp/receive)"
	wait $receiver || fail "receive ended with $?: $(cat /tmp/receive)"
	nestvm remove "$vm" || fail "remove ended with $?"
	vm=$other
	listen
}

# Every line follows from the one before it.
check() {
	cat /tmp/con.* | tr -d '\r' | sed -n 's/.*e2e: seq //p' | awk '
		$1 == "back" { back = 1; next }
		back && ($1 in was) { n = $1 - step; sum = was[n]; up = 0 }
		{ back = 0 }
		NF != 3 { print "a broken line: " $0; bad = 1; exit 1 }
		{
			for (i = n + 1; i <= $1; i++)
				sum = (sum * 31 + i) % 1000003
			if ($1 != n + step && n || $2 != sum) {
				print "after " n " came: " $0
				bad = 1
				exit 1
			}
			if ($3 < up) { print "the clock went back from " up " to " $3; bad = 1; exit 1 }
			if (!step)
				step = $1
			n = $1
			was[n] = sum
			up = $3
		}
		END { if (!bad) print "e2e: state: " NR " lines up to " n ", up for " up " s"
		      exit bad || !NR }' || fail "the checksums do not follow each other"
}

ip link set lo up || fail "there is no loopback"
insmod /lib/nestvm.ko || fail "the module does not load"
turns=$1
shift
nestvm create $vm --kernel /boot/vmlinux --initrd /boot/initramfs --memory 512M \
	--append "$(cat /boot/cmdline) e2e.do=kvm e2e.l2=busy" \
	--expose-virtualization-extensions on || fail "create ended with $?"
nestvm start $vm || fail "start ended with $?"
listen
what=boot
goes_on 200
turn=0
while [ $turn -lt "$turns" ]; do
	turn=$((turn + 1))
	for what in "$@"; do
		echo "e2e: state: $what, turn $turn"
		"do_$what"
		goes_on
	done
done
nestvm kill "$vm" || fail "kill ended with $?"
sleep 1
check
counters_zero > /tmp/counters || fail "something of a VM is left: $(cat /tmp/counters)"
rmmod nestvm || fail "the module does not unload"
