# SPDX-License-Identifier: GPL-2.0
"""The Bochs back end: configuration file and command, version 3.0 or 2.7.

Version 3.0 is ours, mended and without a debugger (bochs/compile); its debugger,
its firmware and 2.7 are Debian's.
"""

import glob
import hashlib
import os
import subprocess

import image
import kernel
import levels
import tree

# name: (CPU model, Bochs version, extra kernel command line, what it is for)
PROFILES = {
    "skylake":	("corei7_skylake_x", "3.0", "", "everything: VMCS shadowing, APICv, posted interrupts, MTF"),
    "skylake27": ("corei7_skylake_x", "2.7", "", "the same model without posted interrupts and MTF"),
    "haswell":	("corei7_haswell_4770", "2.7", "", "no PML, no TSC scaling"),
    "noshadow":	("corei7_ivy_bridge_3770k", "2.7", "", "no VMCS shadowing, no EPT A/D, no 1G pages"),
    "nounrestricted": ("corei5_lynnfield_750", "2.7", "", "EPT without unrestricted guest"),
    "noept":	("core2_penryn_t9600", "2.7", "", "VMX without EPT"),
    "bugs":	("corei7_skylake_x", "3.0", "mitigations=auto",
		 "skylake with speculation controls; the kernel mitigates each bug of that CPU"),
    "novmx":	("corei7_skylake_x", "3.0", "clearcpuid=vmx", "CPUID hides VMX from the kernel"),
    "icelake":	("corei7_icelake_u", "3.0", "clearcpuid=fsrm", "SPP"),
    "tigerlake": ("tigerlake", "3.0", "clearcpuid=fsrm", "CET state"),
}

# What a profile adds to its model: names of Bochs's.
FEATURES = {"bugs": "sca_mitigations"}

MODEL_CMDLINE = {model: extra for model, _, extra, _ in PROFILES.values() if "fsrm" in extra}


def system_version():
    result = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "bochs"],
                            capture_output=True, text=True)
    return result.stdout[:3]


def debians(version):
    """(argument list, environment) that start Debian's build of this version."""
    env = dict(os.environ)
    if system_version() == version:
        return ["/usr/bin/bochs-bin"], env
    root = os.path.join(tree.CACHE, "bochs", version)
    if not os.path.isdir(root):
        tree.fail(f"Bochs {version} is neither installed nor in {tree.CACHE}; "
                  "run selftests/machine/deps" + ("" if version == "3.0" else
                  " (2.7 is a package of Debian 12 only)"))
    lib = os.path.join(root, "usr/lib/x86_64-linux-gnu")
    env["LTDL_LIBRARY_PATH"] = os.path.join(lib, "bochs/plugins")
    env["BXSHARE"] = os.path.join(root, "usr/share/bochs")
    # Its own loader and libraries: no chroot, no root, nothing installed.
    return [os.path.join(lib, "ld-linux-x86-64.so.2"), "--library-path", lib,
            os.path.join(root, "usr/bin/bochs-bin")], env


def ours():
    """The program built by `deps` from bochs/compile and the patches there."""
    folder = os.path.join(tree.HERE, "bochs")
    digest = hashlib.sha256()
    for source in [os.path.join(folder, "compile"), *sorted(glob.glob(os.path.join(folder, "*.patch")))]:
        with open(source, "rb") as f:
            digest.update(f.read())
    path = os.path.join(tree.CACHE, "bochs", "3.0-" + digest.hexdigest()[:16], "bochs")
    if not os.path.exists(path):
        tree.fail(f"Bochs 3.0 with our patches is not in {tree.CACHE}; run selftests/machine/deps")
    return path


CONFIG = """\
plugin_ctrl: speaker=0, parallel=0
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file={share}/BIOS-bochs-latest, options=fastboot
vgaromimage: file={share}/VGABIOS-lgpl-latest
vga: extension=vbe, update_freq=1
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1{features}
memory: guest={memory}, host={memory}
clock: sync={sync}, time0=utc
pci: enabled=1, chipset=i440fx{slots}
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="{disk}", mode=flat, cylinders={cylinders}, heads=16, spt=63
ata1: enabled=0
com1: enabled=1, mode=term, dev={tty}
mouse: enabled=0
log: {folder}/bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
"""

CARD = """\
e1000: card=0, enabled=1, mac={mac}, ethmod=socket, ethdev="fd:{cable}"
"""


def command(opts, folder, tty, cmdline, initramfs):
    """Prepare the run in folder; (argument list, environment)."""
    argv, env = debians(opts.bochs)
    wired = opts.cable is not None
    if wired and (opts.bochs != "3.0" or opts.debugger):
        tree.fail("only our own build of Bochs 3.0 has a network card")
    features = FEATURES.get(opts.profile, "")
    disk = os.path.join(folder, "disk.img")
    if os.path.exists(disk + ".lock"):  # of a run that was killed, in a folder that was kept
        os.unlink(disk + ".lock")
    cylinders = image.write(disk, kernel.vmlinux(opts.kernel), cmdline, initramfs, opts.memory)
    config = CONFIG.format(share=env.get("BXSHARE", "/usr/share/bochs"), model=opts.cpu,
                           cpus=opts.smp, ips=levels.IPS, memory=opts.memory, disk=disk,
                           cylinders=cylinders, tty=tty, folder=folder,
                           sync="slowdown" if wired else "none",
                           features=f', add_features="{features}"' if features else "",
                           slots=", slot1=e1000" if wired else "")
    if wired:
        config += CARD.format(mac=opts.mac, cable=opts.cable)
    rc = os.path.join(folder, "bochsrc")
    options = ["-q", "-f", rc]
    if opts.debugger:
        config += "magic_break: enabled=1\n"
    if opts.bochs == "3.0":
        if opts.debugger:
            config += "sound: waveoutdrv=dummy\n"
            options.append("-debugger")
        else:
            argv = [ours()]
    elif not opts.debugger:
        # 2.7 starts in its debugger; it is told to continue.
        go = os.path.join(folder, "continue")
        with open(go, "w", encoding="utf-8") as f:
            f.write("c\n")
        options += ["-rc", go]
    with open(rc, "w", encoding="utf-8") as f:
        f.write(config)
    return argv + options, env


def bad_reset(folder):
    """The line of a CPU that was still in VMX operation (reset_in_vmx.patch), or None."""
    with open(os.path.join(folder, "bochs.log"), errors="replace") as f:
        return next((line.strip() for line in f if "reset in VMX operation" in line), None)


def verdict(folder):
    """What Bochs's log says about an end the guest did not ask for; "" if nothing."""
    log = os.path.join(folder, "bochs.log")
    if not os.path.exists(log):     # it did not get so far: its configuration is wrong
        log = os.path.join(folder, "emulator.out")
    with open(log, errors="replace") as f:
        lines = [line.strip() for line in f]
    bad = [line for line in lines if ">>PANIC<<" in line or "]p[" in line or
           "triple fault" in line.lower() or "3rd" in line]
    return "" if any("soft power off" in line for line in bad) else "\n".join(bad[-3:])
