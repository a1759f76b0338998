#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host's part of named.suite: the commands of an operator, one after the other.
export NESTVM_STATE_DIR=/tmp/state NESTVM_RUN_DIR=/tmp/run

fail() {
	echo "named: FAIL: $*"
	sed 's/^/| /' /tmp/said /tmp/console /tmp/state/vms/*/log 2> /dev/null | tail -n 40
	exit 1
}

ok() {
	nestvm "$@" > /tmp/said 2>&1 || fail "nestvm $* ended with $?"
}

# refused STATUS REASON COMMAND...
refused() {
	wanted=$1 reason=$2
	shift 2
	nestvm "$@" > /tmp/said 2>&1
	got=$?
	[ $got = "$wanted" ] || fail "nestvm $* ended with $got and not $wanted"
	grep -q "\[$reason\]" /tmp/said || fail "nestvm $* was not refused with $reason"
}

# The console has TEXT on it within SECONDS: heard SECONDS TEXT
heard() {
	waited=0
	until grep -q "named: $2" /tmp/console; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt "$1" ] || fail "the guest did not say \"$2\" within $1 s"
	done
}

ticks() {
	grep -c "named: tick" /tmp/console
}

# A row of the last answer of "check": verdict ID
verdict() {
	tr -d '\n' < /tmp/said | sed "s/.*\"id\": \"$1\"[^}]*\"verdict\": \"\([A-Z]*\)\".*/\1/"
}

checked() {
	nestvm check --json > /tmp/said
	[ "$(verdict "$1")" = "$2" ] || fail "check says $(verdict "$1") and not $2 of $1"
}

# Without the module.
checked module NO
ok create lab --kernel /boot/vmlinux --initrd /boot/initramfs --memory 256M \
	--append "$(cat /boot/cmdline)" --expose-virtualization-extensions on \
	--vtx-features ept,ept-2m,vpid,unrestricted-guest,tpr-shadow,msr-bitmaps
refused 1 START_FAILED start lab

# An administrator who forbids it: our rule, and the module's own where ours is led astray.
insmod /lib/nestvm.ko nested=0 || fail "nestvm.ko does not load"
checked module YES
checked nested NO
refused 15 HOST_NESTED_OFF start lab
mkdir -p /tmp/other/proc
cp /proc/cpuinfo /tmp/other/proc/
NESTVM_HOST_ROOT=/tmp/other
export NESTVM_HOST_ROOT
refused 15 HOST_NESTED_OFF start lab
grep -q "did not start" /tmp/said || fail "that was not the module's refusal"
unset NESTVM_HOST_ROOT
rmmod nestvm || fail "nestvm does not unload"

insmod /lib/nestvm.ko || fail "nestvm.ko does not load"
for row in vt-x ept unrestricted-guest module vmx-owner nested kernel device locked-memory; do
	checked $row YES
done

ok start lab
refused 13 VM_RUNNING start lab
refused 13 VM_RUNNING set lab --vcpus 2
refused 14 EXPOSE_RESIZE set lab --memory 512M
refused 13 VM_RUNNING remove lab
ok list
grep -q "^lab  *running" /tmp/said || fail "list does not say that it runs"
nestvm console lab < /dev/null > /tmp/console 2>&1 &
ok show lab
grep -q "^memory pinned  *256M" /tmp/said || fail "show does not say that 256M are pinned"

heard 100 "VT-x:"
flags=" $(sed -n 's/.*named: VT-x:\(.*\) \..*/\1/p' /tmp/console) "
host=" $(sed -n 's/^vmx flags[^:]*://p' /proc/cpuinfo | head -n 1) "
for flag in ept vpid unrestricted_guest; do
	case $flags in *" $flag "*) ;; *) fail "the guest has no $flag:$flags" ;; esac
done
for flag in vnmi preemption_timer mtf ept_ad; do
	case $host in *" $flag "*) ;; *) fail "this host has no $flag to withhold:$host" ;; esac
	case $flags in *" $flag "*) fail "the guest has $flag, which is withheld:$flags" ;; esac
done

heard 30 "tick 1"
ok pause lab
refused 13 VM_PAUSED pause lab
ok list
grep -q "^lab  *paused" /tmp/said || fail "list does not say that it is paused"
sleep 1
before=$(ticks)
sleep 3
[ "$(ticks)" = "$before" ] || fail "a paused guest ticks"
ok unpause lab
heard 30 "tick $((before + 2))"

ok top lab --interval 2
grep -q "^lab .*%" /tmp/said || fail "top shows no shares of time"
grep -q "exits of L1" /tmp/said || fail "top shows no exits of L1"
ok stat lab
grep -q "^pinned_pages  *65536" /tmp/said || fail "stat does not count 65536 pinned pages"

# The guest does not listen to its power button, and cannot be stopped politely.
refused 18 POWERDOWN_IGNORED stop lab --timeout 2
kill -9 "$(sed -n 's/^\([0-9]*\) .*/\1/p' /tmp/state/vms/lab/run.lock)"
waited=0
until nestvm list | grep -q "^lab  *off"; do
	sleep 1
	waited=$((waited + 1))
	[ $waited -lt 20 ] || fail "a VM whose process was killed is not off"
done
ok start lab
ok kill lab
refused 13 VM_NOT_RUNNING kill lab
ok remove lab
counters_zero || fail "something is left of the VM"
rmmod nestvm || fail "nestvm does not unload"
echo "named: done"
