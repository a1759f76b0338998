#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From the start of the launcher to the first line of L2's user space.
ticks() { awk '{ print int($1 * 200000000) }' /proc/uptime; }

insmod /lib/irqbypass.ko && insmod /lib/kvm.ko && insmod /lib/kvm-intel.ko || exit 1
start=$(ticks)
{ nestvm run --device /dev/kvm --memory 128M --kernel /boot/vmlinux --initrd /boot/initramfs \
	--append "$(cat /boot/cmdline)" 2>&1; echo "status $?"; } |
while IFS= read -r line; do
	case $line in
	"machine: start"*)	echo "bench: l2_linux_boot $(($(ticks) - start)) -" ;;
	"status 0")		exit 0 ;;
	"status "*)		exit 1 ;;
	esac
done
