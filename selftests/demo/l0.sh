#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host. Lines "demo:" are for the picture.
echo "demo: up $(uname -sr) reached user space, $(nproc) CPU"
insmod /lib/nestvm.ko || { echo "demo: FAIL nestvm.ko cannot be loaded"; exit 1; }
echo "demo: cmd insmod nestvm.ko"
echo "demo: cmd nestvm run --expose-virtualization-extensions --memory 640M --kernel vmlinux ..."
nestvm run --expose-virtualization-extensions --stats --memory 640M --kernel /boot/vmlinux \
	--initrd /boot/initramfs --append "$(cat /boot/cmdline)"
status=$?
if [ $status = 0 ]; then
	echo "demo: done its launcher ended with 0"
else
	echo "demo: FAIL its launcher ended with $status"
	exit 1
fi
rmmod nestvm || { echo "demo: FAIL nestvm does not unload"; exit 1; }
echo "demo: cmd rmmod nestvm: every VM, page and VMCS is gone"
