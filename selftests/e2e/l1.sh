#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest hypervisor's part of each end-to-end run. What to do comes on the
# kernel's command line, so that one image serves them all:
#	e2e.do=facts|clock|stay|busy|expose_off|kvm|nestvm  e2e.kvm_intel=ept=0,...  e2e.l2=stay|busy
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }
fail() { echo "e2e: L1 FAIL: $*"; exit 1; }

# Run it with "| " before each line, so that a guest's results are not taken for ours.
quoted() {
	{ "$@"; echo $? > /tmp/quoted; } 2>&1 | while IFS= read -r line; do echo "| $line"; done
	return "$(cat /tmp/quoted)"
}

run_l2() {
	quoted nestvm run --device "$1" --kernel /boot/vmlinux --initrd /boot/initramfs --memory 128M \
		--append "$(cat /boot/cmdline) e2e.l2=$(word e2e.l2)" ||
		fail "the launcher of L2 ended with $?"
}

load_kvm() {
	insmod /lib/irqbypass.ko && insmod /lib/kvm.ko || return
	# shellcheck disable=SC2046  # a list of parameters
	insmod /lib/kvm-intel.ko $(word e2e.kvm_intel | tr ',' ' ')
}

do_facts() {
	echo "e2e: L1 cpus $(nproc) memory $(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
}

do_clock() {
	do_facts
	echo "e2e: tick $(cut -d' ' -f1 /proc/uptime)"
	sleep 5
	echo "e2e: tick $(cut -d' ' -f1 /proc/uptime)"
}

do_stay() {
	sleep 1000
}

do_busy() {
	echo "e2e: L1 is busy"
	while :; do :; done
}

do_expose_off() {
	grep -qw vmx /proc/cpuinfo && fail "/proc/cpuinfo shows vmx"
	load_kvm && fail "kvm_intel loaded without VT-x"
	echo "e2e: L1 has no VT-x"
}

do_kvm() {
	grep -qw vmx /proc/cpuinfo || fail "/proc/cpuinfo does not show vmx"
	load_kvm || fail "kvm_intel does not load"
	grep . /sys/module/kvm_intel/parameters/ept \
		/sys/module/kvm_intel/parameters/unrestricted_guest \
		/sys/module/kvm_intel/parameters/enable_shadow_vmcs
	run_l2 /dev/kvm
	run_l2 /dev/kvm
	rmmod kvm_intel kvm irqbypass || fail "kvm does not unload"
}

do_nestvm() {
	insmod /lib/nestvm.ko || fail "nestvm.ko does not load"
	run_l2 /dev/nestvm
	run_l2 /dev/nestvm
	rmmod nestvm || fail "nestvm does not unload"
}

"do_$(word e2e.do)"
