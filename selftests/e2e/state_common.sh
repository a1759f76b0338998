# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What the runs that save, put back and migrate a guest hypervisor share: the VM $vm, whose
# innermost guest computes a running checksum and keeps a file of it, and whether all that
# it says, over all lives of the VM, has no gap and no repeat.
export NESTVM_STATE_DIR=/tmp/state NESTVM_RUN_DIR=/tmp/run
part=0
vm=a
listener=

fail() {
	echo "e2e: state FAIL: $*"
	sed 's/^/| /' /tmp/con.* | tail -n 30
	tail -n 5 "$NESTVM_STATE_DIR"/vms/*/log
	exit 1
}

# What the VM's console says goes to a file for each of its lives.
listen() {
	# All of the last life is in its file.
	[ -z "$listener" ] || wait "$listener"
	part=$((part + 1))
	con=/tmp/con.$(printf %04d $part)
	nestvm console "$vm" < /dev/null > "$con" 2> /dev/null &
	listener=$!
}

# The VM was switched off and goes on from a checkpoint, always the same one for a name:
# its last line was perhaps cut off, the next one perhaps begins in its middle.
went_back() {
	[ -z "$listener" ] || wait "$listener"
	listener=
	sed -i '$d' "$con"
	part=$((part + 1))
	printf 'e2e: seq back %s\r\n' "$1" > "/tmp/con.$(printf %04d $part)"
}

# Lines of the innermost guest so far, in all of its lives.
lines() { cat /tmp/con.* 2> /dev/null | grep -c "e2e: seq"; }

# It says $2 more of them (3).
goes_on() {
	want=$(($(lines) + ${2:-3})) waited=0
	until [ "$(lines)" -ge $want ]; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "${1:-30}" ] || fail "after $what, the guest of the guest says nothing more"
	done
}

# No gap and no repeat so far.
check() { cat /tmp/con.* | seq_check || fail "the checksums do not follow each other"; }

# The module, and the VM until its guest's guest computes. More words are of "create".
state_begin() {
	ip link set lo up || fail "there is no loopback"
	insmod /lib/nestvm.ko || fail "the module does not load"
	# What the VM has freed is zero, and so not written: half of what is saved otherwise.
	nestvm create $vm --kernel /boot/vmlinux --initrd /boot/initramfs --memory 512M \
		--append "$(cat /boot/cmdline) init_on_free=1 e2e.do=kvm e2e.l2=busy" "$@" \
		--expose-virtualization-extensions on || fail "create ended with $?"
	nestvm start $vm || fail "start ended with $?"
	listen
	what=boot
	goes_on 200
}

state_end() {
	nestvm kill "$vm" || fail "kill ended with $?"
	wait "$listener"
	check
	counters_zero > /tmp/counters || fail "something of a VM is left: $(cat /tmp/counters)"
	rmmod nestvm || fail "the module does not unload"
}
