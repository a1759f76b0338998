#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host's part of named.suite: the commands of an operator, one after the other.
. /lib/named_lib.sh

ticks() {
	grep -c "named: tick" /tmp/console
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
comes_to lab off 20
ok start lab
ok kill lab
refused 13 VM_NOT_RUNNING kill lab
ok remove lab
unload
echo "named: done"
