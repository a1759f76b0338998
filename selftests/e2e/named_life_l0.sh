#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host's part of named_life.suite: a VM whose guest obeys, by the lines of the
# systemd unit; another size while it runs; and a user whom the locked-memory limit stops.
. /lib/named_lib.sh

# What a line of the unit runs: unit KEY
unit() {
	sed -n "s,^$1=-*@PREFIX@,,p" /lib/nestvm@.service | sed "s/%i/vm/g"
}

# The VM has MB of memory within a while, and the guest what is left of them: has MB
has() {
	waited=0
	until nestvm show vm | grep -q "^memory assigned  *$1M$"; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 40 ] || fail "the VM has not $1M: $(nestvm show vm | grep ^memory)"
	done
	waited=0
	until [ "$(guest_mb)" -le "$1" ] && [ "$(guest_mb)" -gt $(($1 - 150)) ]; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt 20 ] || fail "of $1 MB the guest says it has $(guest_mb)"
	done
	echo "named: $1 MB: the guest has $(guest_mb) to use, the host holds $(resident)"
}

# Its total does not change: the balloon gives memory back when there is none left.
guest_mb() {
	sed -n 's/.*named: available \([0-9]*\).*/\1/p' /tmp/console | tail -n 1
}

resident() {
	awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$(sed 's/ .*//' /tmp/state/vms/vm/run.lock)/status"
}

listen() {
	: > /tmp/console
	nestvm console "${1:-vm}" < /dev/null >> /tmp/console 2>&1 &
}

insmod /lib/nestvm.ko || fail "nestvm.ko does not load"

# A user: memory of VMs is pinned, and counts.
echo "user:x:1000:1000::/tmp/home:/bin/sh" > /etc/passwd
mkdir -p /tmp/home
chown 1000:1000 /tmp/home
chmod 666 /dev/nestvm
echo 'export NESTVM_STATE_DIR=/tmp/home/s NESTVM_RUN_DIR=/tmp/home/r; exec nestvm "$@"' > /bin/as_user
chmod 755 /bin/as_user
as_user() {
	su user -c "ulimit -l $limit; sh /bin/as_user $*" > /tmp/said 2>&1
}
limit=1024
as_user create small --kernel /boot/vmlinux --memory 256M || fail "a user cannot make a VM"
as_user start small
status=$?
wanted=15 reason=HOST_LOCKED_LIMIT
was_refused $status start small
grep -q "ulimit -l" /tmp/said || fail "the refusal does not say what to do: $(cat /tmp/said)"
as_user check small --json
[ "$(verdict locked-memory)" = NO ] || fail "check says $(verdict locked-memory) of the limit"
ulimit -l 524288
limit=524288
as_user start small || fail "a user within the limit cannot start a VM"
as_user kill small || fail "a user cannot kill a VM"

# By the lines of the unit, and with memory that changes.
ok create vm --kernel /boot/vmlinux --initrd /boot/initramfs --append "$(cat /boot/cmdline)" \
	--dynamic-memory on --memory-min 128M --memory-startup 256M --memory-max 512M
for key in ExecStartPre ExecStart ExecStop; do
	[ -n "$(unit $key)" ] || fail "the unit has no line $key"
done
# This host has no packet filter, and nothing to repair.
eval "$(unit ExecStartPre)" > /tmp/said 2>&1 || fail "ExecStartPre ended with $?"
eval "$(unit ExecStart)" > /tmp/foreground 2>&1 &
main=$!
comes_to vm running 60
listen
heard 100 "available"
has 256
ok set vm --memory 128M
has 128
[ "$(resident)" -lt 150 ] || fail "the host holds $(resident) MB for a guest of 128"
ok set vm --memory 448M
has 448
refused 14 RESIZE_RANGE set vm --memory 1G
refused 14 RESIZE_RANGE set vm --memory 64M
refused 13 VM_RUNNING set vm --expose-virtualization-extensions on
ok stat vm --json
grep -q '"pinned_pages": ' /tmp/said || fail "stat --json has no pinned_pages"
ok top vm --json --interval 1
grep -q '"entries": [1-9]' /tmp/said || fail "top --json has no entries"
eval "$(unit ExecStop)" > /tmp/said 2>&1 || fail "ExecStop ended with $?"
[ ! -s /tmp/said ] || fail "stop has something to say"
wait $main
status=$?
[ $status = 0 ] || fail "ExecStart ended with $status: $(cat /tmp/foreground)"
comes_to vm off 1
refused 13 VM_NOT_RUNNING stop vm
heard 1 "power button"

# With VT-x, the same is refused.
refused 14 EXPOSE_DYNAMIC_MEMORY set vm --expose-virtualization-extensions on
ok set vm --dynamic-memory off --expose-virtualization-extensions on --memory 256M
ok start vm
listen
heard 100 "available"
refused 14 EXPOSE_RESIZE set vm --memory 128M
refused 14 EXPOSE_RESIZE set vm --memory 448M
refused 13 VM_RUNNING set vm --dynamic-memory on
has 256

# The guest shuts down and boots once more.
before=$(sed 's/ .*//' /tmp/state/vms/vm/run.lock)
ok restart vm
heard 1 "power button"
[ "$(sed 's/ .*//' /tmp/state/vms/vm/run.lock)" != "$before" ] || fail "restart kept the process"
listen
heard 100 "available"

# Another VM from a checkpoint of the running one: its guest goes on, and does not boot.
heard 30 "available.*tick 5"
ok checkpoint create vm there
ok checkpoint export vm there /tmp/export
ok stop vm --timeout 60
ok create copy --from-export /tmp/export
ok start copy
listen copy
heard 60 "available"
first=$(sed -n 's/.*named: available.*tick \([0-9]*\).*/\1/p' /tmp/console | head -n 1)
[ "$first" -ge 5 ] || fail "the guest of the copy begins with tick $first"
ok stop copy
ok remove copy
refused 14 EXPOSE_DYNAMIC_MEMORY set vm --dynamic-memory on
ok remove vm
unload
echo "named: done"
