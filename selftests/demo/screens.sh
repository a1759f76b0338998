#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What docs/screens shows: on the host, with a VM that runs a VM.
screen() {
	echo "screen: $1"
	shift
	echo "\$ $*"
	"$@" 2>&1
	echo "screen: end"
}

insmod /lib/nestvm.ko || exit 1
nestvm create lab --kernel /boot/vmlinux --initrd /boot/initramfs --append "$(cat /boot/cmdline)" \
	--memory 640M --expose-virtualization-extensions on || exit 1
nestvm create web --kernel /boot/vmlinux --dynamic-memory on --memory-min 512M --memory 1G \
	--memory-max 2G || exit 1
screen check nestvm check
screen check-vm nestvm check web
screen refused nestvm set web --expose-virtualization-extensions on
nestvm start lab || exit 1
# Until the VM inside runs: some seconds of its kernel, KVM, and the inner kernel.
sleep 3
screen list nestvm list
screen show nestvm show lab
screen top nestvm top --interval 4
screen stat nestvm stat lab
nestvm kill lab || exit 1
rmmod nestvm
