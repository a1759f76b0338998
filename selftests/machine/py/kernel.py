# SPDX-License-Identifier: GPL-2.0
"""Stock kernels: find, unpack, trim; and their modules, stripped."""

import glob
import lzma
import os
import shutil
import struct
import subprocess

import tree

PT_LOAD, PT_NOTE = 1, 4
NOTE_PVH_ENTRY = 18
MAGICS = (
    (b"\xfd7zXZ\0", None),
    (b"\x28\xb5\x2f\xfd", ("zstd", "-dcq")),
    (b"\x02\x21\x4c\x18", ("lz4", "-dcq")),
    (b"\x1f\x8b", ("gzip", "-dc")),
)


def folder(series):
    """The unpacked packages of a kernel series."""
    if series == "6.1":
        found = glob.glob(os.path.join(tree.CACHE, "kernel", "6.1.*"))
        found = [f for f in found if os.path.exists(f"/usr/src/linux-headers-{os.path.basename(f)}")]
    elif series == "debug":
        key = tree.run(os.path.join(tree.HERE, "debug-kernel", "compile"), "--key").strip()
        found = glob.glob(os.path.join(tree.CACHE, "kernel", f"debug-{key}"))
    else:
        found = glob.glob(os.path.join(tree.CACHE, "kernel", series))
    if not found:
        tree.fail(f"no kernel {series} in {tree.CACHE}; "
                  f"run selftests/machine/deps --kernel {series}")
    return sorted(found)[-1]


def bzimage(series):
    found = glob.glob(os.path.join(folder(series), "boot", "vmlinuz-*"))
    if not found:
        tree.fail(f"{folder(series)} has no boot/vmlinuz-*; remove it and run selftests/machine/deps")
    return found[0]


def unpack(image):
    """The ELF image inside a bzImage, by the payload fields of the setup header."""
    if image[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", image, 0x206)[0] < 0x208:
        tree.fail("this is no bzImage of boot protocol 2.08 or later")
    setup_sects = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sects + 1) * 512 + offset
    payload = image[start:start + length]
    for magic, command in MAGICS:
        if not payload.startswith(magic):
            continue
        if command is None:
            # The last four bytes are the unpacked size, not part of the stream.
            return lzma.LZMADecompressor().decompress(payload)
        if command[0] != "gzip":    # whose stream ends with the size anyway
            payload = payload[:-4]
        result = subprocess.run(command, input=payload, capture_output=True)
        if result.returncode:
            tree.fail(f"{command[0]} cannot unpack the kernel: {result.stderr.decode().strip()}")
        return result.stdout
    tree.fail(f"the kernel is packed in a way not known here (it starts with {payload[:4].hex()})")


class Elf:
    """What loading needs of a 64-bit ELF executable."""

    def __init__(self, data):
        if data[:5] != b"\x7fELF\x02":
            tree.fail("the kernel is no 64-bit ELF file")
        self.data = data
        self.entry, phoff = struct.unpack_from("<QQ", data, 24)
        phentsize, phnum = struct.unpack_from("<HH", data, 54)
        self.headers = [struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
                        for i in range(phnum)]

    def loads(self):
        """(header, contents without trailing zeros) of each loadable segment."""
        for h in self.headers:
            if h[0] == PT_LOAD:
                yield h, self.data[h[2]:h[2] + h[5]].rstrip(b"\0")

    def notes(self):
        for h in self.headers:
            if h[0] != PT_NOTE:
                continue
            at, end = h[2], h[2] + h[5]
            while at + 12 <= end:
                namesz, descsz, kind = struct.unpack_from("<III", self.data, at)
                desc = at + 12 + (namesz + 3 & ~3)
                yield kind, self.data[at + 12:at + 12 + namesz], self.data[desc:desc + descsz]
                at = desc + (descsz + 3 & ~3)

    def pvh_entry(self):
        for kind, name, desc in self.notes():
            if kind == NOTE_PVH_ENTRY and name == b"Xen\0":
                return int.from_bytes(desc, "little")
        tree.fail("the kernel has no PVH entry (CONFIG_PVH)")

    def trimmed(self):
        """The same program without sections, relocations and trailing zeros."""
        out = bytearray(4096)
        headers = []
        for h in self.headers:
            if h[0] == PT_LOAD:
                body = self.data[h[2]:h[2] + h[5]].rstrip(b"\0")
            elif h[0] == PT_NOTE:
                body = self.data[h[2]:h[2] + h[5]]
            else:
                continue
            offset = len(out) + 4095 & ~4095
            out += bytes(offset - len(out)) + body
            headers.append((h[0], h[1], offset, h[3], h[4], len(body), h[6],
                            4096 if h[0] == PT_LOAD else h[7]))
        out[:64] = self.data[:64]
        struct.pack_into("<QQ", out, 32, 64, 0)
        struct.pack_into("<HHHHHH", out, 52, 64, 56, len(headers), 0, 0, 0)
        for i, h in enumerate(headers):
            struct.pack_into("<IIQQQQQQ", out, 64 + 56 * i, *h)
        return bytes(out)


def vmlinux(series):
    """Path of the unpacked and trimmed kernel."""
    source = bzimage(series)

    def make(path):
        with open(source, "rb") as f:
            elf = Elf(unpack(f.read()))
        with open(path, "wb") as f:
            f.write(elf.trimmed())

    return tree.cached("kernel-elf", "vmlinux", [tree.stamp(source), "2"], make)


def release(series):
    """Its name for itself, which is that of the folder of its modules."""
    return os.path.basename(bzimage(series)).removeprefix("vmlinuz-")


def modules(series):
    found = [path for path in (os.path.join(folder(series), lib, "modules", release(series))
                               for lib in ("lib", "usr/lib")) if os.path.isdir(path)]
    if not found:
        tree.fail(f"{folder(series)} has no modules; remove it and run selftests/machine/deps")
    return found[0]


def initrd(series):
    """Path of Debian's initial RAM disk for it."""
    program = os.path.join(tree.HERE, "debian-initrd")
    return tree.cached("initrd", "initrd.img", [tree.stamp(bzimage(series)), tree.file_digest(program)],
                       lambda path: tree.run(program, folder(series), path))


def stock_module(series, name):
    """A module of the stock kernel, without what costs time at load.

    Its signature's check takes 4 s in the emulator, and looking up the call
    sites of the function tracer nearly one.
    """
    root = folder(series)
    found = []
    for suffix in (".ko", ".ko.xz"):
        for modules in ("lib/modules", "usr/lib/modules"):
            found += glob.glob(os.path.join(root, modules, "*", "**", name + suffix), recursive=True)
    if not found:
        tree.fail(f"the stock kernel {series} has no module {name}")
    return strip_module(found[0], ["--strip-unneeded", "--remove-section=__mcount_loc",
                                   "--remove-section=.rela__mcount_loc"])


def own_module(path):
    """A module of ours: without debugging information, with its symbols."""
    return strip_module(path, ["--strip-debug"])


def strip_module(source, how):
    def make(path):
        if source.endswith(".xz"):
            with lzma.open(source) as packed, open(path, "wb") as f:
                shutil.copyfileobj(packed, f)
            tree.run("objcopy", *how, path)
        else:
            tree.run("objcopy", *how, source, path)

    name = os.path.basename(source).removesuffix(".xz")
    return tree.cached("modules", name, [tree.stamp(source), *how], make)
