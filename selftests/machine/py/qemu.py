# SPDX-License-Identifier: GPL-2.0
"""The QEMU back end, for hosts whose /dev/kvm offers nested VT-x."""

import os
import shutil

import kernel

# KVM on some hosts shows this MSR and refuses to have it set.
CPU = "host,-arch-capabilities"

NESTED = "/sys/module/kvm_intel/parameters/nested"


def usable():
    try:
        with open(NESTED, encoding="ascii") as f:
            nested = f.read().strip() in ("Y", "1")
    except OSError:
        return False
    return (nested and os.access("/dev/kvm", os.R_OK | os.W_OK) and
            shutil.which("qemu-system-x86_64") is not None)


def command(opts, folder, tty, cmdline, initramfs):
    initrd = os.path.join(folder, "initramfs")
    with open(initrd, "wb") as f:
        f.write(initramfs)
    return ["qemu-system-x86_64", "-machine", "q35,accel=kvm", "-cpu", CPU, "-smp", str(opts.smp),
            "-m", str(opts.memory), "-display", "none", "-nodefaults", "-no-reboot",
            "-kernel", kernel.bzimage(opts.kernel), "-initrd", initrd, "-append", cmdline,
            "-chardev", f"serial,id=c,path={tty}", "-serial", "chardev:c"], dict(os.environ)


def bad_reset(folder):
    """As of bochs.py; QEMU does not tell."""
    return None


def verdict(folder):
    """What QEMU said, if it ended by itself."""
    with open(os.path.join(folder, "emulator.out"), errors="replace") as f:
        return f.read().strip()
