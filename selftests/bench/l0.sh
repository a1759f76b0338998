#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot L1 on the device named, which boots L2: l0 DEVICE. Prints
# "bench: NAME TICKS EXITS", the ticks from the clock, which ticks 200 million times a second.
ticks() { awk '{ print int($1 * 200000000) }' /proc/uptime; }

start=$(ticks)
nestvm run --device "$1" --expose-virtualization-extensions --stats --memory 640M \
	--kernel /boot/vmlinux --initrd /boot/initramfs --append "$(cat /boot/cmdline)" >/tmp/out 2>&1
status=$?
end=$(ticks)
if [ $status != 0 ]; then
	sed 's/^/| /' /tmp/out
	echo "bench: FAIL the launcher of L1 ended with $status"
	exit 1
fi
# nestvm counts by reason and level, KVM in one counter.
exits=$(tr ',' '\n' </tmp/out | awk '/^ *exit_l[12]_/ { n += $2 } /^ *exits / { k = $2 } END { print n ? n : k ? k : "-" }')
sed -n 's/.*\(bench: l2_linux_boot .*\)/\1/p' /tmp/out
echo "bench: l1_and_l2_whole_life $((end - start)) $exits"
