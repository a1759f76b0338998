# SPDX-License-Identifier: GPL-2.0
"""Write initramfs images (cpio "newc"), uncompressed and without root."""

import os
import stat


class Archive:
    """Parents are made by themselves; the last entry of a name wins."""

    def __init__(self):
        self.entries = {}

    def _add(self, name, mode, body=b"", dev=(0, 0)):
        name = name.strip("/")
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.folder(parent)
        self.entries.pop(name, None)
        self.entries[name] = (mode, body, dev)

    def folder(self, name):
        if name.strip("/") not in self.entries:     # and not after what is in it
            self._add(name, stat.S_IFDIR | 0o755)

    def text(self, name, text, mode=0o644):
        self._add(name, stat.S_IFREG | mode, text.encode())

    def data(self, name, body, mode=0o644):
        self._add(name, stat.S_IFREG | mode, body)

    def file(self, name, path):
        with open(path, "rb") as f:
            mode = 0o755 if os.stat(path).st_mode & 0o111 else 0o644
            self._add(name, stat.S_IFREG | mode, f.read())

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name, major, minor):
        self._add(name, stat.S_IFCHR | 0o600, dev=(major, minor))

    def pack(self):
        out = bytearray()
        for ino, (name, (mode, body, dev)) in enumerate(self.entries.items(), 1):
            self._entry(out, ino, name, mode, body, dev)
        self._entry(out, 0, "TRAILER!!!", 0, b"", (0, 0))
        return bytes(out)

    @staticmethod
    def _entry(out, ino, name, mode, body, dev):
        encoded = name.encode() + b"\0"
        fields = (ino, mode, 0, 0, 1, 0, len(body), 0, 0, *dev, len(encoded), 0)
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
        out += bytes(-len(out) % 4)
        out += body
        out += bytes(-len(out) % 4)
