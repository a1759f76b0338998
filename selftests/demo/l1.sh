#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest hypervisor. Lines "demo:" are for the picture.
run_l2() {
	nestvm run --device "$1" --kernel /boot/vmlinux --initrd /boot/initramfs \
		--append "$(cat /boot/cmdline)" --memory 128M
	status=$?
	if [ $status = 0 ]; then
		echo "demo: done its launcher ended with 0"
	else
		echo "demo: FAIL its launcher ended with $status"
		exit 1
	fi
}

load() {
	if insmod "$@"; then
		echo "demo: cmd insmod $(basename "$1")"
	else
		echo "demo: FAIL $1 cannot be loaded"
		exit 1
	fi
}

with_kvm() {
	echo "demo: up $(uname -sr) reached user space, $(nproc) CPU, $(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) MB"
	grep -qw vmx /proc/cpuinfo && echo "demo: say /proc/cpuinfo lists vmx: this VM has VT-x of its own"
	echo "demo: stage KVM of a stock kernel, as L1's hypervisor"
	load /lib/irqbypass.ko
	load /lib/kvm.ko
	load /lib/kvm-intel.ko
	echo "demo: cmd nestvm run --device /dev/kvm --kernel vmlinux ..."
	run_l2 /dev/kvm
	rmmod kvm_intel kvm irqbypass || exit 1
	echo "demo: cmd rmmod kvm_intel kvm"
}

with_nestvm() {
	echo "demo: stage nestvm itself, as L1's hypervisor"
	load /lib/nestvm.ko
	echo "demo: cmd nestvm run --device /dev/nestvm --kernel vmlinux ..."
	run_l2 /dev/nestvm
	rmmod nestvm || exit 1
	echo "demo: say switches itself off"
}

"with_$1"
