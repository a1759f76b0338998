# SPDX-License-Identifier: GPL-2.0
"""The disk image: boot record, loader, plan, kernel, initramfs (see boot/boot.h)."""

import os
import struct

import kernel
import tree

SECTOR = 512
LOADER_SECTORS = 31
PLAN_LBA = 32
PLAN_SECTORS = 96
PLAN_MAGIC = 0x6e76626f
CMDLINE_MAX = 2048
DATA_LBA = PLAN_LBA + PLAN_SECTORS
CHUNK = 1 << 16         # a run of zeros shorter than this is not worth an extent
INITRD_ALIGN = 1 << 24
CYLINDER = 16 * 63 * SECTOR

BOOT = os.path.join(tree.HERE, "boot")


def build_boot():
    """MBR and loader as one blob of (1 + LOADER_SECTORS) sectors."""
    mbr, loader, lds, header = (os.path.join(BOOT, n)
                                for n in ("mbr.S", "loader.c", "loader.lds", "boot.h"))
    cc = ["gcc", "-m32", "-ffreestanding", "-fno-pic", "-fno-stack-protector",
          "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-Os", "-Wall", "-Wextra",
          "-Werror", "-I", BOOT, "-c"]
    ld = ["ld", "-m", "elf_i386", "--oformat", "binary"]

    first = tree.build("mbr", [mbr, header], lambda out, tmp: [
        [*cc, mbr, "-o", f"{tmp}/mbr.o"],
        [*ld, "-Ttext", "0x7c00", "-e", "_start", f"{tmp}/mbr.o", "-o", out]])
    second = tree.build("loader", [loader, lds, header], lambda out, tmp: [
        [*cc, loader, "-o", f"{tmp}/loader.o"],
        [*ld, "-T", lds, f"{tmp}/loader.o", "-o", out]])
    with open(first, "rb") as f, open(second, "rb") as g:
        return f.read() + g.read().ljust(LOADER_SECTORS * SECTOR, b"\0")


def flatten(elf):
    """(lowest physical address, memory from there on, end of the last segment)."""
    loads = list(elf.loads())
    base = min(h[4] for h, _ in loads)
    end = max(h[4] + h[6] for h, _ in loads)
    memory = bytearray(max(h[4] + len(body) for h, body in loads) - base)
    for h, body in loads:
        memory[h[4] - base:h[4] - base + len(body)] = body
    return base, memory, end


class Writer:
    def __init__(self, f):
        self.f = f
        self.lba = DATA_LBA
        self.extents = []
        f.seek(DATA_LBA * SECTOR)

    def put(self, dest, data):
        """Neighbouring chunks become one extent; chunks of zeros none."""
        view = memoryview(data)
        zero = bytes(CHUNK)
        start = None
        for at in range(0, len(view) + CHUNK, CHUNK):
            chunk = view[at:at + CHUNK]
            used = len(chunk) and chunk != zero[:len(chunk)]
            if used and start is None:
                start = at
            elif not used and start is not None:
                self._extent(dest + start, view[start:min(at, len(view))])
                start = None

    def _extent(self, dest, data):
        sectors = -(-len(data) // SECTOR)
        self.f.write(data)
        self.f.write(bytes(sectors * SECTOR - len(data)))
        self.extents.append((self.lba, sectors, dest))
        self.lba += sectors


def write(path, vmlinux, cmdline, initramfs, memory_mb):
    """Write the image; returns its number of cylinders."""
    if len(cmdline) >= CMDLINE_MAX:
        tree.fail(f"the kernel command line has {len(cmdline)} characters, at most {CMDLINE_MAX - 1} fit")
    with open(vmlinux, "rb") as f:
        elf = kernel.Elf(f.read())
    base, memory, end = flatten(elf)
    initrd = -(-(end + INITRD_ALIGN) // INITRD_ALIGN) * INITRD_ALIGN
    if initrd + len(initramfs) > memory_mb << 20:
        tree.fail(f"the kernel and an initramfs of {len(initramfs) >> 20} MB do not fit into "
                  f"{memory_mb} MB; give the machine more --memory")

    with open(path, "wb") as f:
        f.write(build_boot())
        writer = Writer(f)
        writer.put(base, memory)
        writer.put(initrd, initramfs)
        size = -(-writer.lba * SECTOR // CYLINDER) * CYLINDER
        f.truncate(size)
        plan = struct.pack("<8I", PLAN_MAGIC, elf.pvh_entry(), initrd, len(initramfs),
                           len(writer.extents), 0, 0, 0)
        plan += cmdline.encode().ljust(CMDLINE_MAX, b"\0")
        plan += b"".join(struct.pack("<3I", *e) for e in writer.extents)
        if len(plan) > PLAN_SECTORS * SECTOR:
            tree.fail("the image has more extents than the loader's plan has room for")
        f.seek(PLAN_LBA * SECTOR)
        f.write(plan)
    return size // CYLINDER
