#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest hypervisor whose guest computes a running checksum is saved and started,
# put back to a checkpoint, and migrated: state_l0 TURNS WORD... with the words save,
# paused, checkpoint and migrate. What the innermost guest says, over all of that, has no gap
# and no repeat, and its clock never goes back.
. /bin/state_common

do_save() {
	nestvm save --no-compress "$vm" || fail "save ended with $?"
	[ -e "$NESTVM_STATE_DIR/vms/$vm/saved" ] || fail "there is no saved state"
	nestvm start "$vm" || fail "start from the saved state ended with $?"
	[ -e "$NESTVM_STATE_DIR/vms/$vm/saved" ] && fail "the saved state is still there"
	listen
}

# Saved while it is paused, it comes back paused.
do_paused() {
	nestvm pause "$vm" || fail "pause ended with $?"
	do_save
	nestvm list | grep -q "^$vm *paused " || fail "it was paused when it was saved: $(nestvm list)"
	nestvm unpause "$vm" || fail "unpause ended with $?"
}

# Back to the checkpoint: the lines since then come once more, the same ones.
do_checkpoint() {
	nestvm checkpoint create --no-compress "$vm" here || fail "checkpoint create ended with $?"
	goes_on
	nestvm kill "$vm" || fail "kill ended with $?"
	went_back "turn$turn"
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

turns=$1
shift
state_begin
turn=0
while [ $turn -lt "$turns" ]; do
	turn=$((turn + 1))
	for what in "$@"; do
		echo "e2e: state: $what, turn $turn"
		"do_$what"
		goes_on
	done
done
state_end
